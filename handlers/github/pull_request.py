"""A pull request that is opened, gets commits, or is closed."""

from bot.domain.command import Deploy
from bot.domain.deployment import Commit, Trigger
from bot.domain.github import PullRequest as PullRequestNow
from bot.store.deliveries import Delivery
from handlers.commands.asking import origin_of
from handlers.commands.gathering import Wish
from handlers.github import words
from handlers.github.answering import follow
from handlers.github.desk import Desk
from handlers.github.errand import Errand
from handlers.github.payloads import Event, Payload, User


class Head(Payload):
    """What is to be merged."""

    ref: str
    sha: str


class PullRequestPart(Payload):
    """The pull request, as it was then."""

    title: str = ""
    user: User | None = None
    head: Head
    merged: bool = False


class PullRequest(Event):
    """Something happened to a pull request."""

    action: str
    number: int
    pull_request: PullRequestPart


async def handle(desk: Desk, delivery: Delivery) -> str:
    """Deploy a new head where environments follow it; stop what a given-up one has under way."""
    event = PullRequest.model_validate_json(delivery.payload)
    errand = Errand(desk, delivery, event)
    if event.action == "closed":
        return "merged" if event.pull_request.merged else await _closed(errand, event.number)
    environments = (await errand.rules()).following(Trigger.PULL_REQUEST)
    if not environments:
        return "no environment follows pull requests"
    now = await errand.pull_request(event.number)
    head = event.pull_request.head
    if isinstance(now, PullRequestNow) and now.head_sha != head.sha:
        return "its head has moved on, which is told by another delivery"
    is_fork = isinstance(now, PullRequestNow) and now.is_fork(errand.repository)
    author = event.pull_request.user.login if event.pull_request.user else ""
    commit = Commit(
        head.sha, head.ref, None if is_fork else head.ref, event.pull_request.title, author
    )
    return await follow(
        errand,
        environments,
        lambda name: Wish(Trigger.PULL_REQUEST, Deploy(name), commit, pull_request=event.number),
    )


async def _closed(errand: Errand, number: int) -> str:
    now = await errand.pull_request(number)
    if isinstance(now, PullRequestNow) and (now.open or now.merged):
        # Deliveries come late and in any order.
        return "it is not closed any more"
    return await _stop(errand, number)


async def _stop(errand: Errand, number: int) -> str:
    deployer = errand.desk.deployer
    stopped = []
    for each in await deployer.deployments.list(
        repository=errand.address, unfinished=True, limit=500
    ):
        origin = await origin_of(errand, each)
        if origin is not None and origin.pull_request == number:
            await deployer.cancel(each.id, words.closed(number))
            stopped.append(each.id)
    return f"closed; cancelled: {', '.join(stopped) or 'nothing'}"
