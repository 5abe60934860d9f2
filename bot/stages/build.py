"""Build: each image that the registry does not have, bases first, several at a time."""

import asyncio
import posixpath
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from bot.domain.deployment import Request, Stage
from bot.domain.dockerfile import line_of, with_bases
from bot.domain.fork_dockerfile import marked
from bot.domain.plan import CONTENT_LABEL, ImagePlan, Plan
from bot.domain.progress import Log, Progress
from bot.domain.reasons import Code, StoppedError
from bot.domain.trust import Trust
from bot.services.docker import BuildOrder, Buildx, DockerEngine
from bot.services.git import Mirror
from bot.services.registry import Registry
from bot.services.together import together
from bot.stages.turns import Turns

DEPLOYMENT_LABEL = "pachops.deployment"
TRUST_LABEL = "io.pachops.trust"
_CACHE_NAMESPACE = "BUILDKIT_CACHE_MOUNT_NS"
"""BuildKit keeps the cache mounts of builds apart that are given different values."""


@dataclass(frozen=True)
class Workshop:
    """Where and how images are built: by buildx where there is one, else on the engine."""

    docker: DockerEngine | None
    """None only where buildx builds and nothing has a test."""
    mirror: Mirror
    registry: Registry
    secrets: Mapping[str, SecretStr]
    parallel: int
    least_free: int
    """Bytes that a disk must have free before a build."""
    data_dir: Path
    """On a disk that builds fill, too: mirrors and logs."""
    buildx: Buildx | None = None
    turns: Turns = field(default_factory=Turns)
    """Shared by all deployments: two of the same content would end as two images of it."""


async def build(
    plan: Plan, request: Request, workshop: Workshop, report: Callable[[Progress], None]
) -> tuple[str, ...]:
    """Build what is missing; the names of the images that are now there.

    An image that a killed bot had finished is found by its content, and kept.
    """
    missing = [image for image in plan.images if image.digest is None]
    await _check_disks(workshop)
    places = asyncio.Semaphore(workshop.parallel)
    ready = {image.name: asyncio.Event() for image in missing}

    async def one(image: ImagePlan) -> str:
        for base in image.bases:
            if base in ready:
                await ready[base].wait()
        async with places, workshop.turns.of(_place(image, workshop)):
            await _build_one(image, plan, request, workshop, report)
        ready[image.name].set()
        return image.name

    return tuple(await together(one(image) for image in missing))


async def _build_one(
    image: ImagePlan,
    plan: Plan,
    request: Request,
    workshop: Workshop,
    report: Callable[[Progress], None],
) -> None:
    if await is_built(image, workshop):
        report(Log(Stage.BUILD, image.name, f"{_place(image, workshop)} is already there"))
        return
    is_apart = request.trust is Trust.UNTRUSTED
    tree = await _tree_on_our_bases(image, plan, workshop)
    if is_apart:
        tree = await _forks_tree(image, tree, workshop)
    order = BuildOrder(
        image=image.name,
        tags=(_place(image, workshop),),
        dockerfile=image.dockerfile,
        place=posixpath.normpath(posixpath.join(image.context, image.dockerfile)),
        target=image.target,
        build_args=image.build_args,
        labels=_labels(image, request),
        secrets={name: workshop.secrets[name] for name in image.secrets},
        platforms=image.platforms,
        bases=image.froms,
    )
    if is_apart:
        order = _kept_apart(order, image, _engine(workshop))
    builder = workshop.buildx or _engine(workshop)
    try:
        await builder.build(order, lambda: workshop.mirror.archive(tree), report)
    except StoppedError as stopped:
        raise await _at_its_line(stopped, order, tree, workshop.mirror) from stopped


async def _at_its_line(
    stopped: StoppedError, order: BuildOrder, tree: str, mirror: Mirror
) -> StoppedError:
    """An engine whose BuildKit names the step alone: its line is looked up in the Dockerfile."""
    reason = stopped.reason
    before, is_there, step = (reason.where or "").partition(f": image {order.image}: ")
    if reason.code is not Code.BUILD_FAILED or not is_there or before != order.place:
        return stopped
    try:
        text = await mirror.read(tree, order.dockerfile) or b""
        line = line_of(text.decode(), step)
    except StoppedError:
        # Why the build failed is worth more than where.
        return stopped
    if line is None:
        return stopped
    where = f"{before}:{line}{is_there}{step}"
    return StoppedError(reason.code, reason.fact, where=where, next_step=reason.next_step)


async def is_built(image: ImagePlan, workshop: Workshop) -> bool:
    """Whether the image is where a build puts it."""
    if workshop.buildx:
        return await workshop.registry.digest(image.repository, image.untested_tag) is not None
    found = await _engine(workshop).find(image.built_as)
    return found is not None and found.labels.get(CONTENT_LABEL) == image.content


def _place(image: ImagePlan, workshop: Workshop) -> str:
    return f"{image.repository}:{image.untested_tag}" if workshop.buildx else image.built_as


def _engine(workshop: Workshop) -> DockerEngine:
    if workshop.docker is None:
        raise AssertionError
    return workshop.docker


def _kept_apart(order: BuildOrder, image: ImagePlan, docker: DockerEngine) -> BuildOrder:
    """The same build without anything that is ours; with it, caches that no other build has."""
    namespace = {_CACHE_NAMESPACE: f"fork-{image.content}"} if docker.has_buildkit else {}
    return replace(
        order,
        secrets={},
        build_args={**order.build_args, **namespace},
        labels={**order.labels, TRUST_LABEL: Trust.UNTRUSTED},
        no_network=True,
        no_logins=True,
        no_cache=True,
    )


async def _forks_tree(image: ImagePlan, tree: str, workshop: Workshop) -> str:
    """The context with a Dockerfile that is the text which the plan has looked at, and no link."""
    mirror = workshop.mirror
    text = (await mirror.read(tree, image.dockerfile) or b"").decode()
    text = text if _engine(workshop).has_buildkit else marked(text)
    return await mirror.tree(tree, "", put={image.dockerfile: text.encode()})


async def _tree_on_our_bases(image: ImagePlan, plan: Plan, workshop: Workshop) -> str:
    """The context whose FROM lines name our own images exactly as this deployment has them.

    A tag such as `base:latest` on a shared engine may be another deployment's.
    """
    if not image.bases:
        return image.tree
    pinned = {}
    for name in image.bases:
        base = plan.image(name)
        pinned[base.repository] = (
            _place(base, workshop) if base.digest is None else f"{base.repository}@{base.digest}"
        )
    mirror = workshop.mirror
    text = await mirror.read(image.tree, image.dockerfile) or b""
    written = with_bases(text.decode(), pinned, image.build_args)
    return await mirror.tree(image.tree, "", put={image.dockerfile: written.encode()})


def _labels(image: ImagePlan, request: Request) -> dict[str, str]:
    labels = {
        "org.opencontainers.image.revision": request.commit.sha,
        "org.opencontainers.image.created": datetime.now(UTC).isoformat(timespec="seconds"),
        CONTENT_LABEL: image.content,
    }
    if "://" in request.repository:
        # A path on the bot's machine says nothing to whoever reads the label.
        labels["org.opencontainers.image.source"] = request.repository
    return labels


async def _check_disks(workshop: Workshop) -> None:
    if workshop.docker is not None:
        _check_free("the engine's disk", await workshop.docker.free_bytes(), workshop.least_free)
    usage = await asyncio.to_thread(shutil.disk_usage, workshop.data_dir)
    _check_free("the disk of the bot's data folder", usage.free, workshop.least_free)


def _check_free(disk: str, free: int | None, least: int) -> None:
    if free is not None and free < least:
        raise StoppedError(
            Code.DISK_FULL,
            f"{disk} has {free // 2**20} MiB free, a build needs at least {least // 2**20} MiB",
        )


def check_platforms(plan: Plan, *, buildx: bool) -> None:
    """Refuse a plan whose images are for platforms where nothing can build for them."""
    for image in plan.images:
        if image.platforms and image.digest is None and not buildx:
            raise StoppedError(
                Code.ENGINE_LACKS,
                f"{image.name} is built for {', '.join(image.platforms)}, which an engine cannot",
                where=f".pachops.yml: images.{image.name}.platforms",
                next_step="Set PACHOPS_BUILDX_BUILDER to a builder of `docker buildx ls`, "
                "or take the platforms out.",
            )


def check_secrets(plan: Plan, secrets: Mapping[str, SecretStr]) -> None:
    """Refuse a plan whose builds ask for secrets that the settings do not have."""
    for image in plan.images:
        for name in image.secrets:
            if image.digest is None and name not in secrets:
                raise StoppedError(
                    Code.BUILD_SECRET_MISSING,
                    f"the build of {image.name} asks for the secret '{name}'",
                    where=f".pachops.yml: images.{image.name}.secrets",
                )
