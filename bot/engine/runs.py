"""The deployments that run in this process, each watched to its end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from bot.domain.deployment import Outcome, State
from bot.domain.reasons import Code, Reason, StoppedError
from bot.engine.run import Checkpoint, Run, RunCancelledError
from bot.store.deployments import Deployments

LOG = logging.getLogger(__name__)

Workflow: TypeAlias = Callable[[Run], Awaitable[None]]

STOP_SECONDS = 5.0
"""How long a stop waits for steps that must not be cut, and again for their clean-up."""


class Runs:
    """Runs the workflow; however that ends, the deployment is finished when it has ended.

    `unsettled` has those whose end could not be written, with the reason; `stranded` those
    of which the queue could not be told that they ended, so that they still hold their target.
    """

    def __init__(
        self, deployments: Deployments, workflow: Workflow, checkpoint: Checkpoint
    ) -> None:
        self.unsettled: dict[str, Reason] = {}
        self.stranded: set[str] = set()
        self._deployments = deployments
        self._workflow = workflow
        self._checkpoint = checkpoint
        self._stopping = asyncio.Event()
        self._is_closed = False
        self._taken: dict[str, int] = {}
        self._runs: dict[str, Run] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._change = asyncio.Event()

    @property
    def ids(self) -> tuple[str, ...]:
        """Those that run now."""
        return tuple(self._runs)

    @property
    def taken(self) -> frozenset[str]:
        """Those that the queue gave us and that have not ended."""
        return frozenset(self._taken)

    @property
    def change(self) -> asyncio.Event:
        """Set when the next run ends. Take it before looking at what may have changed."""
        return self._change

    def changed(self) -> None:
        """Wake everyone who waits for a change."""
        self._change.set()
        self._change = asyncio.Event()

    def cancel(self, deployment_id: str, by: str) -> None:
        """Interrupt it where it runs here."""
        if run := self._runs.get(deployment_id):
            run.request_cancel(by)

    async def take_up(self, deployment_id: str) -> None:
        """Run a deployment that the queue gave us, on the task that calls."""
        task = asyncio.current_task()
        if task:
            self._tasks.add(task)
            task.add_done_callback(partial(self._ended, deployment_id))
        self._taken[deployment_id] = self._taken.get(deployment_id, 0) + 1
        if self._stopping.is_set() or self._is_closed:
            raise asyncio.CancelledError
        try:
            await self._run(deployment_id)
        except StoppedError as stopped:
            if self._stopping.is_set():
                # Interrupted all the same: whoever takes it up next writes its end.
                raise asyncio.CancelledError from stopped
            # The database fails. Housekeeping writes the end when it works again.
            LOG.error("deployment %s: %s", deployment_id, stopped)  # noqa: TRY400 - expected
            self.unsettled.setdefault(deployment_id, stopped.reason)
        finally:
            self._runs.pop(deployment_id, None)
            self.changed()

    async def settle(self, deployment_id: str, reason: Reason) -> bool:
        """Finish what did not finish itself; False where it did."""
        cancelled = reason.code is Code.CANCELLED
        outcome = Outcome.CANCELLED if cancelled else Outcome.FAILED
        notes: tuple[str, ...] = ()
        if await self._deployments.load(deployment_id, "preparation") is not None:
            notes = (_PERHAPS_UPDATED,)
        return await self._deployments.finish(deployment_id, outcome, reason, notes=notes)

    async def all_ended(self) -> None:
        """Begin no other, and wait until nothing runs here.

        What the queue still gives meanwhile is left as it is: housekeeping gives it back.
        """
        self._is_closed = True
        while self._tasks:
            await asyncio.wait(self._tasks)

    def go_on(self) -> None:
        """Run again what the queue gives, after a stop."""
        self._stopping = asyncio.Event()

    async def stop(self) -> None:
        """Interrupt all; none is settled, so the next start takes them up."""
        self._stopping.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
        for deployment_id in self._runs:
            LOG.error("deployment %s does not stop and is left behind", deployment_id)

    def _ended(self, deployment_id: str, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        self._taken[deployment_id] -= 1
        if not self._taken[deployment_id]:
            del self._taken[deployment_id]
        # Nothing of ours raises: it is the queue that could not write that the run ended.
        if not task.cancelled() and task.exception():
            self.stranded.add(deployment_id)

    async def _run(self, deployment_id: str) -> None:
        deployment = await self._deployments.get(deployment_id)
        if deployment is None or not await self._deployments.begin(deployment_id):
            # Cancelled while it waited: its place in the line is all that was left of it.
            return
        resumed = deployment.state is State.RUNNING
        begun = replace(deployment, state=State.RUNNING)
        run = Run(begun, self._checkpoint, self._stopping, resumed=resumed)
        self._runs[deployment_id] = run
        LOG.info("deployment %s %s", deployment_id, "goes on" if resumed else "begins")
        reason = await self._why_it_ended(run)
        try:
            unfinished = await self.settle(deployment_id, reason)
        except StoppedError:
            if not self._stopping.is_set():
                self.unsettled[deployment_id] = reason
            raise
        LOG.info("deployment %s has ended", deployment_id)
        if unfinished:
            LOG.error("deployment %s did not finish itself: %s", deployment_id, reason.fact)

    async def _why_it_ended(self, run: Run) -> Reason:
        """Run the workflow; the reason that counts where it has not finished the deployment."""
        try:
            await self._workflow(run)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._stopping.is_set() or (task and task.cancelling()):
                raise
            return _internal_error("the workflow cancelled itself")
        except RunCancelledError as cancelled:
            return cancelled.reason
        except StoppedError as stopped:
            return stopped.reason
        except Exception as error:
            LOG.exception("deployment %s: the workflow failed", run.deployment.id)
            return _internal_error(f"{type(error).__name__} in the workflow")
        return _internal_error("the workflow ended without an outcome")


_PERHAPS_UPDATED = (
    "Its update may be in place and was not put back: compare the pipelines with what "
    "`pachops show ID --json` has under preparation."
)


def _internal_error(fact: str) -> Reason:
    return StoppedError(Code.INTERNAL_ERROR, fact).reason
