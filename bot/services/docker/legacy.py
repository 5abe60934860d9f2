"""What the legacy builder prints -> steps and log lines."""

import re
import time
from collections.abc import Callable

from bot.domain.deployment import Stage
from bot.domain.progress import Log, Progress, Step, StepState, Warned
from bot.services.docker.lines import NO_MASK, Lines, Mask
from bot.services.docker.trace import FailedStep

_STEP = re.compile(r"Step (\d+)/(\d+) : (.*)")
_CACHED = " ---> Using cache"
_NOISE = re.compile(
    r" ---> |Removing intermediate container |Successfully (built|tagged) |Sending build context "
)
_WARNING = "[Warning] "


class LegacyOutput:
    """Follows one build."""

    def __init__(
        self, image: str, report: Callable[[Progress], None], mask: Mask = NO_MASK
    ) -> None:
        self._image = image
        self._report = report
        self._lines = Lines(mask)
        self._step: Step | None = None
        self._began = 0.0
        self._cached = False
        self._last_lines: list[str] = []

    def feed(self, text: str) -> None:
        """Report what is new; `text` is one message of the builder."""
        own = _STEP.match(text) or _NOISE.match(text)
        # The builder's own words would otherwise go on where a step's output did not end its line.
        for line in (*(self._lines.end() if own else ()), *self._lines.feed(text.encode())):
            self._line(line)

    def end(self, error: str | None) -> FailedStep | None:
        """Report how the last step ended; where the build failed, the step that it failed at."""
        for line in self._lines.end():
            self._line(line)
        step = self._step
        if error is None or step is None:
            self._end_step(StepState.DONE)
            return None
        self._end_step(StepState.FAILED)
        return FailedStep(step.text, error, tuple(self._last_lines), step.number, step.total)

    def _line(self, line: str) -> None:
        if match := _STEP.fullmatch(line):
            self._end_step(StepState.DONE)
            number, total, text = match.groups()
            self._begin(Step(self._image, int(number), int(total), text, StepState.RUNNING))
        elif line == _CACHED:
            self._cached = True
        elif line.startswith(_WARNING):
            self._report(Warned(f"Dockerfile of {self._image}: {line.removeprefix(_WARNING)}"))
        elif line and not _NOISE.match(line):
            self._last_lines = [*self._last_lines[-9:], line]
            self._report(Log(Stage.BUILD, self._image, line))

    def _begin(self, step: Step) -> None:
        self._step = step
        self._began = time.monotonic()
        self._cached = False
        self._last_lines = []
        self._report(step)

    def _end_step(self, state: StepState) -> None:
        step, self._step = self._step, None
        if step is None:
            return
        if self._cached and state is StepState.DONE:
            state = StepState.CACHED
        seconds = round(time.monotonic() - self._began, 3)
        self._report(Step(step.image, step.number, step.total, step.text, state, seconds))
