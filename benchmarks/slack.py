"""From an event to the message in Slack, with many deployments at once: part of `make bench`.

Slack's stand-in enforces the documented limits on a driven clock, so that minutes of waiting take
seconds; the bot's own work takes the time that it really takes.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.handlers.reports.slack.crowd import Crowd, crowd

DEPLOYMENTS, CHANNELS = 200, 5
MOST = 3.0
"""Seconds, for the deployment in view."""


def rows() -> list[str]:
    """Measure; a row for each target, as `make bench` prints them."""
    with tempfile.TemporaryDirectory() as folder:
        seen = asyncio.run(crowd(Path(folder), DEPLOYMENTS, CHANNELS, counts_work=True))
    return list(_rows(seen))


def _rows(seen: Crowd) -> list[str]:
    lag = seen.median_lag if seen.lags else float("inf")
    wrong = len(seen.broken) + len(seen.missing)
    return [
        _row("Slack: event to message", f"< {MOST:.0f} s", f"{lag:.2f} s", met=lag < MOST),
        _row("Slack: limits, lost ends", "0", str(wrong), met=wrong == 0),
        _row("Slack: all ends shown", "", f"{seen.last:.0f} s", met=True),
    ]


def _row(name: str, target: str, measured: str, *, met: bool) -> str:
    verdict = "ok" if met else "MISS"
    return f"{name:<26}{target:<12}{measured:>10}{'':>12}{'':>8}  {verdict}"


def main() -> int:
    """`python -m benchmarks.slack`: these rows alone."""
    for row in rows():
        print(row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
