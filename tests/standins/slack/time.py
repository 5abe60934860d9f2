"""Time that only passes while somebody waits, and then at once."""

import asyncio
import time

from bot.services.clock import Clock


class Time:
    """Seconds since the epoch, for a client and for the stand-in alike."""

    def __init__(self) -> None:
        # What the database notes by itself is of about this time too, also late in a long run.
        self._now = time.time()
        self.slept: list[float] = []

    def now(self) -> float:
        """The same for all."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wake up at once, so much later."""
        self.slept.append(seconds)
        self._now += seconds
        await asyncio.sleep(0)

    def passes(self, seconds: float) -> None:
        """Nobody waits, and yet it is later."""
        self._now += seconds

    @property
    def clock(self) -> Clock:
        """For a client."""
        return Clock(self.now, self.sleep)
