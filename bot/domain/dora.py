"""The four figures of DORA, for each environment, from its deployments."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bot.domain.deployment import Kind, Outcome

DAY = 86_400.0
_FAILED = frozenset({Outcome.FAILED, Outcome.ROLLED_BACK})


@dataclass(frozen=True)
class Ended:
    """A deployment that has ended. Times are in seconds since the epoch."""

    deployment: str
    target: str
    environment: str
    kind: Kind
    outcome: Outcome
    finished_at: float
    updated_at: float | None = None
    """When its update began; None where it came to none."""
    committed_at: float | None = None
    undone: tuple[str, ...] = ()
    """Rollback only: the deployments that it undid."""


@dataclass(frozen=True)
class Figures:
    """Those of one environment; None where there is nothing to take one from."""

    deployments_per_day: float
    lead_time: float | None
    """Seconds, the median."""
    failure_ratio: float | None
    """From 0 to 1."""
    time_to_restore: float | None
    """Seconds, the median."""


def figures(ended: Sequence[Ended], *, days: float) -> dict[str, Figures]:
    """The figures of each environment.

    A change is a deployment whose update began. It is a good one where it succeeded. It is a
    failed one where it failed or was rolled back, also later, by a rollback. The place is
    restored when the next deployment or rollback of its target has succeeded, or when the old
    specs were back.

    Args:
        ended: what ended within these days.
        days: how many.
    """
    return {
        environment: _of([each for each in ended if each.environment == environment], days)
        for environment in sorted({each.environment for each in ended})
    }


def _of(ended: Sequence[Ended], days: float) -> Figures:
    ordered = sorted(ended, key=lambda each: each.finished_at)
    undone = {identity for each in ordered for identity in each.undone}
    changes = [
        each
        for each in ordered
        if each.kind is Kind.DEPLOY
        and each.updated_at is not None
        and (each.outcome is Outcome.SUCCEEDED or each.outcome in _FAILED)
    ]
    good = [each for each in changes if each.outcome is Outcome.SUCCEEDED]
    failed = [each for each in changes if each.outcome in _FAILED or each.deployment in undone]
    lead_times = [
        max(each.finished_at - each.committed_at, 0.0) for each in good if each.committed_at
    ]
    restored = [_time_to_restore(each, ordered) for each in failed]
    return Figures(
        deployments_per_day=len(good) / days,
        lead_time=median(lead_times) if lead_times else None,
        failure_ratio=len(failed) / len(changes) if changes else None,
        time_to_restore=median(times)
        if (times := [each for each in restored if each is not None])
        else None,
    )


def _time_to_restore(failed: Ended, ordered: Sequence[Ended]) -> float | None:
    """Seconds from when it broke to when it was mended; None while it is not."""
    # What succeeded and was undone later broke at the latest when it was in place.
    broke = failed.finished_at if failed.outcome is Outcome.SUCCEEDED else failed.updated_at
    if broke is None:
        return None
    if failed.outcome is Outcome.ROLLED_BACK:
        return failed.finished_at - broke
    for each in ordered:
        is_later = each.finished_at > failed.finished_at and each.target == failed.target
        if is_later and each.outcome is Outcome.SUCCEEDED:
            return each.finished_at - broke
    return None
