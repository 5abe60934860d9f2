"""The engine: deployments in, each run once through its workflow, in order for each target."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from bot.domain.deployment import Deployment, State
from bot.domain.reasons import Code, StoppedError
from bot.engine.claim import Claim
from bot.engine.housekeeping import INTERVAL_SECONDS, Housekeeping
from bot.engine.run import Attempt, stopped_for
from bot.engine.runs import Runs, Workflow
from bot.engine.workers import beat, leave, living, new_worker_id
from bot.store.database import Database
from bot.store.deployments import CancelResult, Deployments, insert
from bot.store.errors import explained
from bot.store.values import JSON

if TYPE_CHECKING:
    from bot.engine.durable import Durable

T = TypeVar("T")
_NO_FACTS: Mapping[str, JSON] = MappingProxyType({})

_SOLE_EXECUTOR = "pachops"
"""On SQLite the claim leaves one engine, and the next one takes up what the last one ran."""


class Engine:
    """Runs the deployments of one database; `workflow` is what is done for each of them.

    The workflow runs its steps in the same order every time and finishes the deployment in
    its last one. `poll` is how often the queue is looked at, in seconds: half of it is what
    a start waits. An engine is started once.
    """

    def __init__(
        self,
        database: Database,
        workflow: Workflow,
        *,
        max_running: int = 200,
        poll: float = 0.1,
    ) -> None:
        self._database = database
        self._max_running = max_running
        self._poll = poll
        self._deployments = Deployments(database)
        self._runs = Runs(self._deployments, workflow, self._checkpoint)
        # The loop's own threads are DBOS's while it runs, and go with it.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="pachops-engine")
        # On a database of its own, the claim keeps others out; else this name tells them apart.
        self._worker = None if database.path else new_worker_id()
        self._claim: Claim | None = None
        self._durable: Durable | None = None
        self._housekeeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take the database, take up what was interrupted, and begin with what waits.

        Raises:
            StoppedError: DATABASE_IN_USE where another process runs deployments from it;
                DATABASE_UNUSABLE or DISK_FULL.
        """
        worker = self._worker
        try:
            if self._database.path:
                self._claim = Claim(self._database.path)
            if worker:
                # Who is not seen to live is taken for dead, so this is first.
                await self._database.write(lambda connection: beat(connection, worker))
            with explained(self._database.name):
                durable = await self._off_loop(lambda: self._prepare(worker or _SOLE_EXECUTOR))
                self._durable = durable
                durable.launch(self._runs.take_up)
            housekeeping = Housekeeping(
                self._database, durable, self._runs, self._threads, worker=worker
            )
            await housekeeping.once()
        except BaseException:
            await self.stop()
            raise
        self._housekeeping = asyncio.create_task(housekeeping.go_on())

    async def stop(self) -> None:
        """Stop within seconds: what runs is interrupted and taken up at the next start."""
        if self._housekeeping:
            self._housekeeping.cancel()
            await asyncio.wait({self._housekeeping})
        await self._runs.stop()
        if self._durable:
            await self._off_loop(self._durable.destroy)
            self._durable = None
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
            # Those that the queue gave us while it stopped.
            await self._runs.stop()
            await self._say_goodbye()
        self._threads.shutdown(wait=False)
        if self._claim:
            self._claim.release()
            self._claim = None

    @property
    def is_running(self) -> bool:
        """Whether it takes deployments up."""
        return self._durable is not None and self._housekeeping is not None

    async def submit(self, deployment: Deployment, facts: Mapping[str, JSON] = _NO_FACTS) -> None:
        """Write it and its facts down and put it in its target's line, all or nothing.

        Once for each id.
        """
        durable = self._started()

        def write(connection: sa.Connection) -> None:
            number = insert(connection, deployment, facts)
            if number is not None:
                durable.enqueue(connection, deployment, number)

        await self._database.write(write)

    async def cancel(self, deployment_id: str, by: str) -> CancelResult:
        """Ask it to stop: at once where it waits, where it can where it runs.

        Its target is held until its clean-up is done.
        """
        result = await self._deployments.request_cancel(deployment_id, by)
        if result is CancelResult.RUNNING:
            self._runs.cancel(deployment_id, by)
        self._runs.changed()
        return result

    async def wait(self, deployment_id: str) -> Deployment:
        """The deployment, once it is finished.

        Raises:
            StoppedError: DEPLOYMENT_UNKNOWN; or why its end cannot be written down.
        """
        while True:
            change = self._runs.change
            deployment = await self._deployments.get(deployment_id)
            if deployment is None:
                raise StoppedError(Code.DEPLOYMENT_UNKNOWN, "it was never submitted")
            if deployment.state is State.FINISHED:
                return deployment
            if reason := self._runs.unsettled.get(deployment_id):
                raise stopped_for(reason)
            await _at_most_a_second(change)

    async def left(self) -> tuple[str, ...]:
        """Those that this engine is to finish: all, or its own where others share the database."""
        worker = self._worker
        if worker and await self._database.write(living) - {worker}:
            return self._runs.ids
        return await self._deployments.unfinished()

    async def idle(self) -> None:
        """Until nothing is left for this engine."""
        while True:
            change = self._runs.change
            if not self._runs.ids and not await self.left():
                return
            await _at_most_a_second(change)

    async def _checkpoint(self, name: str, attempt: Attempt) -> Any:  # noqa: ANN401 - JSON
        with explained(self._database.name):
            return await self._started().checkpoint(name, attempt)

    async def _say_goodbye(self) -> None:
        worker = self._worker
        if not worker:
            return
        # Without it, the others take over half a minute later.
        with suppress(StoppedError):
            await self._database.write(lambda connection: leave(connection, worker))

    def _started(self) -> "Durable":
        if self._durable is None:
            msg = "the engine is not started"
            raise RuntimeError(msg)
        return self._durable

    def _prepare(self, executor: str) -> "Durable":
        from bot.engine.durable import Durable  # noqa: PLC0415 - 2 s and 70 MB, for those who run

        return Durable(self._database.url, executor, max_running=self._max_running, poll=self._poll)

    async def _off_loop(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


async def _at_most_a_second(change: asyncio.Event) -> None:
    # Other processes finish deployments too, and do not tell.
    try:
        async with asyncio.timeout(INTERVAL_SECONDS):
            await change.wait()
    except TimeoutError:
        return
