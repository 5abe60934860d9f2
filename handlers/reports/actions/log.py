"""A deployment in a workflow's log: plain lines in folds, and remarks on the lines at fault."""

from collections.abc import Iterable
from typing import TextIO

from pydantic import SecretStr

from bot.domain.deployment import Outcome
from bot.domain.progress import Finished, Progress, StageFinished, StageStarted, Warned
from bot.domain.reasons import Reason
from handlers.reports.actions import words
from handlers.reports.actions.commands import WorkflowCommands, command
from handlers.reports.board import Board
from handlers.reports.github.check import annotations
from handlers.reports.github.safe import Safe
from handlers.reports.plain import PlainLines
from handlers.reports.stream import Output
from handlers.reports.text import lines, one_line
from handlers.reports.words import STAGES

_FAULTS = frozenset({Outcome.FAILED, Outcome.REFUSED, Outcome.ROLLED_BACK})


class ActionsLog:
    """Writes for the runner; `board` is all that was heard."""

    def __init__(self, out: TextIO | None, safe: Safe) -> None:
        self._out = Output(out)
        self._commands = WorkflowCommands(self._out)
        self.board = Board()
        self.safe = safe
        self._lines = PlainLines(out)
        self._folds = False
        self._commands.stop()

    def mask(self, hidden: Iterable[SecretStr]) -> None:
        """Have the runner mask these in every log of the job."""
        self._commands.mask(hidden)

    def show(self, at: float, event: Progress) -> None:
        """Write the event; a stage is a fold, a warning and the reason of the end are remarks."""
        self.board = self.board.after(at, event)
        if isinstance(event, StageStarted):
            self._fold(words.group(STAGES[event.stage]))
        if isinstance(event, Finished):
            self._unfold()
        self._lines.show(at, event)
        if isinstance(event, StageFinished):
            self._unfold()
        elif isinstance(event, Warned):
            self.warn(event.text)
        elif isinstance(event, Finished) and event.reason is not None:
            self._tell(event.outcome, event.reason)

    def warn(self, text: str) -> None:
        """Something that a person should know, on the run's page."""
        self._commands.annotate(self.safe.line(text, _LONGEST), "warning")

    def note(self, text: str) -> None:
        """Something that a person may want to know, likewise."""
        self._commands.annotate(self.safe.line(text, _LONGEST), "notice")

    def quote(self, heading: str, quoted: Iterable[str]) -> None:
        """Lines of somebody else, in a fold."""
        self._fold(heading)
        for line in quoted:
            self._out.write(f"{self.safe.clean(one_line(line))}\n")
        self._unfold()

    def close(self) -> None:
        """Later steps have their commands again."""
        self._lines.close()
        self._commands.resume()

    def _tell(self, outcome: Outcome, reason: Reason) -> None:
        level = "error" if outcome in _FAULTS else "warning"
        found = annotations(reason, self.safe)
        for each in found:
            self._commands.annotate(each, level)
        if not found:
            text = "\n".join(self.safe.line(each, _LONGEST) for each in _text(reason))
            title = self.safe.line(words.verdict(outcome, reason.title))
            self._commands.annotate(text, level, title)

    def _fold(self, heading: str) -> None:
        self._unfold()
        self._commands.say(command("group", heading))
        self._folds = True

    def _unfold(self) -> None:
        if self._folds:
            self._commands.say(command("endgroup", ""))
            self._folds = False


_LONGEST = 1000
_MOST_FACTS = 10


def _text(reason: Reason) -> list[str]:
    where = [reason.where] if reason.where else []
    return [*where, *lines(reason.fact)[:_MOST_FACTS], reason.next_step]
