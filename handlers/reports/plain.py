"""A deployment as plain lines, for a log or a pipe: one line for each thing that happens."""

from functools import singledispatch
from typing import TextIO

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
from handlers.reports.board import Board
from handlers.reports.stream import Output
from handlers.reports.summary import summary
from handlers.reports.text import one_line
from handlers.reports.words import Marks


class PlainLines:
    """Lines that begin with the stage and the image, to be read or searched; no time stamps."""

    def __init__(self, out: TextIO | None) -> None:
        self._out = Output(out)
        self._board = Board()
        self._written: dict[object, str] = {}

    def show(self, at: float, event: Progress) -> None:
        """Write what the event adds; the whole summary after the last one."""
        self._board = self._board.after(at, event)
        if isinstance(event, Finished):
            lines = [line.plain for line in summary(self._board, event, self._out.marks)]
        else:
            lines = [one_line(line) for line in _lines(event, self._out.marks)]
        if self._is_news(event, lines):
            self._out.write("".join(f"{line}\n" for line in lines))
            self._out.flush()

    def close(self) -> None:
        """Every line was handed over when it was written."""
        self._out.flush()

    def _is_news(self, event: Progress, lines: list[str]) -> bool:
        """Whether a thing that is looked at again and again has changed."""
        if isinstance(event, Transfer):
            key: object = ("transfer", event.image)
        elif isinstance(event, PipelineSeen):
            key = ("pipeline", event.project, event.name)
        else:
            return True
        said = "\n".join(lines)
        is_news = self._written.get(key) != said
        self._written[key] = said
        return is_news


@singledispatch
def _lines(_event: object, _marks: Marks) -> list[str]:
    return []


@_lines.register
def _(event: Accepted, marks: Marks) -> list[str]:
    place = words.target(event.repository, event.environment, marks)
    commit = f"{words.short_sha(event.sha)} ({event.ref})".lstrip()
    return [f"deployment {event.deployment} {place} {commit}"]


@_lines.register
def _(event: Resumed, _marks: Marks) -> list[str]:
    return [f"deployment {event.deployment} {words.RESUMED}"]


@_lines.register
def _(event: StageStarted, _marks: Marks) -> list[str]:
    return [f"{words.STAGES[event.stage]} started"]


@_lines.register
def _(event: StageFinished, _marks: Marks) -> list[str]:
    took = "" if event.ended is Ended.SKIPPED else f" in {words.duration(event.seconds)}"
    detail = f": {event.detail}" if event.detail else ""
    return [f"{words.STAGES[event.stage]} {event.ended.value}{took}{detail}"]


@_lines.register
def _(event: Step, _marks: Marks) -> list[str]:
    took = f" in {words.duration(event.seconds)}" if event.state is StepState.DONE else ""
    place = f"build {event.image} {event.number}/{event.total}"
    return [f"{place} {event.state.value}{took}: {event.text}"]


@_lines.register
def _(event: Tested, _marks: Marks) -> list[str]:
    return [
        f"test {event.image} {words.tested(event.exit_code)} in {words.duration(event.seconds)}"
    ]


@_lines.register
def _(event: Transfer, _marks: Marks) -> list[str]:
    # Quarters: a pipe does not need every megabyte.
    quarter = event.sent * 4 // event.total * event.total // 4 if event.total > 0 else 0
    if quarter <= 0:
        return [f"push {event.image} started"]
    return [f"push {event.image} {words.transferred(Transfer(event.image, quarter, event.total))}"]


@_lines.register
def _(event: Log, _marks: Marks) -> list[str]:
    return [f"{words.STAGES[event.stage]} {event.subject} | {one_line(event.text)}"]


@_lines.register
def _(event: Warned, _marks: Marks) -> list[str]:
    return [f"warning: {event.text}"]


@_lines.register
def _(event: Planned, _marks: Marks) -> list[str]:
    return [
        *(f"plan image {line}" for line in event.images),
        *(f"plan pipeline {line}" for line in event.pipelines),
    ]


@_lines.register
def _(event: ApprovalNeeded, _marks: Marks) -> list[str]:
    return [words.approval_needed(event), *(f"approve {line}" for line in event.changes)]


@_lines.register
def _(event: Voted, _marks: Marks) -> list[str]:
    return [f"approve {words.voted(event)}"]


@_lines.register
def _(event: InLine, _marks: Marks) -> list[str]:
    return [words.in_line(event)]


@_lines.register
def _(event: Supersedes, _marks: Marks) -> list[str]:
    return [words.supersedes(event)]


@_lines.register
def _(event: PipelineSeen, _marks: Marks) -> list[str]:
    evidence = f": {event.evidence}" if event.evidence else ""
    place = f"verify {event.project}/{event.name}"
    return [f"{place} version {event.version} {event.state.lower()}{evidence}"]
