"""A target's past: what is in force now, and what going back would restore."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.deployment import Commit, Deployment, Kind, Outcome, Request
from bot.domain.plan import PipelineStep
from bot.domain.reasons import Code, StoppedError


@dataclass(frozen=True)
class Past:
    """A finished deployment and the steps that its update took."""

    deployment: Deployment
    steps: tuple[PipelineStep, ...]


@dataclass(frozen=True)
class Return:
    """What going back means: the deployments that are undone and the specs that come back."""

    undone: tuple[Deployment, ...]
    """Newest first."""
    to: Deployment | None
    """The deployment whose state comes back; None for what ran before the first one."""
    steps: tuple[PipelineStep, ...]
    """The earliest step of each pipeline among the undone; its `before` is what comes back."""


def in_force(past: Sequence[Past]) -> tuple[Past, ...]:
    """The good deployments that changed something and were not undone since, oldest first.

    Args:
        past: the target's finished deployments, oldest first.
    """
    stack: list[Past] = []
    for each in past:
        if each.deployment.outcome is not Outcome.SUCCEEDED or not each.steps:
            continue
        if each.deployment.request.kind is Kind.ROLLBACK:
            del stack[max(0, len(stack) - each.deployment.request.steps) :]
        else:
            stack.append(each)
    return tuple(stack)


def going_back(past: Sequence[Past], steps: int) -> Return:
    """What `rollback --steps N` restores.

    Raises:
        StoppedError: NOTHING_TO_ROLL_BACK where there are fewer good deployments.
    """
    stack = in_force(past)
    if not stack or steps > len(stack):
        raise StoppedError(
            Code.NOTHING_TO_ROLL_BACK,
            "nothing was deployed that is still in force"
            if not stack
            else f"only {len(stack)} good deployments are in force, {steps} were to be undone",
        )
    undone = stack[len(stack) - steps :]
    earliest: dict[tuple[str, str], PipelineStep] = {}
    for each in undone:
        for step in each.steps:
            earliest.setdefault((step.project, step.name), step)
    below = stack[: len(stack) - steps]
    return Return(
        undone=tuple(each.deployment for each in reversed(undone)),
        to=below[-1].deployment if below else None,
        steps=tuple(earliest.values()),
    )


def commit_of(back: Return) -> Commit:
    """The commit that a rollback brings back; an empty SHA for what pachops did not deploy."""
    if back.to is None:
        return Commit(sha="", ref="before the first deployment")
    return back.to.request.commit


def same_target(deployments: Sequence[Deployment], request: Request) -> tuple[Deployment, ...]:
    """Those of the request's target, oldest first."""
    return tuple(
        sorted(
            (each for each in deployments if each.request.target == request.target),
            key=lambda each: each.id,
        )
    )
