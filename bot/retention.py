"""Retention: what nobody needs any more is removed, once an hour."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial

from bot.app import Bot
from bot.domain.plan import CONTENT_LABEL
from bot.domain.reasons import StoppedError
from bot.stages.go_back import STANDS
from bot.store.retention import OldRows

LOG = logging.getLogger(__name__)

FIRST_AFTER_SECONDS = 120.0
"""The start has better things to do."""
INTERVAL_SECONDS = 3600.0


class Cleaner:
    """Keeps the database, the data folder and the engines of one process in bounds.

    On a shared database every process does it; deleting what is gone is harmless.
    """

    def __init__(self, bot: Bot, *, clock: Callable[[], float] = time.time) -> None:
        self._bot = bot
        self._clock = clock
        self._rows = OldRows(bot.database, standing=STANDS)

    async def run(self) -> None:
        """Until it is cancelled."""
        await asyncio.sleep(FIRST_AFTER_SECONDS)
        while True:
            await self.once()
            await asyncio.sleep(INTERVAL_SECONDS)

    async def once(self) -> None:
        """One round; what fails does not keep the rest from being done."""
        for what, work in self._works():
            try:
                count = await work()
            except StoppedError as stopped:
                LOG.warning("old %s were not removed: %s", what, stopped)
            except Exception:
                LOG.exception("old %s were not removed", what)
            else:
                if count:
                    LOG.info("removed old %s: %d", what, count)

    def _works(self) -> Sequence[tuple[str, Callable[[], Awaitable[int]]]]:
        kept, now = self._bot.settings.retention, self._clock()
        return (
            ("logs", lambda: self._rows.forget_logs(now - kept.logs)),
            (
                "deployments",
                lambda: self._rows.forget_deployments(now - kept.deployments, keep=kept.rollbacks),
            ),
            ("deliveries", lambda: self._rows.forget_deliveries(now - kept.deliveries)),
            ("runs", lambda: self._bot.engine.forget_runs(now - kept.runs)),
            ("mirrors", lambda: self._bot.git.forget_unused(now - kept.mirrors)),
            *self._engine_works(),
        )

    def _engine_works(self) -> Iterator[tuple[str, Callable[[], Awaitable[int]]]]:
        """Only of engines that were needed: to look for the others is no reason to start one."""
        kept, now = self._bot.settings.retention, self._clock()
        for engine in self._bot.connected_engines:
            yield (
                f"images on {engine.address}",
                partial(engine.forget_images, CONTENT_LABEL, now - kept.images),
            )
            yield f"bytes of cache on {engine.address}", partial(engine.forget_cache, kept.cache)
