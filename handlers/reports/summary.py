"""The end of a deployment in a few lines, for a terminal and for plain output."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.padding import Padding
from rich.text import Text

from bot.domain.deployment import BuiltImage, Outcome, UpdatedPipeline
from bot.domain.progress import Finished
from bot.domain.reasons import Reason
from handlers.reports import words
from handlers.reports.board import Board
from handlers.reports.text import lines, one_line
from handlers.reports.words import Marks

COLOURS = {
    Outcome.SUCCEEDED: "green",
    Outcome.FAILED: "red",
    Outcome.CANCELLED: "yellow",
    Outcome.REFUSED: "yellow",
    Outcome.ROLLED_BACK: "red",
    Outcome.SUPERSEDED: "yellow",
}
HEADING = "bold"
QUIET = "dim"
INDENT = 2


@dataclass(frozen=True)
class Line:
    """A line of text with its indentation, which wrapped parts keep."""

    text: Text
    indent: int = 0

    @property
    def plain(self) -> str:
        """Without style or wrapping."""
        return (" " * self.indent + self.text.plain).rstrip()

    @property
    def rich(self) -> Padding:
        """For a console."""
        return Padding(self.text, (0, 0, 0, self.indent), expand=False)


def mark_of(outcome: Outcome, marks: Marks) -> str:
    """The sign of an outcome."""
    if outcome is Outcome.SUCCEEDED:
        return marks.succeeded
    return marks.failed if outcome in {Outcome.FAILED, Outcome.ROLLED_BACK} else marks.stopped


def summary(board: Board, end: Finished, marks: Marks) -> Iterator[Line]:
    """What happened, why, and where to look; the verdict stands below the log's end."""
    if end.outcome is not Outcome.SUCCEEDED:
        yield from _log(board, marks)
    yield _verdict(board, end, marks)
    yield from _durations(board)
    if end.reason is not None:
        yield from reason_lines(end.reason)
    yield from image_lines(end.images)
    yield from pipeline_lines(end.pipelines, marks)
    yield from text_lines(words.NOTES, end.notes)
    if end.deployment is not None:
        yield Line(
            Text(words.look(one_line(end.deployment), log=board.failed_log is not None), QUIET)
        )


def reason_lines(reason: Reason) -> Iterator[Line]:
    """Why it stopped and what to do."""
    yield Line(Text(one_line(reason.title), HEADING), INDENT)
    if reason.where:
        yield Line(Text(one_line(reason.where), "cyan"), INDENT)
    for line in lines(reason.fact):
        yield Line(Text(line), INDENT)
    yield Line(Text(words.next_step(one_line(reason.next_step))), INDENT)


def image_lines(images: Iterable[BuiltImage]) -> Iterator[Line]:
    """The images as they are in the registry."""
    for number, image in enumerate(images):
        if number == 0:
            yield Line(Text(words.IMAGES, HEADING))
        text = Text().append(one_line(image.name), "cyan")
        text.append(f"  {words.made(image)}  ")
        text.append(words.digest(one_line(image.digest)), QUIET)
        yield Line(text, INDENT)
        # On a line of its own it can be copied whole.
        yield Line(Text(one_line(f"{image.repository}:{image.tag}")), 2 * INDENT)


def pipeline_lines(pipelines: Iterable[UpdatedPipeline], marks: Marks) -> Iterator[Line]:
    """The pipelines and their versions."""
    for number, pipeline in enumerate(pipelines):
        if number == 0:
            yield Line(Text(words.PIPELINES, HEADING))
        text = Text().append(one_line(f"{pipeline.project}/{pipeline.name}"), "cyan")
        text.append(f"  {words.versions(pipeline, marks)}")
        yield Line(text, INDENT)


def text_lines(heading: str, texts: Iterable[str]) -> Iterator[Line]:
    """Sentences under a heading; nothing where there are none."""
    for number, text in enumerate(texts):
        if number == 0:
            yield Line(Text(heading, HEADING))
        yield Line(Text(one_line(text)), INDENT)


def log_lines(log: Iterable[str], marks: Marks) -> Iterator[Line]:
    """Lines of output, set off from our own words."""
    for text in log:
        yield Line(Text(f"{marks.log} {one_line(text)}", QUIET), INDENT)


def _log(board: Board, marks: Marks) -> Iterator[Line]:
    found, stage = board.failed_log, board.failed_stage
    if found is None or stage is None:
        return
    subject, tail = found
    yield Line(Text(words.last_lines(one_line(subject), stage), HEADING))
    yield from log_lines(tail, marks)


def _verdict(board: Board, end: Finished, marks: Marks) -> Line:
    colour = COLOURS[end.outcome]
    text = Text().append(f"{mark_of(end.outcome, marks)} ", f"bold {colour}")
    only_planned = end.outcome is Outcome.SUCCEEDED and end.deployment is None
    said = words.PLANNED if only_planned else words.verdict(end.outcome, board.failed_stage)
    text.append(said, f"bold {colour}")
    if board.accepted is not None:
        place = words.target(board.accepted.repository, board.accepted.environment, marks)
        text.append(f"  {one_line(place)}")
    if end.sha:
        text.append(f"  {words.short_sha(one_line(end.sha))}", "cyan")
    if board.stages and board.started_at is not None and board.finished_at is not None:
        text.append(f"  {words.took(end.outcome, board.finished_at - board.started_at)}", QUIET)
    return Line(text)


def _durations(board: Board) -> Iterator[Line]:
    ended = [line for line in board.stages.values() if line.ended is not None]
    if ended:
        parts = (f"{words.STAGES[line.stage]} {words.duration(line.seconds)}" for line in ended)
        yield Line(Text(", ".join(parts), QUIET), INDENT)
