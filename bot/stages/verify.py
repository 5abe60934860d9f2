"""Verify: watch the updated pipelines until they are seen to work, or not."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.domain.deployment import UpdatedPipeline
from bot.domain.progress import PipelineSeen, Progress
from bot.domain.reasons import Code, StoppedError
from bot.domain.verdict import Fails, JobSeen, Sight, Verdict, Works, judge
from bot.services.pachyderm import Pachyderm
from bot.services.together import together


@dataclass(frozen=True)
class Watch:
    """How long and how often to look; all in seconds."""

    timeout: float
    window: float
    interval: float = 1.0
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def pause(self, elapsed: float) -> float:
        """Seconds until the next look: often at first, when a pipeline comes up in no time."""
        return min(self.interval, max(self.interval / 8, elapsed / 2))


async def verify(
    pipelines: Sequence[UpdatedPipeline],
    pachyderm: Pachyderm,
    watch: Watch,
    report: Callable[[Progress], None],
) -> tuple[str, ...]:
    """Watch all of them at once; a line for each that says what was seen."""
    return tuple(
        await together(_verify_one(pipeline, pachyderm, watch, report) for pipeline in pipelines)
    )


async def _verify_one(
    pipeline: UpdatedPipeline,
    pachyderm: Pachyderm,
    watch: Watch,
    report: Callable[[Progress], None],
) -> str:
    name = f"{pipeline.project}/{pipeline.name}"
    start = changed = watch.now()
    in_error = False
    said: PipelineSeen | None = None
    while True:
        now = watch.now()
        try:
            sight = await _look(pipeline, pachyderm)
        except StoppedError as error:
            # A pachd that restarts says nothing about the pipelines.
            if error.reason.code is not Code.PACHD_UNREACHABLE or now - start >= watch.timeout:
                raise
            await watch.sleep(watch.pause(now - start))
            continue
        if sight.in_error != in_error:
            in_error, changed = sight.in_error, now
        verdict = judge(name, pipeline.to_version, sight, quiet=now - changed, window=watch.window)
        seen = _seen(pipeline, sight, verdict)
        if seen != said:
            report(said := seen)
        if isinstance(verdict, Works):
            return f"{name} is at version {pipeline.to_version}: {verdict.evidence}."
        if isinstance(verdict, Fails):
            raise StoppedError(
                verdict.reason.code,
                verdict.reason.fact,
                where=verdict.reason.where,
                next_step=verdict.reason.next_step,
            )
        if now - start >= watch.timeout:
            raise StoppedError(
                Code.VERIFY_TIMED_OUT,
                f"after {watch.timeout:.0f} s it is {sight.state or 'not there'}: {verdict.why}",
                where=f"pipeline {name}",
            )
        await watch.sleep(watch.pause(now - start))


async def _look(pipeline: UpdatedPipeline, pachyderm: Pachyderm) -> Sight:
    live = await pachyderm.inspect(pipeline.project, pipeline.name)
    if live is None:
        return Sight(version=None)
    jobs = await pachyderm.jobs(pipeline.project, pipeline.name, version=pipeline.to_version)
    return Sight(
        version=live.version,
        in_error=live.in_error,
        state=live.state,
        reason=live.reason or live.recent_error,
        stopped=live.stopped,
        autoscaling=live.autoscaling,
        workers_available=live.workers_available,
        jobs=tuple(
            JobSeen(
                job.id,
                failed=job.state == "failure",
                succeeded=job.state == "success",
                data_processed=job.data_processed,
                reason=job.reason,
            )
            for job in jobs
        ),
    )


def _seen(pipeline: UpdatedPipeline, sight: Sight, verdict: Verdict) -> PipelineSeen:
    return PipelineSeen(
        pipeline.project,
        pipeline.name,
        sight.version or 0,
        sight.state,
        verdict.evidence if isinstance(verdict, Works) else "",
    )
