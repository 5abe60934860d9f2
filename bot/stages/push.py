"""Push: the images, first under the tag of their content, then under their own tags."""

from collections.abc import Callable

from bot.domain.deployment import BuiltImage, Stage
from bot.domain.plan import ImagePlan, Plan
from bot.domain.progress import Log, Progress
from bot.domain.reasons import Code, StoppedError
from bot.services.docker import DockerEngine
from bot.services.registry import Registry
from bot.services.together import together


async def push(
    plan: Plan,
    docker: DockerEngine | None,
    registry: Registry,
    report: Callable[[Progress], None],
) -> tuple[BuiltImage, ...]:
    """Bring every image of the plan to the registry under all its tags, with its digest.

    `docker` is None where nothing was built, or buildx did: it has put its images there already.
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
            digest = await _take_what_buildx_pushed(image, registry)
        else:
            digest = await docker.push(image.name, image.repository, image.content_tag, report)
    for tag in image.tags:
        if await registry.digest(image.repository, tag) != digest:
            await registry.add_tag(image.repository, digest, tag)
    report(Log(Stage.PUSH, image.name, f"{image.reference}@{digest}"))
    return BuiltImage(
        image.name, image.repository, image.tags[0], digest, built=image.digest is None
    )


async def _take_what_buildx_pushed(image: ImagePlan, registry: Registry) -> str:
    digest = await registry.digest(image.repository, image.untested_tag)
    if digest is None:
        raise StoppedError(
            Code.REGISTRY_REFUSED,
            f"the image that was built is gone from it: {image.repository}:{image.untested_tag}",
            next_step="Deploy again; look for a rule of the registry that removes such tags.",
        )
    await registry.add_tag(image.repository, digest, image.content_tag)
    return digest
