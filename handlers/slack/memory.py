"""What GitHub or Slack said, remembered for a while."""

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


class Memory(Generic[Key, Answer]):
    """Answers, each good for so many seconds."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._noted: dict[Key, tuple[Answer, float]] = {}

    def said(self, key: Key) -> Answer | None:
        """The answer; None where that is to be asked for."""
        answer, until = self._noted.get(key, (None, 0.0))
        return answer if until > self._clock() else None

    def note(self, key: Key, answer: Answer) -> None:
        """Remember an answer, and forget those that are too old."""
        now = self._clock()
        self._noted.pop(key, None)
        self._noted[key] = answer, now + self._seconds
        # All are good for as long, so the first to be noted are the first to be too old.
        while (oldest := next(iter(self._noted))) != key and self._noted[oldest][1] <= now:
            del self._noted[oldest]
