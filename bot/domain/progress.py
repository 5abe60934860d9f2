"""What a deployment says of itself while it runs: small facts, in order, for every surface."""

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.deployment import BuiltImage, Deployment, Outcome, Stage, UpdatedPipeline
from bot.domain.reasons import Reason


class Ended(StrEnum):
    """How a stage or a step ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    """Looked at the world and had nothing to do."""


class StepState(StrEnum):
    """The life of one build step."""

    RUNNING = "running"
    DONE = "done"
    CACHED = "cached"
    FAILED = "failed"


@dataclass(frozen=True)
class Accepted:
    """The deployment is on disk and waits for its turn."""

    deployment: str
    repository: str
    environment: str
    sha: str
    ref: str


@dataclass(frozen=True)
class Resumed:
    """A bot that was stopped in the middle has taken the deployment up again."""

    deployment: str


@dataclass(frozen=True)
class StageStarted:
    """A stage begins."""

    stage: Stage


@dataclass(frozen=True)
class StageFinished:
    """A stage ended; `detail` is one line for people."""

    stage: Stage
    ended: Ended
    seconds: float
    detail: str = ""


@dataclass(frozen=True)
class Step:
    """A step of an image's build: `number` of `total`."""

    image: str
    number: int
    total: int
    text: str
    state: StepState
    seconds: float = 0.0


@dataclass(frozen=True)
class Tested:
    """An image's own test has ended."""

    image: str
    exit_code: int
    seconds: float
    output_tail: tuple[str, ...]


@dataclass(frozen=True)
class Transfer:
    """Bytes of an image on their way to the registry."""

    image: str
    sent: int
    total: int


@dataclass(frozen=True)
class Log:
    """A line of output, without its newline; `subject` is the image or pipeline."""

    stage: Stage
    subject: str
    text: str


@dataclass(frozen=True)
class Warned:
    """Something a person should know that stops nothing."""

    text: str


@dataclass(frozen=True)
class Planned:
    """What will be done, one line for each image and pipeline."""

    images: tuple[str, ...]
    pipelines: tuple[str, ...]


@dataclass(frozen=True)
class ApprovalNeeded:
    """It waits for other people; what they approve is bound to `sha` and `digest`."""

    deployment: str
    sha: str
    digest: str
    """Of all that the update would do."""
    asked_by: str
    """Who may not approve it."""
    needed: int
    deadline: float
    """Seconds since the epoch."""
    changes: tuple[str, ...]
    """A line for each image and pipeline."""
    reprocesses: bool
    """Whether data is computed again."""
    running_jobs: int | None = None
    """How many jobs start again; None where that is not known."""
    named: tuple[str, ...] = ()
    """Those whom the rules name: logins on GitHub, and teams as `org/slug`."""


@dataclass(frozen=True)
class Voted:
    """Somebody approved or rejected it."""

    by: str
    surface: str
    approves: bool


@dataclass(frozen=True)
class InLine:
    """Others of its target were before it when it was asked for."""

    before: tuple[str, ...]
    """Their ids, the next to end first."""
    usual: float | None = None
    """Seconds that one usually takes; None where none ended well yet."""
    begins_in: float | None = None
    """Seconds until it begins, if all goes as usual; None where that cannot be told."""


@dataclass(frozen=True)
class Supersedes:
    """It takes the place of an older deployment of its branch, which has changed nothing."""

    deployment: str
    sha: str


@dataclass(frozen=True)
class PipelineSeen:
    """What verify saw of a pipeline at this moment."""

    project: str
    name: str
    version: int
    state: str
    evidence: str
    """What proves that it works; empty while nothing does."""


@dataclass(frozen=True)
class Finished:
    """The end; nothing comes after it."""

    outcome: Outcome
    deployment: str | None
    sha: str | None
    images: tuple[BuiltImage, ...]
    pipelines: tuple[UpdatedPipeline, ...]
    reason: Reason | None
    notes: tuple[str, ...] = ()


Progress = (
    Accepted
    | Resumed
    | StageStarted
    | StageFinished
    | Step
    | Tested
    | Transfer
    | Log
    | Warned
    | Planned
    | ApprovalNeeded
    | Voted
    | InLine
    | Supersedes
    | PipelineSeen
    | Finished
)

EVENT_NAMES = {
    Accepted: "accepted",
    Resumed: "resumed",
    StageStarted: "stage_started",
    StageFinished: "stage_finished",
    Step: "step",
    Tested: "tested",
    Transfer: "transfer",
    Log: "log",
    Warned: "warning",
    Planned: "planned",
    ApprovalNeeded: "approval_needed",
    Voted: "vote",
    InLine: "in_line",
    Supersedes: "supersedes",
    PipelineSeen: "pipeline",
    Finished: "finished",
}
"""The `event` of each kind in JSON; stable."""


def finished(deployment: Deployment) -> Finished:
    """The last event of a deployment that is finished, from its stored end."""
    return Finished(
        deployment.outcome or Outcome.FAILED,
        deployment.id,
        deployment.request.commit.sha or None,
        deployment.images,
        deployment.pipelines,
        deployment.reason,
        deployment.notes,
    )
