"""A deployment's run, as its workflow sees it: steps that happen once, and cancelling."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from bot.domain.deployment import Deployment
from bot.domain.progress_json import reason_from_json, reason_to_json
from bot.domain.reasons import Code, Reason, StoppedError
from bot.store.values import decode, encode

LOG = logging.getLogger(__name__)

CLEAN_UP_SECONDS = 60.0
"""How long interrupted work may take to clean up before it is left behind."""

Work: TypeAlias = Callable[[], Awaitable[object]]
"""What a step does; it answers with what JSON can say."""

Attempt: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]
Checkpoint: TypeAlias = Callable[[str, Attempt], Awaitable[Any]]
"""Runs the attempt under this name and keeps its answer, or gives the answer it kept."""


class RunCancelledError(StoppedError):
    """A person cancelled the deployment; raised by the step that noticed."""

    def __init__(self, by: str) -> None:
        super().__init__(Code.CANCELLED, f"{by} cancelled it")
        self.by = by


class Run:
    """One deployment's run in this process.

    `resumed` says that another run of it was interrupted before: its steps that had ended
    are not done again.
    """

    def __init__(
        self,
        deployment: Deployment,
        checkpoint: Checkpoint,
        stopping: asyncio.Event,
        *,
        resumed: bool,
    ) -> None:
        self.deployment = deployment
        self.resumed = resumed
        self._checkpoint = checkpoint
        self._stopping = stopping
        self._cancelled = asyncio.Event()
        self._cancelled_by = deployment.cancel_requested_by
        if self._cancelled_by:
            self._cancelled.set()

    def request_cancel(self, by: str) -> None:
        """Interrupt the step that runs, if it is cancellable, and each one after it."""
        self._cancelled_by = self._cancelled_by or by
        self._cancelled.set()

    async def step(self, name: str, work: Work, *, cancellable: bool = True) -> Any:  # noqa: ANN401 - JSON
        """What `work` answers, as JSON gives it back; kept, so a restart does not do it again.

        Steps are called in the same order in every run of a deployment. Work that is
        interrupted in the middle is done again after the restart, so it looks at the world
        before it acts. Its own clean-up is awaited when it is cancelled.

        Raises:
            RunCancelledError: the step is cancellable and somebody asked to cancel.
            StoppedError: as `work` raised it; INTERNAL_ERROR for every other exception.
        """

        # A failure is an answer too: kept as a value, it is the same after a restart.
        async def attempt() -> dict[str, Any]:
            try:
                return {
                    "value": decode(encode(await self._supervise(work, cancellable=cancellable)))
                }
            except RunCancelledError as cancelled:
                return {"cancelled": cancelled.by}
            except StoppedError as stopped:
                return {"stopped": reason_to_json(stopped.reason)}
            except Exception as error:
                LOG.exception("deployment %s: step %s failed", self.deployment.id, name)
                fact = f"{type(error).__name__} in {name}"
                return {"stopped": reason_to_json(StoppedError(Code.INTERNAL_ERROR, fact).reason)}

        answer = await self._checkpoint(name, attempt)
        if "cancelled" in answer:
            raise RunCancelledError(answer["cancelled"])
        if "stopped" in answer:
            raise stopped_for(reason_from_json(answer["stopped"]))
        return answer["value"]

    async def _supervise(self, work: Work, *, cancellable: bool) -> object:
        self._interrupt(cancellable=cancellable)
        task = asyncio.ensure_future(work())
        # What must not be cut is not cut by a stop either, until the engine's patience ends.
        signals = [self._cancelled, self._stopping] if cancellable else []
        waits = [asyncio.ensure_future(signal.wait()) for signal in signals]
        try:
            await asyncio.wait({task, *waits}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                await self._end(task)
                self._interrupt(cancellable=cancellable)
            return _answer(task)
        finally:
            for wait in waits:
                wait.cancel()
            if not task.done():
                await self._end(task)

    def _interrupt(self, *, cancellable: bool) -> None:
        if self._stopping.is_set():
            # Nothing is kept of a step that ends so: it is done again after the restart.
            raise asyncio.CancelledError
        if cancellable and self._cancelled_by:
            raise RunCancelledError(self._cancelled_by)

    async def _end(self, task: "asyncio.Future[object]") -> None:
        task.cancel()
        await asyncio.wait({task}, timeout=CLEAN_UP_SECONDS)
        if not task.done():
            LOG.error("deployment %s: interrupted work does not end", self.deployment.id)
        elif not task.cancelled() and task.exception():
            LOG.warning(
                "deployment %s: cleaning up failed", self.deployment.id, exc_info=task.exception()
            )


def _answer(task: "asyncio.Future[object]") -> object:
    if task.cancelled():
        # Not ours: work that cancels itself would otherwise look like an engine that stops.
        raise StoppedError(Code.INTERNAL_ERROR, "the work cancelled itself")
    return task.result()


def stopped_for(reason: Reason, *also: Reason) -> StoppedError:
    """The error that has this reason, and others beside it."""
    where, next_step = reason.where, reason.next_step
    stopped = StoppedError(reason.code, reason.fact, where=where, next_step=next_step)
    stopped.also = also
    return stopped
