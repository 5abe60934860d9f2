"""A repository that was renamed, or that belongs to somebody else now; or all of an account."""

from pydantic import Field

from bot.domain.audit import BOT
from bot.domain.deployment import GITHUB, Actor
from bot.domain.github import Repository
from bot.store.deliveries import Delivery
from bot.store.names import Kind, Renamed
from handlers.commands.errand import Place, address_of
from handlers.github.desk import Desk
from handlers.github.errand import Errand
from handlers.github.moving import Moving, as_named, beside
from handlers.github.payloads import Event, Installation, Payload, User


class NameBefore(Payload):
    """The name that it had."""

    before: str = Field(alias="from")


class RepositoryChanges(Payload):
    """What of the repository changed."""

    name: NameBefore | None = None


class OwnerBefore(Payload):
    """Whose it was: one of them."""

    user: User | None = None
    organization: User | None = None


class OwnerChange(Payload):
    """Whose it was."""

    before: OwnerBefore = Field(alias="from")


class Changes(Payload):
    """What changed; each only where it did."""

    repository: RepositoryChanges | None = None
    owner: OwnerChange | None = None


class RepositoryEvent(Event):
    """Something happened to a repository."""

    action: str
    changes: Changes = Changes()

    @property
    def after(self) -> Repository:
        """As it is named; of one that was given away GitHub's own example has the old address."""
        return beside(self.place, self.place.owner, self.place.name)

    @property
    def before(self) -> Repository:
        """As it was named."""
        place = self.place
        owner, name = place.owner, place.name
        if self.changes.owner is not None:
            who = self.changes.owner.before.organization or self.changes.owner.before.user
            owner = who.login if who else owner
        if self.changes.repository is not None and self.changes.repository.name is not None:
            name = self.changes.repository.name.before
        return beside(place, owner, name)


class LoginChange(Payload):
    """What of the account changed."""

    login: NameBefore | None = None


class Account(Payload):
    """It, as it is named."""

    id: int
    login: str
    html_url: str
    """Where people see it, and git finds what it has."""


class AccountEvent(Payload):
    """Something happened to an account that the App is installed on."""

    action: str
    account: Account
    changes: LoginChange = LoginChange()
    installation: Installation | None = None
    sender: User | None = None

    @property
    def before(self) -> str:
        """As it was named."""
        return self.changes.login.before if self.changes.login else self.account.login

    def repository(self, owner: str, name: str) -> Repository:
        """One of its, as it is or was named."""
        root, _, _ = self.account.html_url.rpartition("/")
        return Repository(owner, name, "", f"{root}/{owner}/{name}.git")


async def handle(desk: Desk, delivery: Delivery) -> str:
    """Move what is kept under the old name."""
    event = RepositoryEvent.model_validate_json(delivery.payload)
    errand = Errand(desk, delivery, event)
    before, after = event.before, event.after
    if address_of(before) == address_of(after):
        return "it is named as before"
    number = event.repository.id
    if desk.deliveries is None or number is None:
        once = f"renamed:{delivery.id}"
        await desk.deployer.rename(as_named(before), as_named(after), errand.actor, once=once)
        return f"{before.full_name} is {after.full_name} now"
    moving = Moving(desk, desk.deliveries, delivery.id, errand.place)
    name = after.full_name
    if not await moving.is_next(number, before.full_name, name):
        said = None if delivery.is_last else await moving.name_of(number)
        name = said or await moving.as_known(number, name)
    # Then what is told late: until all is moved it waits behind this.
    renamed = Renamed(Kind.REPOSITORY, number, before.full_name, name)
    await desk.deliveries.note_renamed(renamed)
    await moving.settle(number, name, errand.actor, also={before.full_name})
    return f"{before.full_name} is {name} now"


async def handle_account(desk: Desk, delivery: Delivery) -> str:
    """Move what is kept of all of its repositories; no other event tells of each."""
    event = AccountEvent.model_validate_json(delivery.payload)
    before, after = event.before, event.account.login
    if before == after:
        return "it is named as before"
    if desk.deliveries is not None:
        renamed = Renamed(Kind.OWNER, event.account.id, before, after)
        await desk.deliveries.note_renamed(renamed)
    by = Actor(event.sender.login, GITHUB) if event.sender else BOT
    place = address_of(event.repository(before, "x")).removesuffix("x.git")
    names = sorted(await desk.deployer.names_of(place, before))
    for name in names:
        await _move(desk, delivery, event, name, by)
    return f"{before} is {after} now: {', '.join(names) or 'nothing is kept of it'}"


async def _move(desk: Desk, delivery: Delivery, event: AccountEvent, name: str, by: Actor) -> None:
    """One of the account's repositories; a name that another account has by now may be another's."""
    before, after = (event.repository(owner, name) for owner in (event.before, event.account.login))
    deliveries = desk.deliveries
    number = await deliveries.names.number_of(before.full_name) if deliveries is not None else None
    if deliveries is None or number is None:
        once = f"renamed:{delivery.id}:{name}"
        await desk.deployer.rename(as_named(before), as_named(after), by, once=once)
        return
    place = Place(after, event.installation.id if event.installation else None)
    moving = Moving(desk, deliveries, delivery.id, place)
    now = None if delivery.is_last else await moving.name_of(number)
    await moving.settle(number, now or after.full_name, by)
