"""What a server has turned out to be without: for some minutes, then it is looked for again."""

from math import inf

from bot.services.clock import Clock

MINUTES = 5
"""A server may be replaced by a newer one, and one answer may be wrong."""


class Lack:
    """One thing that it may lack."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = -inf

    @property
    def is_known(self) -> bool:
        """Whether it was noted a moment ago."""
        return self._clock.now() < self._until

    def note(self) -> None:
        """It was looked for, and is not there."""
        self._until = self._clock.now() + MINUTES * 60
