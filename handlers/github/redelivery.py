"""Deliveries that did not reach us, asked for again."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from bot.domain.reasons import StoppedError
from bot.store.deliveries import Deliveries

LOG = logging.getLogger(__name__)

INTERVAL_SECONDS = 180.0
LONGEST_OUTAGE = timedelta(days=3)
"""How far back the first look goes: GitHub delivers again what is not older."""
OVERLAP = timedelta(minutes=15)
"""How far each further look goes back behind the last one: an attempt may be listed late, and
what was asked for again may have failed again."""


class Missed(Protocol):
    """A delivery of which no attempt arrived."""

    @property
    def id(self) -> int:
        """Of its last attempt."""

    @property
    def guid(self) -> str:
        """The same in every attempt."""


class Source(Protocol):
    """Who remembers what was delivered."""

    async def failed_deliveries(self, since: datetime) -> Sequence[Missed]:
        """Those since then of which no attempt arrived."""

    async def redeliver(self, delivery: int) -> None:
        """Ask for one more attempt."""


class Redelivery:
    """Looks for missed deliveries at once and then every few minutes."""

    def __init__(
        self,
        source: Source,
        deliveries: Deliveries,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._source = source
        self._deliveries = deliveries
        self._now = now
        self._sleep = sleep
        self._since = now() - LONGEST_OUTAGE

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
                await self._deliveries.forget_old(time.time())
            except StoppedError as stopped:
                LOG.warning("missed webhooks could not be asked for: %s", stopped)
            await self._sleep(INTERVAL_SECONDS)

    async def look(self) -> int:
        """Ask for what was missed since the last look; how many. Each once, also where one fails."""
        now = self._now()
        missed = {each.guid: each for each in await self._source.failed_deliveries(self._since)}
        asked = 0
        problem: StoppedError | None = None
        for each in missed.values():
            if await self._deliveries.state(each.guid) is not None:
                # It came, and only our answer was lost.
                continue
            try:
                await self._source.redeliver(each.id)
                asked += 1
            except StoppedError as stopped:
                problem = stopped
        if asked:
            LOG.info("%d missed webhooks are asked for again", asked)
        if problem is not None:
            # The next look begins where this one did.
            raise problem
        self._since = now - OVERLAP
        return asked
