"""Where a deployment is: its events folded into what a report shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import singledispatch
from typing import TypeVar

from bot.domain.deployment import Outcome, Stage
from bot.domain.progress import (
    Accepted,
    ApprovalNeeded,
    Ended,
    Finished,
    InLine,
    Log,
    PipelineSeen,
    Planned,
    Progress,
    Resumed,
    StageFinished,
    StageStarted,
    Step,
    StepState,
    Supersedes,
    Tested,
    Transfer,
    Voted,
    Warned,
)
from handlers.reports import words

TAIL = 20
"""Log lines that are kept of each image and pipeline."""

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class StageLine:
    """A stage that began."""

    stage: Stage
    started_at: float
    ended: Ended | None = None
    seconds: float = 0.0
    detail: str = ""


@dataclass(frozen=True)
class BuildLine:
    """The step that an image's build is at."""

    step: Step
    started_at: float
    cached: int = 0
    """How many of its steps needed no work."""

    @property
    def is_done(self) -> bool:
        """Whether the last step is over."""
        is_over = self.step.state in {StepState.DONE, StepState.CACHED}
        return is_over and self.step.number >= self.step.total


@dataclass(frozen=True)
class Board:
    """All that was heard so far."""

    accepted: Accepted | None = None
    accepted_at: float | None = None
    resumed: bool = False
    planned: Planned | None = None
    stages: Mapping[Stage, StageLine] = field(default_factory=dict)
    builds: Mapping[str, BuildLine] = field(default_factory=dict)
    tests: Mapping[str, Tested] = field(default_factory=dict)
    transfers: Mapping[str, Transfer] = field(default_factory=dict)
    pipelines: Mapping[tuple[str, str], PipelineSeen] = field(default_factory=dict)
    tails: Mapping[tuple[Stage, str], tuple[str, ...]] = field(default_factory=dict)
    recent: tuple[Log, ...] = ()
    """The last lines of the stage that runs, of whichever image or pipeline."""
    approval: ApprovalNeeded | None = None
    """What others are asked to approve; also once they have."""
    votes: Mapping[str, Voted] = field(default_factory=dict)
    in_line: InLine | None = None
    """Who was before it when it was asked for."""
    supersedes: Mapping[str, Supersedes] = field(default_factory=dict)
    """Older deployments whose place it takes, by id."""
    warnings: tuple[str, ...] = ()
    finished: Finished | None = None
    finished_at: float | None = None

    def after(self, at: float, event: Progress) -> "Board":
        """The board once the event has happened."""
        return _after(event, self, at)

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know that stops nothing."""
        taken = (f"It {words.supersedes(each)}." for each in self.supersedes.values())
        return (*self.warnings, *taken)

    @property
    def running(self) -> StageLine | None:
        """The stage that runs."""
        return next((each for each in self.stages.values() if each.ended is None), None)

    @property
    def started_at(self) -> float | None:
        """When the first stage began; while it waits, when it was accepted."""
        first = next(iter(self.stages.values()), None)
        return first.started_at if first else self.accepted_at

    @property
    def failed_stage(self) -> Stage | None:
        """The stage that stopped the deployment; None where none did."""
        if self.finished is None or self.finished.outcome is Outcome.SUCCEEDED:
            return None
        failed = [line.stage for line in self.stages.values() if line.ended is Ended.FAILED]
        if failed:
            return failed[0]
        open_or_cancelled = [
            line.stage for line in self.stages.values() if line.ended in {None, Ended.CANCELLED}
        ]
        return open_or_cancelled[-1] if open_or_cancelled else None

    @property
    def failed_log(self) -> tuple[str, tuple[str, ...]] | None:
        """Whose output tells of the failure, and its last lines."""
        stage = self.failed_stage
        if stage is None:
            return None
        broken = [
            *(name for name, each in self.builds.items() if each.step.state is StepState.FAILED),
            *(name for name, each in self.tests.items() if each.exit_code != 0),
            *(log.subject for log in reversed(self.recent)),
            *(subject for at, subject in reversed(list(self.tails)) if at is stage),
        ]
        for subject in broken:
            lines = self.tails.get((stage, subject), ())
            test = self.tests.get(subject)
            if not lines and stage is Stage.TEST and test is not None:
                lines = test.output_tail[-TAIL:]
            if lines:
                return subject, lines
        return None


def _with(mapping: Mapping[_Key, _Value], key: _Key, value: _Value) -> dict[_Key, _Value]:
    return {**mapping, key: value}


@singledispatch
def _after(_event: object, board: Board, _at: float) -> Board:
    # An event that a later version adds changes nothing here.
    return board


@_after.register
def _(event: Accepted, board: Board, at: float) -> Board:
    return replace(board, accepted=event, accepted_at=at)


@_after.register
def _(_event: Resumed, board: Board, _at: float) -> Board:
    return replace(board, resumed=True)


@_after.register
def _(event: Planned, board: Board, _at: float) -> Board:
    return replace(board, planned=event)


@_after.register
def _(event: ApprovalNeeded, board: Board, _at: float) -> Board:
    return replace(board, approval=event)


@_after.register
def _(event: Voted, board: Board, _at: float) -> Board:
    return replace(board, votes=_with(board.votes, f"{event.surface}:{event.by}", event))


@_after.register
def _(event: InLine, board: Board, _at: float) -> Board:
    return replace(board, in_line=event)


@_after.register
def _(event: Supersedes, board: Board, _at: float) -> Board:
    return replace(board, supersedes=_with(board.supersedes, event.deployment, event))


@_after.register
def _(event: Warned, board: Board, _at: float) -> Board:
    # A stage that is taken up again says the same once more.
    return replace(board, warnings=tuple(dict.fromkeys((*board.warnings, event.text))))


@_after.register
def _(event: StageStarted, board: Board, at: float) -> Board:
    line = StageLine(event.stage, at)
    # A build that is taken up again after a restart begins anew.
    builds = {} if event.stage is Stage.BUILD else board.builds
    stages = _with(board.stages, event.stage, line)
    return replace(board, stages=stages, builds=builds, recent=())


@_after.register
def _(event: StageFinished, board: Board, at: float) -> Board:
    before = board.stages.get(event.stage) or StageLine(event.stage, at - event.seconds)
    line = replace(before, ended=event.ended, seconds=event.seconds, detail=event.detail)
    return replace(board, stages=_with(board.stages, event.stage, line))


@_after.register
def _(event: Step, board: Board, at: float) -> Board:
    before = board.builds.get(event.image)
    if before and before.step.state is StepState.FAILED:
        # Steps run side by side: what else ends after the failure is not what failed.
        return board
    is_same = before is not None and before.step.number == event.number
    started_at = before.started_at if before and is_same else at
    cached = (before.cached if before else 0) + (event.state is StepState.CACHED)
    line = BuildLine(event, started_at, cached)
    return replace(board, builds=_with(board.builds, event.image, line))


@_after.register
def _(event: Tested, board: Board, _at: float) -> Board:
    return replace(board, tests=_with(board.tests, event.image, event))


@_after.register
def _(event: Transfer, board: Board, _at: float) -> Board:
    return replace(board, transfers=_with(board.transfers, event.image, event))


@_after.register
def _(event: Log, board: Board, _at: float) -> Board:
    key = (event.stage, event.subject)
    tail = (*board.tails.get(key, ()), event.text)[-TAIL:]
    recent = (*board.recent, event)[-TAIL:]
    return replace(board, tails=_with(board.tails, key, tail), recent=recent)


@_after.register
def _(event: PipelineSeen, board: Board, _at: float) -> Board:
    key = (event.project, event.name)
    return replace(board, pipelines=_with(board.pipelines, key, event))


@_after.register
def _(event: Finished, board: Board, at: float) -> Board:
    return replace(board, finished=event, finished_at=at)
