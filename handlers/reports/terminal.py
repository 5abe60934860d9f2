"""A deployment on a terminal: a live picture while it runs, a summary that stays."""

import time
from collections.abc import Callable, Iterable
from typing import IO, TextIO, cast

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from bot.domain.progress import (
    ApprovalNeeded,
    Finished,
    InLine,
    Planned,
    Progress,
    Resumed,
    Supersedes,
    Voted,
    Warned,
)
from handlers.reports import words
from handlers.reports.board import Board
from handlers.reports.picture import Picture
from handlers.reports.stream import Output
from handlers.reports.summary import HEADING, Line, summary
from handlers.reports.text import one_line

_PICTURES_A_SECOND = 8


class LiveTerminal:
    """Draws the stages in place; plan and warnings stay above, the summary below."""

    def __init__(
        self,
        out: TextIO,
        *,
        clock: Callable[[], float] = time.time,
        console: Console | None = None,
    ) -> None:
        output = Output(out)
        self._marks = output.marks
        self._clock = clock
        self._board = Board()
        self._console = console or Console(
            file=cast(IO[str], output), markup=False, emoji=False, highlight=False
        )
        # Redirecting would replace the process's own stdout and stderr.
        self._live = Live(
            get_renderable=self._picture,
            console=self._console,
            refresh_per_second=_PICTURES_A_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def show(self, at: float, event: Progress) -> None:
        """Take the event into the picture, which is drawn a few times a second."""
        # The board is never changed, only replaced: the drawing thread sees whole ones.
        self._board = self._board.after(at, event)
        if isinstance(event, Finished):
            self._live.stop()
            self._print(summary(self._board, event, self._marks))
            return
        self._print(_above(event))
        self._live.start()

    def close(self) -> None:
        """Give the terminal back; say so if the deployment goes on without this report."""
        self._live.stop()
        if self._board.finished is None and self._board.accepted is not None:
            self._console.print(self._picture())
            identity = one_line(self._board.accepted.deployment)
            self._print([Line(Text(words.UNFINISHED)), Line(Text(words.look(identity)))])

    def _picture(self) -> RenderableType:
        return Picture(self._board, self._clock(), self._marks)

    def _print(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._console.print(line.rich)


def _above(event: Progress) -> Iterable[Line]:
    """What stays above the picture."""
    if isinstance(event, Warned):
        yield Line(Text().append("! ", "bold yellow").append(one_line(event.text)))
    if isinstance(event, Resumed):
        yield Line(Text(f"{one_line(event.deployment)} {words.RESUMED}"))
    if isinstance(event, ApprovalNeeded):
        yield Line(Text(one_line(words.approval_needed(event)), HEADING))
        for text_line in event.changes:
            yield Line(Text(one_line(text_line)), 2)
    if isinstance(event, Voted):
        yield Line(Text(one_line(words.voted(event))))
    if isinstance(event, InLine):
        yield Line(Text(one_line(words.in_line(event))))
    if isinstance(event, Supersedes):
        yield Line(Text(one_line(words.supersedes(event))))
    if isinstance(event, Planned):
        yield Line(Text(words.PLAN, HEADING))
        for text_line in (*event.images, *event.pipelines):
            yield Line(Text(one_line(text_line)), 2)
