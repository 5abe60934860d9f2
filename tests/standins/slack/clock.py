"""Slack's time: real, or driven by a test."""

import time
from collections.abc import Callable


class Clock:
    """Seconds since the epoch; `now` is real time where a test gives no other."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._offset = 0.0
        self._last = 0

    def now(self) -> float:
        """For limits and everything that expires."""
        return self._now() + self._offset

    def stamp(self) -> str:
        """A message's `ts`: unique, and in the order in which it was asked for."""
        self._last = max(int(self.now() * 1_000_000), self._last + 1)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._offset += seconds
