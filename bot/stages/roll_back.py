"""Roll back: what a failed deployment changed is put back as it was."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeVar

from bot.domain.plan import PipelineStep
from bot.domain.reasons import Code, StoppedError
from bot.domain.spec import same
from bot.services.pachyderm import LivePipeline, Pachyderm, PipelineUpdate
from bot.services.together import together
from bot.stages.patience import patiently

T = TypeVar("T")

PAUSES = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds between tries: an update that may have happened must not stay unsettled."""
_PASSES = frozenset({Code.PACHD_UNREACHABLE})


class Found(Enum):
    """In which state a pipeline is found, seen from the update that is to be undone."""

    UNTOUCHED = auto()
    UPDATED = auto()
    BACK = auto()
    """An earlier try, whose answer was lost, has put it back."""
    TAKEN = auto()
    """Somebody else has updated it since; it is left to them."""


@dataclass(frozen=True)
class PutBack:
    """What the roll back did, one line for each pipeline that it touched."""

    notes: tuple[str, ...]
    restored: int
    """How many pipelines are as they were before the update."""
    untouched: bool
    """Whether the update had not reached any of them."""


async def roll_back(
    steps: Sequence[PipelineStep],
    pachyderm: Pachyderm,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> PutBack:
    """Put the old specs back where the update has happened; nothing is done where it has not.

    A pipeline that the deployment created is deleted.

    Raises:
        StoppedError: ROLL_BACK_FAILED, after a minute of tries where pachd does not answer.
    """
    try:
        return await _patiently(lambda: _put_back(steps, pachyderm), sleep)
    except StoppedError as error:
        names = ", ".join(step.full_name for step in steps)
        raise StoppedError(Code.ROLL_BACK_FAILED, error.reason.fact, where=names) from error


async def is_untouched(
    steps: Sequence[PipelineStep],
    pachyderm: Pachyderm,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> bool:
    """Whether the update has not reached any pipeline.

    Raises:
        StoppedError: PACHD_UNREACHABLE, after a minute of tries, or PACHD_REFUSED: nobody knows.
    """
    live = await _patiently(lambda: _look(steps, pachyderm), sleep)
    return all(
        _find(step, pipeline) is Found.UNTOUCHED for step, pipeline in zip(steps, live, strict=True)
    )


async def _patiently(
    work: Callable[[], Awaitable[T]], sleep: Callable[[float], Awaitable[None]]
) -> T:
    return await patiently(work, passes=_PASSES, pauses=PAUSES, sleep=sleep)


async def _look(steps: Sequence[PipelineStep], pachyderm: Pachyderm) -> list[LivePipeline | None]:
    return await together(pachyderm.inspect(step.project, step.name) for step in steps)


async def _put_back(steps: Sequence[PipelineStep], pachyderm: Pachyderm) -> PutBack:
    live = await _look(steps, pachyderm)
    found = {step: _find(step, pipeline) for step, pipeline in zip(steps, live, strict=True)}
    updated = [step for step in steps if found[step] is Found.UPDATED]
    restored = [
        PipelineUpdate(step.project, step.name, step.before, step.reprocess)
        for step in updated
        if step.before is not None
    ]
    if restored:
        await pachyderm.update(restored, started=_forget)
    for step in reversed(updated):
        if step.before is None:
            await pachyderm.delete(step.project, step.name)
    notes = (_note(step, found[step]) for step in steps)
    return PutBack(
        tuple(note for note in notes if note is not None),
        sum(each in {Found.UPDATED, Found.BACK} for each in found.values()),
        all(each is Found.UNTOUCHED for each in found.values()),
    )


def _find(step: PipelineStep, live: LivePipeline | None) -> Found:
    if live is None:
        return Found.UNTOUCHED if step.version is None else Found.TAKEN
    if live.version == step.version:
        return Found.UNTOUCHED
    spec = json.loads(live.user_spec)
    if live.version == step.next_version and same(spec, json.loads(step.after)):
        return Found.UPDATED
    if (
        step.before is not None
        and live.version == step.next_version + 1
        and same(spec, json.loads(step.before))
    ):
        return Found.BACK
    return Found.TAKEN


def _note(step: PipelineStep, found: Found) -> str | None:
    if found is Found.UNTOUCHED:
        return None
    if found is Found.TAKEN:
        return f"{step.full_name} was changed by somebody else since; it is left to them."
    if step.before is None:
        return f"{step.full_name}, which this deployment had created, is deleted."
    return f"{step.full_name} is back to the spec of version {step.version}."


async def _forget(_transaction: str) -> None:
    """A roll back that is interrupted looks again; its open transaction changes nothing."""
