"""An errand that somebody in Slack sends us on."""

from bot.domain.gate_facts import Unknown
from bot.domain.github import Permission, Repository
from bot.store.identities import Identity
from handlers.commands import errand
from handlers.commands.errand import Person, Place, Source
from handlers.commands.spelling import unite
from handlers.reports.slack.origin import ORIGIN, Origin
from handlers.slack import refusals
from handlers.slack.caller import Caller
from handlers.slack.desk import Client, Desk

SURFACE = "slack"


class Errand(errand.Errand):
    """Something that a person asks for, under the login that is joined with their Slack user."""

    desk: Desk
    client: Client

    def __init__(
        self, desk: Desk, repository: Repository, caller: Caller, identity: Identity | None
    ) -> None:
        notes = {ORIGIN: Origin(caller.asked).to_json()}
        source = Source(
            caller.delivery, caller.received_at, caller.is_repeat, caller.is_last, notes
        )
        login = identity.login if identity else ""
        super().__init__(desk, Place(repository), Person(login, SURFACE), source)
        self.caller = caller

    @property
    def is_linked(self) -> bool:
        """Whether it is known who they are on GitHub."""
        return bool(self.person.login)

    async def permission(self, least: Permission = Permission.ADMIN) -> Permission | Unknown:
        """What whoever asks may really do; nothing is known of those who are not linked."""
        if not self.is_linked:
            return Unknown("the GitHub login", "it is not joined with this Slack user")
        return await super().permission(least)

    async def check_may_read(self) -> None:
        """Whether what runs where may be told. Errors: NOT_LINKED, PERMISSION_MISSING.

        Whoever is in a channel that hears of the repository reads it there anyway.
        """
        heard = await self.desk.subscriptions.of_channel(self.caller.channel)
        if self.repository.full_name.lower() in {each.repository for each in heard}:
            return
        if not self.is_linked:
            raise refusals.not_linked(self.desk.word)
        found = await self.permission()
        if isinstance(found, Unknown) or found < Permission.READ:
            raise refusals.may_not_read(self.repository.full_name, self.person.login)


async def errand_for(
    desk: Desk, caller: Caller, repository: Repository, *, needs_link: bool
) -> Errand:
    """The errand. Errors: NOT_LINKED where the login is needed and not known."""
    identity = await desk.identities.of_slack(caller.slack)
    if identity is None and needs_link:
        raise refusals.not_linked(desk.word)
    errand = Errand(desk, repository, caller, identity)
    await unite(errand)
    return errand
