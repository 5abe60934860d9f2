"""A push: the environments that follow its branch are deployed."""

from bot.domain.command import Deploy
from bot.domain.deployment import Commit, Trigger
from bot.store.deliveries import Delivery
from handlers.commands.gathering import Wish
from handlers.github.answering import follow
from handlers.github.desk import Desk
from handlers.github.errand import Errand
from handlers.github.payloads import Event, Payload

_BRANCH = "refs/heads/"


class Author(Payload):
    """Whose commit it is."""

    name: str = ""


class HeadCommit(Payload):
    """The newest of the commits that were pushed."""

    message: str = ""
    author: Author = Author()


class Push(Event):
    """A branch or tag has moved."""

    ref: str
    after: str
    deleted: bool = False
    head_commit: HeadCommit | None = None


async def handle(desk: Desk, delivery: Delivery) -> str:
    """Deploy to the environments that follow the branch."""
    push = Push.model_validate_json(delivery.payload)
    branch = push.ref.removeprefix(_BRANCH)
    if push.deleted or branch == push.ref:
        return "not a branch's new commit"
    errand = Errand(desk, delivery, push)
    commit = _commit(push, branch)
    return await follow(
        errand,
        (await errand.rules()).following(Trigger.PUSH, branch),
        lambda name: Wish(Trigger.PUSH, Deploy(name), commit),
    )


def _commit(push: Push, branch: str) -> Commit:
    head = push.head_commit or HeadCommit()
    title = head.message.partition("\n")[0]
    return Commit(push.after, branch, branch, title, head.author.name)
