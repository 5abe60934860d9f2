"""What a stage came to, in a few words for its line in every report."""

from bot.domain.deployment import Actor, BuiltImage, UpdatedPipeline
from bot.domain.plan import Change, Plan


def plan_in_short(plan: Plan) -> str:
    """How much there is to do."""
    build_count = sum(image.digest is None for image in plan.images)
    change_count = sum(pipeline.change is not Change.NONE for pipeline in plan.pipelines)
    return (
        f"{build_count} of {len(plan.images)} images to build, "
        f"{change_count} of {len(plan.pipelines)} pipelines to change"
    )


def push_in_short(images: tuple[BuiltImage, ...]) -> str:
    """Which images are new."""
    return ", ".join(f"{image.name} {'pushed' if image.built else 'was there'}" for image in images)


def update_in_short(pipelines: tuple[UpdatedPipeline, ...]) -> str:
    """From which version to which."""
    return ", ".join(
        f"{each.name} {'new' if each.from_version is None else each.from_version} "
        f"-> {each.to_version}"
        for each in pipelines
    )


def approved_in_short(by: tuple[Actor, ...]) -> str:
    """Who approved it."""
    return f"approved by {', '.join(each.name for each in by)}"
