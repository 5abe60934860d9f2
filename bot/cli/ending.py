"""How a command ends: a reason for people, and its exit status."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from bot.cli.output import console
from bot.domain.deployment import Outcome
from bot.domain.progress import Finished
from bot.domain.reasons import Kind, StoppedError
from handlers.reports.stream import standard_error
from handlers.reports.summary import reason_lines

STATUS = {Kind.USAGE: 2, Kind.REFUSED: 3, Kind.FAILED: 1, Kind.CANCELLED: 130}


@contextmanager
def explained() -> Iterator[None]:
    """A reason for people and its exit status instead of a traceback."""
    try:
        yield
    except StoppedError as error:
        for line in reason_lines(error.reason):
            console(standard_error()).print(line.rich)
        raise typer.Exit(STATUS[error.reason.kind]) from error


def exit_status(ended: Finished) -> int:
    """Of a deployment that ended so."""
    if ended.outcome is Outcome.SUCCEEDED:
        return 0
    if ended.outcome is Outcome.CANCELLED:
        return STATUS[Kind.CANCELLED]
    if ended.outcome in {Outcome.REFUSED, Outcome.SUPERSEDED} and ended.reason is not None:
        return STATUS[ended.reason.kind]
    return STATUS[Kind.FAILED]
