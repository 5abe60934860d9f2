"""Update: the specs with their images, in one Pachyderm transaction, or none of them."""

import json
from collections.abc import Awaitable, Callable, Sequence

from bot.domain.deployment import BuiltImage, UpdatedPipeline
from bot.domain.plan import Change, Destination, PipelinePlan, PipelineStep, Preparation
from bot.domain.reasons import Code, StoppedError
from bot.domain.spec import same
from bot.services.pachyderm import AnswerLostError, LivePipeline, Pachyderm, PipelineUpdate
from bot.services.together import together
from bot.stages.desired import desire


async def prepare(
    pipelines: Sequence[PipelinePlan],
    images: Sequence[BuiltImage],
    pachyderm: Pachyderm,
    destination: Destination,
    *,
    reprocess: bool,
) -> Preparation:
    """Look at each pipeline once more, now that the digests are known."""
    by_name = {image.name: f"{image.repository}:{image.tag}@{image.digest}" for image in images}
    prepared = await together(
        _prepare_one(pipeline, by_name.get(pipeline.image or ""), pachyderm, reprocess=reprocess)
        for pipeline in pipelines
    )
    return Preparation(
        destination,
        tuple(step for step, _ in prepared if step is not None),
        tuple(note for _, notes in prepared for note in notes),
    )


async def _prepare_one(
    pipeline: PipelinePlan, image: str | None, pachyderm: Pachyderm, *, reprocess: bool
) -> tuple[PipelineStep | None, list[str]]:
    name = f"{pipeline.project}/{pipeline.name}"
    again = reprocess or pipeline.reprocess
    live = await pachyderm.inspect(pipeline.project, pipeline.name)
    desired = await desire(pipeline.spec, image, live, pachyderm)
    if live is not None and desired.change is Change.NONE and not again:
        state = f" (it is {live.state}: {live.reason})" if live.in_error else ""
        return None, [f"{name} would not change and is left at version {live.version}{state}."]
    step = PipelineStep(
        pipeline.project,
        pipeline.name,
        live.version if live else None,
        live.user_spec if live else None,
        desired.spec_json,
        reprocess=again,
    )
    if live is None:
        return step, []
    notes = []
    if _is_of_others(live, pipeline):
        when = "while this was being built" if pipeline.undoes is None else "in the meantime"
        notes.append(
            f"{name}: somebody else made version {live.version} {when}; "
            "this deployment replaces it."
        )
    if not again and await pachyderm.has_processed(live.project, live.name):
        notes.append(
            f"{name}: data that was processed before is skipped and keeps its old results; "
            "deploy with --reprocess to compute it again."
        )
    return step, notes


def _is_of_others(live: LivePipeline, pipeline: PipelinePlan) -> bool:
    if pipeline.undoes is None:
        return live.version != pipeline.version
    return not same(json.loads(live.user_spec), json.loads(pipeline.undoes))


async def update(
    steps: Sequence[PipelineStep],
    pachyderm: Pachyderm,
    *,
    transaction: str | None,
    started: Callable[[str], Awaitable[None]],
) -> tuple[UpdatedPipeline, ...]:
    """Update every pipeline, or none.

    A bot that was killed in the middle finds either all done, or nothing done and perhaps an
    open transaction, which is thrown away.

    Args:
        steps: from `prepare`, in the order of the update.
        pachyderm: the cluster.
        transaction: the one that an earlier try had open.
        started: stores the id of the transaction before anything is put into it.
    """
    if not steps:
        return ()
    if transaction is not None:
        await pachyderm.discard(transaction)
    live = await _look(steps, pachyderm)
    if not _are_done(steps, live):
        for step, pipeline in zip(steps, live, strict=True):
            _refuse_moved(step, pipeline)
        try:
            await pachyderm.update(
                [
                    PipelineUpdate(each.project, each.name, each.after, each.reprocess)
                    for each in steps
                ],
                started=started,
            )
        except AnswerLostError:
            if not _are_done(steps, await _look(steps, pachyderm)):
                raise
        live = await _look(steps, pachyderm)
    return tuple(_updated(step, pipeline) for step, pipeline in zip(steps, live, strict=True))


async def _look(steps: Sequence[PipelineStep], pachyderm: Pachyderm) -> list[LivePipeline | None]:
    return await together(pachyderm.inspect(step.project, step.name) for step in steps)


def _are_done(steps: Sequence[PipelineStep], live: Sequence[LivePipeline | None]) -> bool:
    return all(
        pipeline is not None
        and pipeline.version == step.next_version
        and same(json.loads(pipeline.user_spec), json.loads(step.after))
        for step, pipeline in zip(steps, live, strict=True)
    )


def _refuse_moved(step: PipelineStep, live: LivePipeline | None) -> None:
    version = live.version if live else None
    if version != step.version:
        before = "did not exist" if step.version is None else f"was at version {step.version}"
        now = "does not exist" if version is None else f"is at version {version}"
        raise StoppedError(
            Code.PIPELINE_MOVED,
            f"it {before} when the update was prepared and now {now}; nothing was updated",
            where=f"pipeline {step.full_name}",
        )


def _updated(step: PipelineStep, live: LivePipeline | None) -> UpdatedPipeline:
    if live is None:
        raise StoppedError(
            Code.PIPELINE_MOVED,
            "somebody deleted it right after the update",
            where=f"pipeline {step.full_name}",
        )
    return UpdatedPipeline(step.project, step.name, step.version, live.version)
