"""Going back: which specs of the store a rollback brings back."""

from collections.abc import Sequence

from pydantic import TypeAdapter

from bot.domain.deployment import BuiltImage, Deployment, Request
from bot.domain.history import Past, Return, going_back, moved_on_by, same_target
from bot.domain.plan import Change, PipelinePlan, Preparation
from bot.store.deployments import Deployments

PREPARATION = "preparation"
"""Fact of a deployment: what its update was to do."""
STANDS = "stands"
"""Fact: whether that update is in place, as far as the deployment knows."""
UNDONE = "undone"
"""Fact of a rollback: the ids of the deployments that it undid."""

_PREPARATION = TypeAdapter(Preparation)
_FAR_ENOUGH = 500


async def plan_return(deployments: Deployments, request: Request) -> Return:
    """What going back means now; NOTHING_TO_ROLL_BACK where it means nothing."""
    found = await deployments.list(target=request.target, limit=_FAR_ENOUGH)
    past = [await _past(deployments, each) for each in same_target(found, request) if each.outcome]
    return going_back(past, request.steps)


async def newer_than(deployments: Deployments, deployment: Deployment) -> Deployment | None:
    """The one that a rollback would be about in its place: what changed its target since, or may yet.

    None where going back begins with the deployment itself.
    """
    request = deployment.request
    found = await deployments.list(target=request.target, limit=_FAR_ENOUGH)
    later = [each for each in same_target(found, request) if each.id > deployment.id]
    under_way = [each for each in later if each.outcome is None]
    if under_way:
        return under_way[-1]
    return moved_on_by([await _past(deployments, each) for each in later])


async def prepared(deployments: Deployments, deployment_id: str) -> Preparation | None:
    """What a deployment's update was to do; None where it did not come so far."""
    stored = await deployments.load(deployment_id, PREPARATION)
    return None if stored is None else _PREPARATION.validate_python(stored)


async def _past(deployments: Deployments, deployment: Deployment) -> Past:
    stands = await deployments.load(deployment.id, STANDS)
    return Past(
        deployment,
        await prepared(deployments, deployment.id) if stands else None,
        tuple(await deployments.load(deployment.id, UNDONE) or ()) if stands else (),
    )


def returning_pipelines(back: Return) -> tuple[PipelinePlan, ...]:
    """The pipelines that get an old spec."""
    return tuple(
        PipelinePlan(
            project=step.project,
            name=step.name,
            place=f"the spec of version {step.version}",
            spec=step.before,
            image=None,
            change=Change.UPDATE,
            version=None,
            # What was computed again with the image that goes must be computed again without it.
            reprocess=step.reprocess,
            undoes=latest.after,
        )
        for step, latest in zip(back.steps, back.latest, strict=True)
        if step.before is not None
    )


def returning_images(back: Return, to: Deployment | None) -> tuple[tuple[BuiltImage, ...], str]:
    """The images of the deployment that comes back, and what is odd about them."""
    if to is None:
        return (), ""
    specs = [step.before for step in back.steps if step.before is not None]
    images = tuple(
        BuiltImage(each.name, each.repository, each.tag, each.digest, built=False)
        for each in to.images
        if any(each.digest in spec for spec in specs)
    )
    if images or not to.images:
        return images, ""
    return (), (
        f"Something else than the image of {to.id} ran before the deployment that is undone; "
        "what ran comes back."
    )


def lines(pipelines: Sequence[PipelinePlan]) -> tuple[str, ...]:
    """A line for each pipeline, as in a plan."""
    return tuple(f"{each.project}/{each.name}: back to {each.place}" for each in pipelines)
