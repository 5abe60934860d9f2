"""What every report of a running deployment can do, and which one fits a stream."""

import os
from typing import Protocol, TextIO

from bot.domain.progress import Progress
from handlers.reports.json_lines import JsonLines
from handlers.reports.plain import PlainLines
from handlers.reports.stream import Output
from handlers.reports.terminal import LiveTerminal


class Reporter(Protocol):
    """Shows a deployment while it runs; never raises because of where it writes."""

    def show(self, at: float, event: Progress) -> None:
        """Take the next event; `at` in seconds since the epoch."""

    def close(self) -> None:
        """Nothing more will come; leave the stream as it should stay."""


def reporter_for(out: TextIO | None, *, json: bool) -> Reporter:
    """The report for a stream: JSON if asked for, live on a terminal, plain lines elsewhere.

    None is a stream that is closed.
    """
    if json:
        return JsonLines(out)
    if out and Output(out).isatty() and os.environ.get("TERM", "dumb") not in {"dumb", "unknown"}:
        return LiveTerminal(out)
    return PlainLines(out)
