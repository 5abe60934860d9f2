"""GitHub's time: real, moved on by hand, and never the same second for two acts."""

import time
from datetime import UTC, datetime


class Clock:
    """Seconds since the epoch."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._last = 0

    def now(self) -> float:
        """For tokens and limits."""
        return max(time.time() + self._offset, float(self._last))

    def tick(self) -> datetime:
        """The time of an act."""
        self._last = max(int(self.now()), self._last + 1)
        return datetime.fromtimestamp(self._last, UTC)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._offset += seconds


def written(time: datetime) -> str:
    """As GitHub writes a time."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
