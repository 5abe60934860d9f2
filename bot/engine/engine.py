"""The engine: deployments in, each run once through its workflow, in order for each target."""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from bot.domain.deployment import Actor, Deployment, State
from bot.domain.reasons import Code, StoppedError
from bot.engine.claim import Claim
from bot.engine.heartbeat import Heartbeat
from bot.engine.housekeeping import INTERVAL_SECONDS, Housekeeping
from bot.engine.run import Attempt, stopped_for
from bot.engine.runs import Runs, Workflow
from bot.engine.workers import beat, leave, living, new_worker_id, who_stays
from bot.store.database import Database
from bot.store.deployments import CancelResult, Deployments, insert
from bot.store.errors import explained
from bot.store.names import Named
from bot.store.renaming import rename
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
    its last one. `max_running` is how many deployments run here at a time; with 0 this process
    only submits, cancels and waits, and others that share its database run them. `stays` says that
    others may leave deployments to this process. `poll` is how
    often the queue is looked at, in seconds: half of it is what a start waits. An engine is
    started once.
    """

    def __init__(
        self,
        database: Database,
        workflow: Workflow,
        *,
        max_running: int = 200,
        stays: bool = True,
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
        self._worker = None if database.path else new_worker_id(stays=stays)
        self._claim: Claim | None = None
        self._durable: Durable | None = None
        self._background: list[asyncio.Task[None]] = []

    async def others(self) -> frozenset[str]:
        """The other processes to which deployments of a shared database can be left now."""
        if self._database.path:
            return frozenset()
        return who_stays(await self._database.write(living)) - {self._worker or ""}

    def leave_to_others(self) -> None:
        """Run nothing here. Only before the start."""
        self._max_running = 0

    async def start(self) -> None:
        """Take the database, take up what was interrupted, and begin with what waits.

        Raises:
            StoppedError: DATABASE_IN_USE where another process runs deployments from it;
                DATABASE_UNUSABLE or DISK_FULL.
        """
        if not self._max_running:
            with explained(self._database.name):
                self._durable = await self._off_loop(lambda: self._prepare("nobody"))
            return
        worker = self._worker
        try:
            if self._database.path:
                self._claim = Claim(self._database.path)
            if worker:
                # Who is not seen to live is taken for dead, so this is first.
                await self._beat(worker)
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
        self._background.append(asyncio.create_task(housekeeping.go_on()))
        if worker:
            heartbeat = Heartbeat(
                partial(self._beat, worker), let_go=self._let_go, rejoin=self._rejoin
            )
            self._background.append(asyncio.create_task(heartbeat.go_on()))

    async def forget_runs(self, before: float) -> int:
        """Delete the queue's notes of runs that ended before then (seconds since the epoch)."""
        durable, count = self._started(), 0
        while done := await self._off_loop(lambda: durable.forget(before)):
            count += done
        return count

    async def drain(self, patience: float) -> None:
        """Take nothing up any more, and wait so many seconds for what runs here to end."""
        if self._durable is None:
            return
        self._durable.limit = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._runs.all_ended()

    async def stop(self) -> None:
        """Stop within seconds: what runs is interrupted, and taken up elsewhere or next time."""
        if self._durable:
            self._durable.limit = 0
        await self._runs.stop()
        for task in self._background:
            task.cancel()
        if self._background:
            # Until here it has said that it lives: nothing is taken over while it still ends.
            await asyncio.wait(self._background)
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
        """Whether it is started and takes deployments up, or in where others run them."""
        return self._durable is not None and (not self._max_running or bool(self._background))

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

    async def rename(self, before: Named, after: Named, by: Actor, *, once: str) -> None:
        """What is kept of a repository goes on under its new name, its lines too, all or nothing."""
        durable = self._started()

        def write(connection: sa.Connection) -> None:
            if rename(connection, before, after, by, time.time(), once=once):
                durable.rename(connection, before.address, after.address)

        await self._database.write(write)

    async def cancel(
        self, deployment_id: str, by: Actor | str, *, how: str = "", once: str | None = None
    ) -> CancelResult:
        """Ask it to stop: at once where it waits, where it can where it runs.

        Its target is held until its clean-up is done. `how` says by what, where that was no command;
        `once` as in the audit.
        """
        result = await self._deployments.request_cancel(deployment_id, by, how=how, once=once)
        if result is CancelResult.RUNNING:
            self._runs.cancel(deployment_id, by if isinstance(by, str) else by.acting(how))
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
        if await self.others():
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

    async def _beat(self, worker: str) -> None:
        await self._database.write(lambda connection: beat(connection, worker))

    async def _let_go(self) -> None:
        """Interrupt what runs: somebody else takes it over soon."""
        self._started().limit = 0
        await self._runs.stop()

    async def _rejoin(self) -> None:
        """Go on; what nobody has taken over meanwhile goes back into its line."""
        durable = self._started()
        for deployment_id in await self._off_loop(durable.claimed) - self._runs.taken:
            await self._off_loop(partial(durable.give_back, deployment_id))
        self._runs.go_on()
        durable.limit = self._max_running

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
