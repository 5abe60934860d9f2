"""The event of a workflow: which commit it brings, and whether that may be built."""

from dataclasses import dataclass

from pydantic import ValidationError

from bot.domain.deployment import Commit
from bot.domain.reasons import Code, StoppedError
from handlers.action import words
from handlers.action.runner import Runner
from handlers.github.payloads import Payload, User
from handlers.github.push import HeadCommit

_HEADS, _TAGS = "refs/heads/", "refs/tags/"
_WITHOUT_COMMIT = frozenset({"deleted", "unpublished"})


@dataclass(frozen=True)
class Brought:
    """What the event brings."""

    commit: Commit | None
    """None: the one that `ref` is at."""
    ref: str | None = None
    release: str | None = None
    pull_request: int | None = None
    is_fork: bool = False
    """Whether its commit comes from outside of the repository: it may only be planned."""


class _Place(Payload):
    full_name: str


class _Head(Payload):
    ref: str
    sha: str
    repo: _Place | None = None
    """None where the fork is gone."""


class _Pull(Payload):
    title: str = ""
    user: User | None = None
    head: _Head
    state: str = "open"
    merged: bool | None = None


class _PullRequest(Payload):
    number: int
    pull_request: _Pull


class _OtherRun(Payload):
    head_repository: _Place | None = None
    """None where the fork is gone."""


class _WorkflowRun(Payload):
    workflow_run: _OtherRun


class _Push(Payload):
    ref: str
    after: str
    deleted: bool = False
    head_commit: HeadCommit | None = None


class _ReleasePart(Payload):
    tag_name: str
    name: str | None = None
    author: User | None = None


class _Release(Payload):
    action: str
    release: _ReleasePart


def brought(runner: Runner, *, named: bool = False) -> Brought:
    """What is to be deployed; `named` where the step's inputs say that it is another commit.

    Raises StoppedError: BAD_COMMAND, REF_UNKNOWN, PULL_REQUEST_MERGED, PULL_REQUEST_CLOSED,
    FORK_NOT_ALLOWED.
    """
    try:
        match runner.event_name:
            case "push":
                return _push(_Push.model_validate(runner.event))
            case "pull_request" | "pull_request_target":
                return _pull_request(runner, _PullRequest.model_validate(runner.event))
            case "release":
                return _release(_Release.model_validate(runner.event))
            case "workflow_run" if named:
                _refuse_run_of_fork(runner, _WorkflowRun.model_validate(runner.event))
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        fact = words.unreadable("GITHUB_EVENT_PATH", f"{runner.event_name} has no good {place}")
        raise StoppedError(Code.BAD_COMMAND, fact) from error
    # By hand, by the clock, or by whatever else: the commit that the workflow itself runs for,
    # which is always the repository's own.
    return Brought(Commit(runner.sha, _short(runner.ref), _branch(runner.ref)))


def _push(event: _Push) -> Brought:
    if event.deleted:
        fact = words.deleted(_short(event.ref))
        raise StoppedError(Code.REF_UNKNOWN, fact, next_step=words.DELETED_NEXT)
    head = event.head_commit or HeadCommit()
    title = head.message.partition("\n")[0]
    ref = _short(event.ref)
    return Brought(Commit(event.after, ref, _branch(event.ref), title, head.author.name))


def _pull_request(runner: Runner, event: _PullRequest) -> Brought:
    pull, head = event.pull_request, event.pull_request.head
    is_fork = _is_fork(head.repo, runner)
    if is_fork and runner.event_name == "pull_request_target":
        raise StoppedError(
            Code.FORK_NOT_ALLOWED, words.TARGET_FORK, next_step=words.TARGET_FORK_NEXT
        )
    if pull.merged:
        raise StoppedError(Code.PULL_REQUEST_MERGED, f"#{event.number} was merged")
    if pull.state == "closed":
        raise StoppedError(Code.PULL_REQUEST_CLOSED, f"#{event.number} is closed")
    author = pull.user.login if pull.user else ""
    branch = None if is_fork else head.ref
    # Not GITHUB_SHA: that is a merge which nobody has made and which will be gone.
    commit = Commit(head.sha, head.ref, branch, pull.title, author)
    return Brought(commit, pull_request=event.number, is_fork=is_fork)


def _refuse_run_of_fork(runner: Runner, event: _WorkflowRun) -> None:
    # GitHub gives the secrets to what follows a run of a fork's pull request, and a commit of a
    # fork can be fetched from the repository itself.
    if _is_fork(event.workflow_run.head_repository, runner):
        raise StoppedError(
            Code.FORK_NOT_ALLOWED, words.RUN_OF_FORK, next_step=words.RUN_OF_FORK_NEXT
        )


def _is_fork(place: _Place | None, runner: Runner) -> bool:
    return place is None or place.full_name.lower() != runner.repository.lower()


def _release(event: _Release) -> Brought:
    if event.action in _WITHOUT_COMMIT:
        raise StoppedError(Code.REF_UNKNOWN, words.not_a_release(event.action))
    tag = event.release.tag_name
    return Brought(None, ref=f"{_TAGS}{tag}", release=tag)


def _branch(ref: str) -> str | None:
    return ref.removeprefix(_HEADS) if ref.startswith(_HEADS) else None


def _short(ref: str) -> str:
    return ref.removeprefix(_HEADS).removeprefix(_TAGS) or "HEAD"
