"""What comes of a command, for the surface to put into words."""

from dataclasses import dataclass

from bot.domain.approval import Verdict
from bot.domain.awaiting import Awaited
from bot.domain.command import Command, Help
from bot.domain.deployment import Deployment
from bot.domain.explanation import Explanation
from bot.domain.hold import Hold
from bot.domain.lock import Lock
from bot.domain.plan import Plan
from bot.domain.reasons import Reason
from bot.store.deployments import CancelResult
from bot.store.identities import Identity


@dataclass(frozen=True)
class Started:
    """A deployment is on disk and in line; its reports tell the rest."""

    deployment: Deployment


@dataclass(frozen=True)
class Refused:
    """Nothing was done, for all of these reasons."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Planned:
    """What a deployment would do."""

    plan: Plan
    environment: str
    sha: str


@dataclass(frozen=True)
class CancelAsked:
    """A deployment was asked to stop."""

    deployment: Deployment | Awaited
    result: CancelResult


@dataclass(frozen=True)
class VoteCast:
    """Somebody has approved or rejected a deployment."""

    deployment: Deployment
    verdict: Verdict
    is_new: bool
    """False where they had voted before: that vote stands."""
    approved: int = 0
    """How many have approved it so far."""
    needed: int = 0


@dataclass(frozen=True)
class Listed:
    """Deployments, in the order in which they are shown."""

    deployments: tuple[Deployment, ...]
    locks: tuple[Lock, ...] = ()
    awaiting: tuple[Awaited, ...] = ()
    holds: tuple[tuple[str, Hold], ...] = ()
    """Environments that take commands only, each with the rollback since which they do."""


@dataclass(frozen=True)
class Linked:
    """Who asks is joined with a Slack user now; None: the code was of no use."""

    identity: Identity | None


@dataclass(frozen=True)
class Unlinked:
    """Who asks is joined with nobody now."""

    was_linked: bool


@dataclass(frozen=True)
class Helped:
    """How commands are written."""

    help: Help


@dataclass(frozen=True)
class NotYet:
    """A command that this version does not have."""

    command: Command


@dataclass(frozen=True)
class CarriedOut:
    """An earlier attempt has done it, and did not come to its answer."""

    line: str
    """As it was typed."""


@dataclass(frozen=True)
class Locked:
    """They hold the lock."""

    lock: Lock
    renewed: bool = False
    """It was theirs before."""
    over: Lock | None = None
    """Another's, that it took the place of; its owner is told."""


@dataclass(frozen=True)
class Unlocked:
    """A lock is released."""

    lock: Lock


@dataclass(frozen=True)
class Resumed:
    """An environment follows pushes and releases again."""

    environment: str
    hold: Hold | None
    """The rollback that kept them away; None where none did."""


@dataclass(frozen=True)
class Explained:
    """Why something is as it is."""

    explanation: Explanation


Answer = (
    Started
    | Refused
    | Planned
    | CancelAsked
    | CarriedOut
    | VoteCast
    | Locked
    | Unlocked
    | Resumed
    | Explained
    | Listed
    | Linked
    | Unlinked
    | Helped
    | NotYet
)
