"""What the engine does every second: notice cancels, take over from the dead, settle the lost."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeVar

from bot.engine.life import Life, why_lost
from bot.engine.runs import Runs
from bot.engine.workers import living
from bot.store.database import Database
from bot.store.deployments import Deployments

T = TypeVar("T")
LOG = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0
FORGOTTEN_AFTER_ROUNDS = 5
"""How often a deployment that was given to us and does not run here is seen before it goes back."""
_AT_ONCE = 200
"""How many of those that wait are asked about in one round."""


class Queue(Protocol):
    """What is asked of the queue. Its calls block."""

    def lives(self, ids: Sequence[str]) -> dict[str, Life]:
        """What it knows of each."""

    def executors(self) -> set[str]:
        """Those that have deployments running, dead or alive."""

    def claimed(self) -> set[str]:
        """Those that it has given to this engine."""

    def give_back(self, deployment_id: str) -> None:
        """Put one of those back into its line."""

    def take_over(self, dead: set[str]) -> None:
        """Put what dead executors were running back into their lines."""

    def drop(self, deployment_id: str) -> None:
        """Let go of its target. Only for one that does not run."""


class Housekeeping:
    """Keeps the house of one engine; `worker` is None where it has the database to itself."""

    def __init__(
        self,
        database: Database,
        queue: Queue,
        runs: Runs,
        threads: ThreadPoolExecutor,
        *,
        worker: str | None,
    ) -> None:
        self._database = database
        self._deployments = Deployments(database)
        self._queue = queue
        self._runs = runs
        self._threads = threads
        self._worker = worker
        self._forgotten: dict[str, int] = {}
        self._asked_up_to = ""

    async def go_on(self) -> None:
        """Until it is cancelled."""
        failing = False
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            try:
                await self.once()
                failing = False
            except Exception:
                # Once for each time of trouble, not every second of it.
                if not failing:
                    LOG.exception("housekeeping failed and will be tried again")
                failing = True

    async def once(self) -> None:
        """One round."""
        if self._worker:
            await self._take_over(self._worker)
        await self._give_back()
        await self._pass_on_cancels()
        await self._settle()
        await self._settle_lost()

    async def _take_over(self, worker: str) -> None:
        # In this order: a worker beats before it runs anything, so one that begins in between
        # is not taken for dead.
        busy = await self._off_loop(self._queue.executors)
        dead = busy - await self._database.write(living) - {worker}
        if dead:
            LOG.warning("taking over from %s", ", ".join(sorted(dead)))
            await self._off_loop(lambda: self._queue.take_over(dead))

    async def _give_back(self) -> None:
        """Those that the queue gave us and failed to start: nobody else would ever run them."""
        claimed = await self._off_loop(self._queue.claimed)
        idle = claimed - self._runs.taken
        self._forgotten = {each: self._forgotten.get(each, 0) + 1 for each in idle}
        for each, rounds in self._forgotten.items():
            if rounds >= FORGOTTEN_AFTER_ROUNDS:
                LOG.warning("deployment %s was not started and goes back into its line", each)
                await self._off_loop(partial(self._queue.give_back, each))

    async def _pass_on_cancels(self) -> None:
        """Those that another process wrote down."""
        if not self._runs.ids:
            return
        for deployment_id, by in (await self._deployments.cancel_requests(self._runs.ids)).items():
            self._runs.cancel(deployment_id, by)

    async def _settle(self) -> None:
        """Write what could not be written when a run ended here."""
        for deployment_id, reason in tuple(self._runs.unsettled.items()):
            await self._runs.settle(deployment_id, reason)
            del self._runs.unsettled[deployment_id]
        for deployment_id in tuple(self._runs.stranded):
            await self._off_loop(partial(self._queue.drop, deployment_id))
            self._runs.stranded.discard(deployment_id)

    async def _settle_lost(self) -> None:
        """Finish what nobody will: nothing stays in progress for ever."""
        ids = self._some(set(await self._deployments.unfinished()) - set(self._runs.ids))
        if not ids:
            return
        lives = await self._off_loop(lambda: self._queue.lives(ids))
        for deployment_id, life in lives.items():
            reason = why_lost(life)
            if reason and await self._runs.settle(deployment_id, reason):
                LOG.error("deployment %s was lost: %s", deployment_id, reason.fact)
                self._runs.changed()

    def _some(self, ids: set[str]) -> list[str]:
        """The next ones: with thousands that wait, every round would cost as much as they do."""
        rest = sorted(each for each in ids if each > self._asked_up_to)[:_AT_ONCE]
        if not rest:
            rest = sorted(ids)[:_AT_ONCE]
        self._asked_up_to = rest[-1] if len(ids) > _AT_ONCE else ""
        return rest

    async def _off_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
