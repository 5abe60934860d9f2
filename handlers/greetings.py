"""What has to wait for its turn is shown to have come."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping

from bot.domain.reasons import StoppedError
from bot.store.deliveries import Deliveries, Delivery, Surface

LOG = logging.getLogger(__name__)

Greet = Callable[[Delivery], Awaitable[bool]]
"""Shows whoever a delivery is from that it is here; False where there is nothing to show."""

PATIENCE_SECONDS = 0.2
"""What has its turn so soon needs none."""
MOST = 100
"""How many are under way; of a longer burst the rest have it when it is their turn."""
AT_ONCE = 4
"""Fewer than are called at once as one login: whose turn it is comes first."""
LONGEST_SECONDS = 10.0
"""For one, whose turn may wait for it."""


class Greetings:
    """At most one for each delivery, while it waits and before its first turn."""

    def __init__(
        self, deliveries: Deliveries, surface: Surface, greet: Mapping[str, Greet]
    ) -> None:
        self._deliveries = deliveries
        self._surface = surface
        self._greet = greet
        self._looked_to = 0
        self._tasks: dict[str, asyncio.Task[bool]] = {}
        self._shown_now: set[str] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def look(self, having_turn: Collection[str]) -> None:
        """Greet what came since the last look, less those whose turn it is."""
        room = MOST - len(self._tasks)
        if not self._greet or room <= 0:
            return
        news = await self._deliveries.not_begun(
            self._surface, tuple(self._greet), after=self._looked_to, most=room
        )
        for number, identity in news:
            self._looked_to = number
            if identity not in having_turn:
                self._tasks[identity] = asyncio.create_task(self._wait_and_greet(identity))

    async def take_turn(self, identity: str) -> bool:
        """Whether it was greeted; from now on it is not."""
        task = self._tasks.pop(identity, None)
        if task is None:
            return False
        if identity not in self._shown_now:
            task.cancel()
        await asyncio.wait({task})
        return not task.cancelled() and task.result()

    async def stop(self) -> None:
        """End what is under way; whose turn comes is shown then."""
        tasks = set(self._tasks.values())
        for each in tasks:
            each.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _wait_and_greet(self, identity: str) -> bool:
        await asyncio.sleep(PATIENCE_SECONDS)
        async with self._slots:
            self._shown_now.add(identity)
            try:
                async with asyncio.timeout(LONGEST_SECONDS):
                    delivery = await self._deliveries.find(identity)
                    if delivery is None:
                        # It has had its turn meanwhile, and has no other.
                        del self._tasks[identity]
                        return False
                    return await self._greet[delivery.event](delivery)
            except (StoppedError, TimeoutError) as error:
                LOG.info("delivery %s waits unseen: %r", identity, error)
                return False
            except Exception:
                LOG.exception("delivery %s waits unseen", identity)
                return False
            finally:
                self._shown_now.discard(identity)
