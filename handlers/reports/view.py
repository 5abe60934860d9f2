"""A deployment at one moment, as every kind of report is made from it."""

from dataclasses import dataclass, field

from bot.domain.deployment import Deployment, Outcome, Stage
from bot.domain.progress import Finished
from handlers.reports import words
from handlers.reports.board import Board

FAILURES = frozenset({Outcome.FAILED, Outcome.ROLLED_BACK, Outcome.REFUSED})
"""Ends that nobody wished for: whoever asked is told."""


@dataclass(frozen=True)
class View:
    """What was asked, what was heard since, and where people see more."""

    deployment: Deployment
    board: Board = field(default_factory=Board)
    page: str | None = None
    """The URL of its own page."""
    word: str = "/pachops"
    """What commands begin with where the report is read."""

    @property
    def end(self) -> Finished | None:
        """How it ended; None until then."""
        return self.board.finished

    @property
    def outcome(self) -> Outcome | None:
        """As `end`."""
        return self.end.outcome if self.end else None

    @property
    def waits(self) -> bool:
        """Whether it has not begun."""
        return self.end is None and not self.board.stages

    @property
    def in_line(self) -> str:
        """Who was before it when it was asked for, to go behind the headline."""
        found = self.board.in_line
        return f": {words.in_line(found)}" if found else ""

    @property
    def stage(self) -> Stage | None:
        """Where it went wrong, or where it is."""
        if self.end is not None:
            return self.board.failed_stage
        running = self.board.running
        return running.stage if running else None

    @property
    def asks_for_approval(self) -> bool:
        """Whether it waits for other people now."""
        return self.end is None and self.stage is Stage.APPROVE and self.board.approval is not None

    @property
    def seconds(self) -> float | None:
        """How long it ran, once it has ended; None where it never began."""
        board = self.board
        if not board.stages or board.started_at is None or board.finished_at is None:
            return None
        return board.finished_at - board.started_at

    @property
    def is_failure(self) -> bool:
        """Whether whoever asked has to be told."""
        return self.outcome in FAILURES

    @property
    def is_success(self) -> bool:
        """Whether all went well."""
        return self.outcome is Outcome.SUCCEEDED

    @property
    def sha(self) -> str:
        """The commit that the report is about."""
        return self.deployment.request.commit.sha
