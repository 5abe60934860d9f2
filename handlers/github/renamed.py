"""A repository that was renamed, or that belongs to somebody else now."""

from dataclasses import replace

from pydantic import Field

from bot.domain.github import Repository
from bot.store.deliveries import Delivery
from bot.store.renaming import Named
from handlers.commands.errand import address_of
from handlers.github.desk import Desk
from handlers.github.errand import Errand
from handlers.github.payloads import Event, Payload, User


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
        return _named(self.place, self.place.owner, self.place.name)

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
        return _named(place, owner, name)


async def handle(desk: Desk, delivery: Delivery) -> str:
    """Move what is kept under the old name."""
    event = RepositoryEvent.model_validate_json(delivery.payload)
    errand = Errand(desk, delivery, event)
    before, after = event.before, event.after
    if address_of(before) == address_of(after):
        return "it is named as before"
    await desk.deployer.rename(
        Named(address_of(before), before.full_name, before.clone_url),
        Named(address_of(after), after.full_name, after.clone_url),
        errand.actor,
        once=f"renamed:{delivery.id}",
    )
    return f"{before.full_name} is {after.full_name} now"


def _named(place: Repository, owner: str, name: str) -> Repository:
    root, _, _ = place.clone_url.rsplit("/", 2)
    return replace(place, owner=owner, name=name, clone_url=f"{root}/{owner}/{name}.git")
