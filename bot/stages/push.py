"""Push: the images, first under the tag of their content, then under their own tags."""

from collections.abc import Callable

from bot.domain.deployment import BuiltImage, Stage
from bot.domain.plan import ImagePlan, Plan
from bot.domain.progress import Log, Progress
from bot.services.docker import DockerEngine
from bot.services.registry import Registry
from bot.stages.together import together


async def push(
    plan: Plan,
    docker: DockerEngine | None,
    registry: Registry,
    report: Callable[[Progress], None],
) -> tuple[BuiltImage, ...]:
    """Bring every image of the plan to the registry under all its tags, with its digest.

    `docker` may be None where nothing was built.
    """
    return tuple(
        await together(_push_one(image, docker, registry, report) for image in plan.images)
    )


async def _push_one(
    image: ImagePlan,
    docker: DockerEngine | None,
    registry: Registry,
    report: Callable[[Progress], None],
) -> BuiltImage:
    digest = image.digest or await registry.digest(image.repository, image.content_tag)
    if digest is None:
        if docker is None:
            msg = f"{image.name} was neither built nor found"
            raise AssertionError(msg)
        digest = await docker.push(image.name, image.repository, image.content_tag, report)
    for tag in image.tags:
        if await registry.digest(image.repository, tag) != digest:
            await registry.add_tag(image.repository, digest, tag)
    report(Log(Stage.PUSH, image.name, f"{image.reference}@{digest}"))
    return BuiltImage(
        image.name, image.repository, image.tags[0], digest, built=image.digest is None
    )
