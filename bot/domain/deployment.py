"""A deployment: what was asked, how far it is, how it ended."""

import hashlib
import secrets
import time
from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.reasons import Reason
from bot.domain.trust import Trust

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's: nothing in it looks like something else."""
ID_LENGTH = 16
"""Characters; one that is typed may be shorter, and then is a part."""


class Stage(StrEnum):
    """The parts of a deployment, in their order."""

    SOURCE = "source"
    PLAN = "plan"
    BUILD = "build"
    TEST = "test"
    PUSH = "push"
    APPROVE = "approve"
    UPDATE = "update"
    VERIFY = "verify"
    ROLL_BACK = "roll_back"


class State(StrEnum):
    """Where a deployment is in its life."""

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"


class Outcome(StrEnum):
    """How a deployment ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    ROLLED_BACK = "rolled_back"
    """A stage failed after the update and the old specs were put back."""
    SUPERSEDED = "superseded"
    """A newer commit of the same branch was asked for before it had changed anything."""


class Trigger(StrEnum):
    """What started a deployment."""

    PUSH = "push"
    PULL_REQUEST = "pull_request"
    """It was opened or got new commits."""
    COMMENT = "comment"
    CHECK = "check"
    """A button of ours on a check run."""
    RERUN = "rerun"
    """GitHub's own "Re-run", of a check or of many: which of the two, GitHub need not say."""
    SLACK = "slack"
    RELEASE = "release"
    CLI = "cli"
    ACTION = "action"


class Kind(StrEnum):
    """Forward to a commit, or back to what ran before."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"


GITHUB = "github"
"""The surface of actors whose name is a login on GitHub."""
ACTION = "action"
"""That of actors whose login a workflow's environment says: nobody has proven it."""


@dataclass(frozen=True)
class Actor:
    """Who asked, as the surface knows them."""

    name: str
    surface: str
    account: str | None = None
    """The account that is known to be theirs, such as `github:ann`, where the surface has another."""

    @property
    def identity(self) -> str:
        """Equal for one person, as far as is known: `github:ann`."""
        return self.account or f"{self.surface}:{self.name.lower()}"

    @property
    def is_named_by_login(self) -> bool:
        """Whether its name is a login on GitHub, proven or as a workflow says."""
        return self.surface in {GITHUB, ACTION}

    @property
    def login(self) -> str | None:
        """On GitHub; None of whom none is known. A workflow's is nobody's proof, but it may be theirs."""
        surface, _, login = self.identity.partition(":")
        return login if surface == GITHUB else None

    def acting(self, how: str) -> str:
        """As people read who did it; `how` says by what, where no command was given for it."""
        return f"{self.name} ({how})" if how else self.name

    def may_be(self, other: "Actor") -> bool:
        """Whether it could be the same person: known as one, or of one name."""
        return self.identity == other.identity or self.name.lower() == other.name.lower()


@dataclass(frozen=True)
class Commit:
    """A commit, fixed when the command was read."""

    sha: str
    ref: str
    """What the person wrote, or `HEAD`."""
    branch: str | None = None
    title: str = ""
    author: str = ""


@dataclass(frozen=True)
class Request:
    """What was asked; never changes after it is stored.

    Only a rollback that had to wait learns its commit when it begins: until then none is known.
    """

    kind: Kind
    repository: str
    """URL or absolute path."""
    environment: str
    commit: Commit
    trigger: Trigger
    actor: Actor
    only: tuple[str, ...] = ()
    reprocess: bool = False
    release: str | None = None
    steps: int = 0
    """Rollback only: how many good deployments to go back."""
    force: str | None = None
    """Why what can be skipped is skipped; None where nothing is."""
    trust: Trust = Trust.TRUSTED
    again: bool = False
    """Whether it is a commit that came before, whatever its branch has by now."""

    @property
    def is_commit_known(self) -> bool:
        """Whether it is known which commit it brings; not of a rollback that waits."""
        return bool(self.commit.sha)

    @property
    def is_own(self) -> bool:
        """Whether whoever asks holds the bot's own secrets, and says where it goes themselves.

        Of all others the default branch says it.
        """
        return self.trigger is Trigger.CLI and self.trust is Trust.TRUSTED

    @property
    def target(self) -> str:
        """The key under which deployments go one at a time."""
        return f"{self.repository}#{self.environment}"


@dataclass(frozen=True)
class BuiltImage:
    """An image as it is in the registry."""

    name: str
    repository: str
    tag: str
    digest: str
    built: bool
    """False where the registry already had this content."""


@dataclass(frozen=True)
class UpdatedPipeline:
    """A pipeline that a deployment changed."""

    project: str
    name: str
    from_version: int | None
    """None where the pipeline did not exist."""
    to_version: int


@dataclass(frozen=True)
class Deployment:
    """One attempt to bring a target to a commit, as it is stored."""

    id: str
    request: Request
    state: State = State.WAITING
    outcome: Outcome | None = None
    reason: Reason | None = None
    stage: Stage | None = None
    """The stage that is running, or the last that ran."""
    images: tuple[BuiltImage, ...] = ()
    pipelines: tuple[UpdatedPipeline, ...] = ()
    notes: tuple[str, ...] = field(default=())
    created_at: float = 0.0
    """Seconds since the epoch, as are the next two."""
    started_at: float | None = None
    finished_at: float | None = None
    cancel_requested_by: str | None = None


def new_deployment_id() -> str:
    """An id that sorts by the time it was made (the queue's tie-break) and is short to type.

    48 bits of milliseconds and 32 random bits in Crockford's base 32: 16 characters.
    """
    return _deployment_id(time.time_ns() // 1_000_000, secrets.randbits(32))


def derived_deployment_id(at: float, *source: str) -> str:
    """The id of what `source` asked for at that moment: the same however often it is derived.

    Args:
        at: seconds since the epoch.
        source: what tells it from everything else that was asked then.
    """
    digest = hashlib.sha256("\0".join(source).encode()).digest()
    return _deployment_id(int(at * 1000), int.from_bytes(digest[:4]))


def asked_at(deployment: str) -> float | None:
    """When an id was made, in seconds since the epoch; None where it is not one of ours."""
    if len(deployment) != ID_LENGTH or not set(deployment) <= set(_ALPHABET):
        return None
    number = 0
    for character in deployment:
        number = number << 5 | _ALPHABET.index(character)
    return (number >> 32) / 1000


def _deployment_id(milliseconds: int, rest: int) -> str:
    number = milliseconds << 32 | rest
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(75, -1, -5))
