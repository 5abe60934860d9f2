"""A worker's heartbeat: it says that it lives, and lets go in time when it cannot say so."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from bot.domain.reasons import StoppedError
from bot.engine.workers import DEAD_AFTER_SECONDS

LOG = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0
LET_GO_AFTER_SECONDS = DEAD_AFTER_SECONDS - 7.0
"""Silence after which a worker interrupts what it runs: before others take it over."""


class Heartbeat:
    """Beats every second.

    Whoever cannot reach the database does not know whether it is taken for dead already. So
    `let_go` is called in time, and `rejoin` once the database answers again.
    """

    def __init__(
        self,
        beat: Callable[[], Awaitable[None]],
        *,
        let_go: Callable[[], Awaitable[None]],
        rejoin: Callable[[], Awaitable[None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._beat = beat
        self._let_go = let_go
        self._rejoin = rejoin
        self._clock = clock
        self._beaten_at = clock()
        self._has_let_go = False

    async def go_on(self) -> None:
        """Until it is cancelled."""
        # Two tasks: a beat may hang as long as the network does.
        async with asyncio.TaskGroup() as group:
            group.create_task(self._every_second(self.beat))
            group.create_task(self._every_second(self.watch))

    async def beat(self) -> None:
        """One beat."""
        began = self._clock()
        try:
            await self._beat()
        except StoppedError as stopped:
            LOG.warning("the worker could not say that it lives: %s", stopped)
            return
        self._beaten_at = began

    async def watch(self) -> None:
        """One look at how long ago the last beat was."""
        is_silent = self._clock() - self._beaten_at > LET_GO_AFTER_SECONDS
        if is_silent and not self._has_let_go:
            LOG.error("the database does not answer: what runs here is interrupted")
            self._has_let_go = True
            await self._let_go()
        elif self._has_let_go and not is_silent:
            await self._rejoin()
            self._has_let_go = False
            LOG.warning("the database answers again: deployments are taken up")

    async def _every_second(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except Exception:
                LOG.exception("the heartbeat failed and goes on")
            await asyncio.sleep(INTERVAL_SECONDS)
