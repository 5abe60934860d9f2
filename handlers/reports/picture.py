"""The live picture of a deployment: stages, what runs in them, and the end of its log."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from bot.domain.deployment import Stage
from bot.domain.progress import Ended, PipelineSeen, StepState
from handlers.reports import words
from handlers.reports.board import Board, BuildLine, StageLine
from handlers.reports.text import one_line
from handlers.reports.words import Marks

_LOG_LINES = 6
_NAME_WIDTH = 9
_WIDEST_NAME = 24
_ONLY_IF_NEEDED = {Stage.APPROVE, Stage.ROLL_BACK}
_CHILD = "    "


@dataclass(frozen=True)
class _Row:
    """One line: text that may be cut, and a time at its right end."""

    text: Text
    right: str = ""

    def fit(self, width: int, marks: Marks) -> Text:
        room = max(width - len(self.right) - 2, 8) if self.right else width
        text = self.text.copy()
        if text.cell_len > room:
            text.truncate(max(room - len(marks.ellipsis), 1), overflow="crop")
            text.append(marks.ellipsis)
        if self.right:
            text.append(" " * max(width - text.cell_len - len(self.right), 1))
            text.append(self.right, "dim")
        text.no_wrap = True
        text.overflow = "crop"
        return text


@dataclass(frozen=True)
class Picture:
    """The board at one moment, never higher or wider than the terminal."""

    board: Board
    now: float
    marks: Marks

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        height = max(console.size.height - 1, 4)
        for row in self._rows(height):
            yield row.fit(width, self.marks)

    def _rows(self, height: int) -> list[_Row]:
        header = [self._header()]
        begun = [self._stage(line) for line in self.board.stages.values()]
        pending = [
            _Row(Text(f"{self.marks.waiting} {words.STAGES[stage]}", "dim"))
            for stage in self._pending()
        ]
        children = list(self._children())
        log = list(self._log())
        room = height - len(header) - len(begun)
        if room < 1:
            # A terminal of a few lines: only what runs.
            begun, room = begun[-1:], height - len(header) - 1
        shown_log = log[-max(min(_LOG_LINES, room - len(children)), 2) :] if log else []
        children = self._cut(children, room - len(shown_log))
        room -= len(children) + len(shown_log)
        pending = pending if room >= len(pending) else []
        return [*header, *begun, *children, *shown_log, *pending][:height]

    def _pending(self) -> list[Stage]:
        """The stages that can still come; one that was passed over is not among them."""
        order = list(Stage)
        last = max((order.index(stage) for stage in self.board.stages), default=-1)
        return [stage for stage in order[last + 1 :] if stage not in _ONLY_IF_NEEDED]

    def _cut(self, rows: list[_Row], room: int) -> list[_Row]:
        if len(rows) <= max(room, 1):
            return rows
        kept = max(room - 1, 0)
        hidden = Text(_CHILD + words.hidden(len(rows) - kept, ""), "dim")
        return [*rows[:kept], _Row(hidden)]

    def _header(self) -> _Row:
        accepted = self.board.accepted
        if accepted is None:
            return _Row(Text("pachops", "bold"))
        # The SHA first: it must not be cut on a narrow terminal.
        text = Text().append(words.short_sha(one_line(accepted.sha)), "bold cyan")
        place = words.target(accepted.repository, accepted.environment, self.marks)
        text.append(f"  {one_line(place)}", "bold")
        text.append(f"  {one_line(accepted.ref)}", "dim")
        if not self.board.stages:
            text.append(f"  {words.WAITS}", "yellow")
        return _Row(text, self._since(self.board.started_at))

    def _stage(self, line: StageLine) -> _Row:
        mark, style = self._mark(line.ended)
        text = Text().append(f"{mark} ", style)
        text.append(words.STAGES[line.stage].ljust(_NAME_WIDTH), "bold" if not line.ended else "")
        if line.detail:
            text.append(f" {one_line(line.detail)}", "dim")
        if line.ended is None:
            return _Row(text, self._since(line.started_at))
        return _Row(text, words.duration(line.seconds))

    def _mark(self, ended: Ended | None) -> tuple[str, str]:
        return {
            None: (self.marks.running, "cyan"),
            Ended.SUCCEEDED: (self.marks.succeeded, "green"),
            Ended.FAILED: (self.marks.failed, "red"),
            Ended.CANCELLED: (self.marks.stopped, "yellow"),
            Ended.SKIPPED: (self.marks.skipped, "dim"),
        }[ended]

    def _children(self) -> Iterator[_Row]:
        running = self.board.running
        if running is None:
            return
        if running.stage is Stage.BUILD:
            # What runs first: it must be seen where not all fit.
            builds = sorted(self.board.builds.items(), key=lambda item: item[1].is_done)
            yield from (self._build(name, build) for name, build in builds)
        if running.stage is Stage.TEST:
            for name, test in self.board.tests.items():
                text = self._child(name, self.board.tests)
                text.append(words.tested(test.exit_code), "red" if test.exit_code else "green")
                yield _Row(text, words.duration(test.seconds))
        if running.stage is Stage.PUSH:
            for name, transfer in self.board.transfers.items():
                text = self._child(name, self.board.transfers)
                text.append(words.transferred(transfer))
                yield _Row(text)
        if running.stage in {Stage.VERIFY, Stage.ROLL_BACK}:
            yield from (self._pipeline(seen) for seen in self.board.pipelines.values())

    def _child(self, name: str, beside: Iterable[str]) -> Text:
        """The beginning of a child's row, as wide as that of those beside it."""
        width = min(max(cell_len(one_line(each)) for each in beside), _WIDEST_NAME)
        shown = one_line(name)
        text = Text(_CHILD)
        text.append(shown + " " * max(width - cell_len(shown), 0) + "  ", "cyan")
        return text

    def _build(self, name: str, build: BuildLine) -> _Row:
        step, text = build.step, self._child(name, self.board.builds)
        text.append(f"{step.number}/{step.total}  ", "bold")
        if build.is_done:
            cached = f" ({build.cached} {words.CACHED})" if build.cached else ""
            text.append(f"{words.DONE}{cached}", "green")
            return _Row(text)
        text.append(one_line(step.text), "red" if step.state is StepState.FAILED else "")
        if step.state is StepState.RUNNING:
            return _Row(text, self._since(build.started_at))
        return _Row(text, step.state.value)

    def _pipeline(self, seen: PipelineSeen) -> _Row:
        names = ["/".join(key) for key in self.board.pipelines]
        text = self._child(f"{seen.project}/{seen.name}", names)
        text.append(f"v{seen.version} ", "bold")
        text.append(one_line(seen.state.lower()))
        if seen.evidence:
            text.append(f"  {self.marks.succeeded} {one_line(seen.evidence)}", "green")
        return _Row(text)

    def _log(self) -> Iterator[_Row]:
        running = self.board.running
        if running is None:
            return
        recent = [log for log in self.board.recent if log.stage is running.stage]
        is_mixed = len({log.subject for log in recent}) > 1
        for log in recent[-_LOG_LINES:]:
            subject = f"{one_line(log.subject)}: " if is_mixed else ""
            yield _Row(Text(f"{_CHILD}{self.marks.log} {subject}{one_line(log.text)}", "dim"))

    def _since(self, start: float | None) -> str:
        return "" if start is None else words.duration(max(self.now - start, 0.0))
