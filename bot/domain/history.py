"""A target's past: what is in force now, and what going back would restore."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.deployment import Deployment, Kind, Outcome, Request
from bot.domain.plan import Destination, PipelineStep, Preparation
from bot.domain.reasons import Code, StoppedError


@dataclass(frozen=True)
class Past:
    """A finished deployment and what is known of its update."""

    deployment: Deployment
    update: Preparation | None
    """None where nothing of it was left in place."""
    undone: tuple[str, ...] = ()
    """Rollback only: ids of the deployments that it undid."""


@dataclass(frozen=True)
class Return:
    """What going back means; fixed when the rollback begins."""

    undone: tuple[str, ...]
    """Ids, the newest first."""
    to: str | None
    """The deployment whose state comes back; None for what ran before the first one."""
    steps: tuple[PipelineStep, ...]
    """The earliest step of each pipeline among the undone; its `before` is what comes back."""
    latest: tuple[PipelineStep, ...]
    """The latest step of each, in the same order; its `after` is what should be live."""
    destination: Destination


def in_force(past: Sequence[Past]) -> tuple[Past, ...]:
    """The deployments whose updates are in place and were not undone since, oldest first.

    Args:
        past: the target's finished deployments, oldest first.
    """
    stack: list[Past] = []
    for each in past:
        if each.deployment.request.kind is Kind.ROLLBACK:
            stack = [kept for kept in stack if kept.deployment.id not in each.undone]
        elif each.update is not None and each.update.steps:
            stack.append(each)
    return tuple(stack)


def going_back(past: Sequence[Past], steps: int) -> Return:
    """What `rollback --steps N` restores: N deployments less, and then down to a good one.

    Raises:
        StoppedError: NOTHING_TO_ROLL_BACK.
    """
    stack = list(in_force(past))
    if steps > len(stack):
        raise StoppedError(
            Code.NOTHING_TO_ROLL_BACK,
            f"deployments in force: {len(stack)}; to be undone: {steps}"
            if stack
            else "nothing was deployed that is still in force",
        )
    undone: list[Past] = []
    while len(undone) < steps or (stack and not _is_good(stack[-1])):
        undone.append(stack.pop())
    earliest: dict[str, PipelineStep] = {}
    latest: dict[str, PipelineStep] = {}
    for each in reversed(undone):
        for step in _update(each).steps:
            earliest.setdefault(step.full_name, step)
            latest[step.full_name] = step
    if all(step.before is None for step in earliest.values()):
        raise StoppedError(
            Code.NOTHING_TO_ROLL_BACK,
            "none of the pipelines existed before "
            f"{undone[-1].deployment.id}, the first deployment of them",
        )
    return Return(
        undone=tuple(each.deployment.id for each in undone),
        to=stack[-1].deployment.id if stack else None,
        steps=tuple(earliest.values()),
        latest=tuple(latest.values()),
        destination=_one_destination(undone),
    )


def moved_on_by(later: Sequence[Past]) -> Deployment | None:
    """Which deployment has changed what is in force since another; None where nothing has.

    Args:
        later: the target's finished deployments that came after that one, oldest first.
    """
    stack = in_force(later)
    if stack:
        return stack[-1].deployment
    own = {each.deployment.id for each in later}
    undoing = (each.deployment for each in reversed(later) if not own.issuperset(each.undone))
    return next(undoing, None)


def _is_good(past: Past) -> bool:
    return past.deployment.outcome is Outcome.SUCCEEDED


def _update(past: Past) -> Preparation:
    if past.update is None:
        raise AssertionError
    return past.update


def _one_destination(undone: Sequence[Past]) -> Destination:
    clusters = sorted({_update(each).destination.cluster for each in undone})
    if len(clusters) > 1:
        raise StoppedError(
            Code.NOTHING_TO_ROLL_BACK,
            f"the environment was moved between the clusters {' and '.join(clusters)} meanwhile",
            next_step="Go back in smaller steps (`--steps 1`), or deploy the commit that you want.",
        )
    return _update(undone[0]).destination


def same_target(deployments: Sequence[Deployment], request: Request) -> tuple[Deployment, ...]:
    """Those of the request's target, oldest first."""
    return tuple(
        sorted(
            (each for each in deployments if each.request.target == request.target),
            key=lambda each: each.id,
        )
    )
