"""A deployment and its log as the templates show them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bot.domain.deployment import Deployment, Outcome, Stage, State
from bot.domain.plan import Change
from bot.domain.plan_summary import PlannedPipeline, PlanSummary
from bot.domain.queue import Place
from bot.store.log import Found, Line
from handlers.reports.board import Board, StageLine
from handlers.web import dag, timeline, words

_GOOD, _BAD, _BUSY, _QUIET = "good", "bad", "busy", "quiet"
_LOOKS = {
    Outcome.SUCCEEDED: _GOOD,
    Outcome.FAILED: _BAD,
    Outcome.ROLLED_BACK: _BAD,
    Outcome.REFUSED: _BAD,
    Outcome.CANCELLED: _QUIET,
    Outcome.SUPERSEDED: _QUIET,
}
_MARKS = {_GOOD: "✓", _BAD: "✗", _BUSY: "●", _QUIET: "■"}


@dataclass(frozen=True)
class Badge:
    """How something stands, in a word, a sign and a look: never by its colour alone."""

    text: str
    look: str

    @property
    def mark(self) -> str:
        """The sign."""
        return _MARKS[self.look]


def badge(deployment: Deployment) -> Badge:
    """How a deployment stands."""
    if deployment.outcome is not None:
        return Badge(words.OUTCOMES[deployment.outcome], _LOOKS[deployment.outcome])
    is_running = deployment.state is State.RUNNING
    return Badge(words.STATES[deployment.state], _BUSY if is_running else _QUIET)


@dataclass(frozen=True)
class View:
    """A deployment at one moment."""

    deployment: Deployment
    board: Board
    plan: PlanSummary | None
    now: float
    commit_url: str | None = None
    place: Place | None = None
    """Where it stands in the line of its target, while it waits."""

    @property
    def waits_for(self) -> str:
        """What has to happen before it begins."""
        if self.place is None:
            return "It waits for its turn."
        return words.place(len(self.place.before), self.place.begins_in)

    @property
    def badge(self) -> Badge:
        """How it stands."""
        return badge(self.deployment)

    @property
    def is_live(self) -> bool:
        """Whether more will happen."""
        return self.deployment.state is not State.FINISHED

    @property
    def said(self) -> str:
        """How it stands, in a sentence for who listens."""
        running = self.board.running
        if self.is_live and running is not None:
            return f"{self.badge.text}: {stage_name(running.stage)}"
        return self.badge.text

    @property
    def stages(self) -> tuple[StageLine, ...]:
        """Those that began, as they began."""
        return tuple(self.board.stages.values())

    @property
    def approved(self) -> int:
        """How many approved it."""
        return sum(vote.approves for vote in self.board.votes.values())

    @property
    def seconds(self) -> float | None:
        """How long it ran, or has run so far."""
        deployment = self.deployment
        if deployment.started_at is None:
            return None
        return (deployment.finished_at or self.now) - deployment.started_at

    @cached_property
    def drawing(self) -> dag.Drawing | None:
        """The plan as a picture."""
        return dag.draw(self.plan) if self.plan else None

    @cached_property
    def timeline(self) -> timeline.Timeline | None:
        """The durations as a picture."""
        return timeline.draw(self.board, self.now)

    @property
    def changed(self) -> tuple[PlannedPipeline, ...]:
        """The pipelines that the plan changes."""
        pipelines = self.plan.pipelines if self.plan else ()
        return tuple(each for each in pipelines if each.change is not Change.NONE)


def stage_name(stage: Stage) -> str:
    """A stage in words."""
    return stage.value.replace("_", " ")


@dataclass(frozen=True)
class LogView:
    """The part of a log that is on the page."""

    lines: tuple[Line, ...]
    has_older: bool
    is_end: bool
    """Whether the last line is the last that there is."""
    count: int = 0
    at: int | None = None
    """The line that was asked for."""

    @property
    def first(self) -> int:
        """The number of the first line; 0 without lines."""
        return self.lines[0].number if self.lines else 0

    @property
    def last(self) -> int:
        """The number of the last line; 0 without lines."""
        return self.lines[-1].number if self.lines else 0


@dataclass(frozen=True)
class SearchView:
    """What a search has found."""

    text: str
    found: Found | None = None
    hits: Sequence[tuple[Line, Sequence[tuple[str, bool]]]] = field(default=())
    """Each line, and its text in parts that are, or are not, what was looked for."""


def hits(text: str, found: Found, shown: Sequence[str]) -> SearchView:
    """The lines as `shown`, what was looked for marked in each."""
    marked = [
        (line, tuple(_parts(each, text))) for line, each in zip(found.lines, shown, strict=True)
    ]
    return SearchView(text, found, marked)


def _parts(line: str, text: str) -> Iterator[tuple[str, bool]]:
    low, wanted = line.lower(), text.lower()
    # A letter that is longer in lower case would shift all places behind it.
    if len(low) != len(line) or not wanted:
        yield line, False
        return
    start = 0
    while (place := low.find(wanted, start)) >= 0:
        yield line[start:place], False
        yield line[place : place + len(wanted)], True
        start = place + len(wanted)
    yield line[start:], False
