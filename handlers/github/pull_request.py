"""A pull request that is opened, gets commits, or is closed."""

from bot.domain.command import Deploy
from bot.domain.deployment import Commit, Kind, Request, Trigger
from bot.domain.github import PullRequest as PullRequestNow
from bot.domain.reasons import Code, StoppedError
from bot.store.deliveries import Delivery
from handlers.commands.asking import origin_of
from handlers.commands.gathering import Wish
from handlers.commands.locking import release_for_pull_request
from handlers.github import words
from handlers.github.answering import follow, leave_stopped, note_not_followed, say_on_pull_request
from handlers.github.desk import Desk
from handlers.github.errand import Errand, errand_for
from handlers.github.payloads import Event, Payload, User
from handlers.github.rules_check import ACTIONS, Head, check_rules, is_shown
from handlers.reports.github.origin import Origin


class HeadPart(Payload):
    """What is to be merged."""

    ref: str
    sha: str


class PullRequestPart(Payload):
    """The pull request, as it was then."""

    title: str = ""
    user: User | None = None
    head: HeadPart
    merged: bool | None = None


class PullRequest(Event):
    """Something happened to a pull request."""

    action: str
    number: int
    pull_request: PullRequestPart
    before: str | None = None
    """The head until then, where there are new commits."""


async def handle(desk: Desk, delivery: Delivery) -> str:
    """Deploy a new head where environments follow it; stop what a given-up one has under way."""
    event = PullRequest.model_validate_json(delivery.payload)
    errand = await errand_for(desk, delivery, event)
    if event.action == "closed":
        return await _closed(errand, event)
    checked = await _check_rules(errand, event)
    followed = await _follow_or_say(errand, event)
    return f"{checked}; {followed}" if checked else followed


async def _check_rules(errand: Errand, event: PullRequest) -> str:
    if event.action not in ACTIONS:
        return ""
    return await check_rules(errand, Head(event.pull_request.head.sha, event.before))


async def _follow_or_say(errand: Errand, event: PullRequest) -> str:
    try:
        return await _follow(errand, event)
    except StoppedError as stopped:
        if not is_shown(errand, stopped):
            raise
        what = f"pull request {event.number}"
        await note_not_followed(errand, what, stopped, pull_request=event.number)
        if stopped.reason.code is not Code.PROJECT_INVALID:
            # Of broken rules the default branch's own commits tell; of this nobody else does.
            body = words.not_followed(stopped.reason, errand.desk.safe)
            await say_on_pull_request(errand, event.number, body, words.NOT_FOLLOWED_MARKER)
        return str(stopped)


async def _follow(errand: Errand, event: PullRequest) -> str:
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

    def wish(name: str) -> Wish:
        return Wish(Trigger.PULL_REQUEST, Deploy(name), commit, pull_request=event.number)

    if isinstance(now, PullRequestNow) and not now.open:
        # Deliveries come late: nobody waits for it any more.
        await leave_stopped(errand, environments, wish)
        return "it is closed by now"
    return await follow(errand, environments, wish)


async def _closed(errand: Errand, event: PullRequest) -> str:
    """Its locks are released; what a given-up one has under way is stopped."""
    now = await errand.pull_request(event.number)
    if isinstance(now, PullRequestNow) and now.open:
        # Deliveries come late and in any order.
        return "it is not closed any more"
    was_merged = isinstance(now, PullRequestNow) and now.merged
    is_merged = bool(event.pull_request.merged) or was_merged
    how = words.closing(event.number, merged=is_merged)
    released = await release_for_pull_request(errand, event.number, how)
    await _stop_awaiting(errand, event.number, how)
    done = "merged" if is_merged else await _stop(errand, event, how)
    freed = ", ".join(each.environment or "all" for each in released)
    return f"{done}; released: {freed}" if freed else done


async def _stop_awaiting(errand: Errand, number: int, how: str) -> None:
    """What awaits the checks of its head is deployed no more, also where that was merged."""
    deployer = errand.desk.deployer
    for each in await deployer.awaiting.list(errand.address):
        if each.pull_request == number:
            await deployer.cancel(each.id, errand.actor, how=how)


async def _stop(errand: Errand, event: PullRequest, how: str) -> str:
    """Only what brings its own commits: others' are asked for there too, and what takes them back."""
    deployer, stopped = errand.desk.deployer, []
    for each in await deployer.deployments.list(
        repository=errand.address, unfinished=True, limit=500
    ):
        origin = await origin_of(errand, each)
        asked_here = origin is not None and origin.pull_request == event.number
        if asked_here and _brings(origin, each.request, event.pull_request.head.ref):
            await deployer.cancel(each.id, errand.actor, how=how)
            stopped.append(each.id)
    return f"closed; cancelled: {', '.join(stopped) or 'nothing'}"


def _brings(origin: Origin | None, request: Request, head: str) -> bool:
    """Whether it is the pull request's own."""
    if origin is not None and origin.is_of_pull_request is not None:
        return origin.is_of_pull_request
    return request.kind is Kind.DEPLOY and request.commit.branch in {None, head}
