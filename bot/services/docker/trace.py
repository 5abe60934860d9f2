"""What BuildKit tells of a build -> steps, log lines and warnings."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from bot.domain.deployment import Stage
from bot.domain.progress import Log, Progress, Step, StepState, Warned
from bot.services.docker.lines import Lines, Mask, clean
from bot.services.docker.messages import StatusResponse, Timestamp, Vertex, VertexLog

_STEP = re.compile(r"\[(?:(?P<stage>\S+) +)?\d+/\d+\] (?P<text>.*)", re.DOTALL)
_UNNAMED_STAGE = re.compile(r"stage-\d+")
_CANCELLED = "context canceled"


@dataclass(frozen=True)
class FailedStep:
    """The step at which a build failed."""

    text: str
    error: str
    last_lines: tuple[str, ...] = ()
    number: int | None = None
    """None for what is not a step of the Dockerfile."""
    total: int = 0


@dataclass
class _Vertex:
    text: str
    counted: bool
    number: int | None = None
    started: Timestamp | None = None
    spent: float = 0.0
    last: Step | None = None
    lines: dict[int, Lines] = field(default_factory=dict)
    last_lines: list[str] = field(default_factory=list)


class Trace:
    """Follows one build.

    A step's number is its place in the order in which steps began; it stays the step's own. The
    total is the number of steps known so far.
    """

    def __init__(self, image: str, report: Callable[[Progress], None], mask: Mask) -> None:
        self.failed: FailedStep | None = None
        self._image = image
        self._report = report
        self._mask = mask
        self._hide = mask.hide
        self._vertices: dict[str, _Vertex] = {}
        self._begun = 0

    def feed(self, status: StatusResponse) -> None:
        """Report what is new."""
        for vertex in status.vertexes:
            self._known(vertex)
        for log in status.logs:
            self._log(log)
        for vertex in status.vertexes:
            self._step(vertex)
        for warning in status.warnings:
            text = self._hide(clean(warning.short.decode(errors="replace")))
            self._report(Warned(f"Dockerfile of {self._image}: {text}"))

    def end(self) -> None:
        """Report the lines that never ended."""
        for vertex in self._vertices.values():
            self._end_lines(vertex)

    def _known(self, vertex: Vertex) -> None:
        if vertex.digest in self._vertices:
            return
        match = _STEP.fullmatch(vertex.name)
        text = vertex.name if match is None else match["text"]
        if match and match["stage"] and not _UNNAMED_STAGE.fullmatch(match["stage"]):
            text = f"[{match['stage']}] {text}"
        self._vertices[vertex.digest] = _Vertex(
            self._hide(clean(" ".join(text.splitlines()))), match is not None
        )

    def _log(self, log: VertexLog) -> None:
        vertex = self._vertices.get(log.vertex)
        if vertex is not None:
            lines = vertex.lines.setdefault(log.stream, Lines(self._mask))
            self._report_lines(vertex, lines.feed(log.msg))

    def _step(self, message: Vertex) -> None:
        vertex = self._vertices[message.digest]
        if message.error and not vertex.last_lines:
            self._end_lines(vertex)
        if message.completed:
            self._end_lines(vertex)
        if vertex.counted:
            self._count(vertex, message)
        if message.error and _CANCELLED not in message.error and self.failed is None:
            self.failed = FailedStep(
                vertex.text,
                self._hide(clean(message.error)),
                tuple(vertex.last_lines),
                vertex.number,
                self._total,
            )

    def _count(self, vertex: _Vertex, message: Vertex) -> None:
        if not message.started:
            return
        if vertex.number is None:
            self._begun += 1
            vertex.number = self._begun
        if not message.completed:
            self._report_step(vertex, StepState.RUNNING)
            return
        # BuildKit may begin a step again after it was complete, to fetch what it turned out to need.
        if vertex.started != message.started:
            vertex.started = message.started
            vertex.spent += message.completed.since(message.started)
        state = StepState.CACHED if message.cached else StepState.DONE
        self._report_step(vertex, StepState.FAILED if message.error else state)

    def _report_step(self, vertex: _Vertex, state: StepState) -> None:
        step = Step(
            self._image,
            vertex.number or 0,
            self._total,
            vertex.text,
            state,
            0.0 if state is StepState.RUNNING else round(vertex.spent, 3),
        )
        if step != vertex.last:
            vertex.last = step
            self._report(step)

    @property
    def _total(self) -> int:
        return sum(vertex.counted for vertex in self._vertices.values())

    def _end_lines(self, vertex: _Vertex) -> None:
        for lines in vertex.lines.values():
            self._report_lines(vertex, lines.end())

    def _report_lines(self, vertex: _Vertex, lines: Iterable[str]) -> None:
        for line in lines:
            vertex.last_lines = [*vertex.last_lines[-9:], line]
            self._report(Log(Stage.BUILD, self._image, line))
