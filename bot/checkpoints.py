"""Stages as checkpoints: run once, told while they run, found again after a restart."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import TypeAdapter

from bot.domain.deployment import Stage
from bot.domain.progress import Ended, Progress, StageFinished, StageStarted
from bot.domain.reasons import Code, StoppedError
from bot.engine.run import Run
from bot.redact import Redactor
from bot.store.deployments import Deployments

Result = TypeVar("Result")


class Checkpoints:
    """The steps of one deployment's run."""

    def __init__(
        self,
        run: Run,
        deployments: Deployments,
        redactor: Redactor,
        report: Callable[[Progress], None],
    ) -> None:
        self._run = run
        self._redactor = redactor
        self._deployments = deployments
        self._report = report

    async def stage(
        self,
        stage: Stage,
        kind: type[Result],
        work: Callable[[], Awaitable[Result]],
        limit: float | None,
        *,
        detail: Callable[[Result], str],
        cancellable: bool = True,
    ) -> Result:
        """Run a stage once: a restart finds its result and does not run it again."""

        async def told() -> Result:
            await self._deployments.enter(self._run.deployment.id, stage)
            self._report(StageStarted(stage))
            start = time.monotonic()
            ended, said = Ended.FAILED, ""
            try:
                result = await in_time(work(), limit, stage)
                ended, said = Ended.SUCCEEDED, detail(result)
            except asyncio.CancelledError:
                ended = Ended.CANCELLED
                raise
            except StoppedError as error:
                said = error.reason.title
                raise
            finally:
                self._report(StageFinished(stage, ended, time.monotonic() - start, said))
            return result

        return await self.keep(stage.value, kind, told, cancellable=cancellable)

    async def keep(
        self,
        name: str,
        kind: type[Result],
        work: Callable[[], Awaitable[Result]],
        *,
        cancellable: bool = True,
    ) -> Result:
        """What `work` gives, stored under this name; a restart finds it."""
        adapter: TypeAdapter[Result] = TypeAdapter(kind)

        async def stored() -> object:
            try:
                return adapter.dump_python(await work(), mode="json")
            except StoppedError as error:
                # A reason quotes what came from outside, and from here on it is stored.
                raise _masked(error, self._redactor) from error

        return adapter.validate_python(await self._run.step(name, stored, cancellable=cancellable))


def _masked(error: StoppedError, redactor: Redactor) -> StoppedError:
    reason = error.reason
    where = redactor.clean(reason.where) if reason.where else None
    return StoppedError(
        reason.code, redactor.clean(reason.fact), where=where, next_step=reason.next_step
    )


async def in_time(work: Awaitable[Result], limit: float | None, stage: Stage) -> Result:
    """What it gives within so many seconds. Errors: STAGE_TIMED_OUT."""
    try:
        async with asyncio.timeout(limit) as clock:
            return await work
    except TimeoutError:
        if not clock.expired():
            raise
        raise StoppedError(
            Code.STAGE_TIMED_OUT, f"{stage} was stopped after {limit:.0f} s"
        ) from None
