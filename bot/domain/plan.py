"""What a deployment would do: which images, which specs, in which order, and why."""

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot.domain.image import parse_reference, push_repository, same_repository
from bot.domain.reasons import Code, StoppedError
from bot.domain.spec import Spec

CONTENT_LABEL = "io.pachops.content"
"""The label that says from which content an image was built."""


_PIPELINE_NAME = re.compile(r"[A-Za-z0-9_-]{1,51}")


class Change(StrEnum):
    """What will happen to a pipeline."""

    CREATE = "create"
    UPDATE = "update"
    NONE = "none"
    """Its effective spec would be the one that it has."""


@dataclass(frozen=True)
class ImagePlan:
    """An image of the deployment and everything that its content depends on."""

    name: str
    repository: str
    tags: tuple[str, ...]
    tree: str
    """The git tree that is the build context, less what .dockerignore drops."""
    dockerfile: str
    """Path inside the context."""
    content: str
    """Key of the content: equal keys, equal image."""
    context: str = "."
    """Path of the build context in the repository."""
    digest: str | None = None
    """The image with this content that the registry already has."""
    bases: tuple[str, ...] = ()
    """Names of our own images that this one is FROM."""
    froms: tuple[str, ...] = ()
    """Every image that it is FROM, as its Dockerfile says it."""
    target: str | None = None
    platforms: tuple[str, ...] = ()
    build_args: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    test: tuple[str, ...] | None = None
    test_timeout: float = 600.0
    test_memory: str = "512m"

    @property
    def content_tag(self) -> str:
        """A tag that nothing but this content ever has; in the registry, only once tested."""
        return f"pachops-{self.content[:40]}"

    @property
    def built_as(self) -> str:
        """Its name on the engine, where another deployment may move any other tag."""
        return f"{self.repository}:{self.content_tag}"

    @property
    def untested_tag(self) -> str:
        """Where buildx puts it before it is tested: it has no other place for an image."""
        return f"{self.content_tag}-untested"

    @property
    def reference(self) -> str:
        """Its name for people and specs, without its digest."""
        return f"{self.repository}:{self.tags[0]}"


@dataclass(frozen=True)
class PipelinePlan:
    """A pipeline of the deployment."""

    project: str
    name: str
    place: str
    """File and document of its spec."""
    spec: str
    """The user's spec as JSON, its project filled in, its image still the repository's."""
    image: str | None
    """Name of the image of ours that it runs; None where it runs another's."""
    change: Change
    version: int | None
    """The live version; None where it does not exist, and of a rollback."""
    differences: tuple[str, ...] = ()
    reprocess: bool = False
    """Whether data is computed again, for this pipeline alone."""
    undoes: str | None = None
    """Rollback only: the user's spec that should be live, as JSON."""


@dataclass(frozen=True)
class Plan:
    """Everything a deployment would do, in order."""

    images: tuple[ImagePlan, ...]
    pipelines: tuple[PipelinePlan, ...]
    warnings: tuple[str, ...] = ()

    def image(self, name: str) -> ImagePlan:
        """The image of that name."""
        return next(image for image in self.images if image.name == name)


@dataclass(frozen=True)
class PipelineStep:
    """One pipeline's way from what it is to what it will be."""

    project: str
    name: str
    version: int | None
    """Before; None where it does not exist."""
    before: str | None
    """The user's spec before, as JSON."""
    after: str
    reprocess: bool = False

    @property
    def full_name(self) -> str:
        """Project and name."""
        return f"{self.project}/{self.name}"

    @property
    def next_version(self) -> int:
        """The version that the update gives it."""
        return (self.version or 0) + 1


@dataclass(frozen=True)
class Destination:
    """Where an update goes and how it is watched; fixed with the deployment."""

    cluster: str
    project: str
    """Pachyderm's, for specs that name none."""
    timeout: float
    """Seconds until the pipelines must be seen to work."""
    window: float
    """Seconds that they must stay out of an error state."""
    roll_back: bool
    """Whether the old specs are put back when they do not work."""


@dataclass(frozen=True)
class Preparation:
    """What the update will do; on disk before it is done, so that it can be undone."""

    destination: Destination
    steps: tuple[PipelineStep, ...]
    notes: tuple[str, ...] = ()


def image_from_specs(specs: Sequence[Spec]) -> tuple[str, str]:
    """Name and repository of the one image of a repository that declares none.

    It is the image that its specs name.
    """
    found: dict[str, Spec] = {}
    for spec in specs:
        if spec.image is not None:
            found.setdefault(parse_reference(spec.image).repository, spec)
    if len(found) > 1:
        # `ubuntu:22.04` beside one of our own names leaves no doubt.
        found = {name: spec for name, spec in found.items() if not _is_official(name)} or found
    if not found:
        places = ", ".join(spec.place for spec in specs)
        raise StoppedError(
            Code.IMAGE_NAME_INVALID,
            "the spec names no image, so there is no name to push the Dockerfile's image to",
            where=f"{places}: transform.image",
        )
    if len(found) > 1:
        raise StoppedError(
            Code.IMAGE_NAME_AMBIGUOUS,
            f"the specs name {len(found)} images: {', '.join(sorted(found))}",
        )
    spec = next(iter(found.values()))
    try:
        repository = push_repository(spec.image or "")
    except StoppedError as error:
        raise StoppedError(
            error.reason.code,
            error.reason.fact,
            where=f"{spec.place}: transform.image",
            next_step=error.reason.next_step,
        ) from error
    return repository.rsplit("/", 1)[-1], repository


def _is_official(repository: str) -> bool:
    return repository.startswith("docker.io/library/")


def check_name(spec: Spec) -> None:
    """Refuse a name that pachd would refuse only when everything is built and pushed."""
    if _PIPELINE_NAME.fullmatch(spec.name) is None:
        raise StoppedError(
            Code.SPEC_INVALID,
            f"'{spec.name}' is not a pipeline's name: "
            "it has letters, digits, '-' and '_', at most 51 of them",
            where=f"{spec.place}: pipeline.name",
            next_step="Rename the pipeline.",
        )


def image_of(spec: Spec, repositories: Mapping[str, str]) -> str | None:
    """Which of our images (name to repository) a spec runs."""
    if spec.image is None:
        return None
    for name, repository in repositories.items():
        if same_repository(spec.image, repository):
            return name
    return None


@dataclass(frozen=True)
class Selection:
    """What `--only` leaves of a repository."""

    images: frozenset[str]
    pipelines: frozenset[str]


def select(
    only: Sequence[str],
    *,
    images: Collection[str],
    runs: Mapping[str, str | None],
    bases: Mapping[str, Collection[str]],
) -> Selection:
    """What to deploy.

    An image brings the pipelines that run it, a pipeline its image, an image its bases.

    Args:
        only: names of images or pipelines; none means everything.
        images: names of all images.
        runs: the image of each pipeline, by `project/name`.
        bases: the images that each image is FROM.
    """
    if not only:
        return Selection(frozenset(images), frozenset(runs))
    chosen_images: set[str] = set()
    chosen_pipelines: set[str] = set()
    for name in only:
        named = {full for full in runs if name in {full, full.rpartition("/")[2]}}
        if name not in images and not named:
            known = ", ".join(sorted({*images, *runs}))
            raise StoppedError(Code.ONLY_UNKNOWN, f"'{name}' is none of: {known}")
        if name in images:
            chosen_images.add(name)
            chosen_pipelines.update(full for full, image in runs.items() if image == name)
        chosen_pipelines.update(named)
        chosen_images.update(image for full in named if (image := runs[full]) is not None)
    waiting = list(chosen_images)
    while waiting:
        for base in bases.get(waiting.pop(), ()):
            if base not in chosen_images:
                chosen_images.add(base)
                waiting.append(base)
    return Selection(frozenset(chosen_images), frozenset(chosen_pipelines))


def content_key(  # noqa: PLR0913 - all that the content depends on
    *,
    tree: str,
    dockerfile: str,
    target: str | None,
    build_args: Mapping[str, str],
    secrets: Sequence[str],
    test: Sequence[str] | None,
    bases: Mapping[str, str],
    platforms: Sequence[str] = (),
) -> str:
    """The key of an image's content.

    The test belongs to it: an image in the registry under this key has passed it.
    A newer image behind another's tag does not change the key: what did not change in git
    is not built again.

    Args:
        tree: git's hash of the build context.
        dockerfile: path of the Dockerfile in the context.
        target: the stage to build.
        build_args: all of them.
        secrets: ids, never values.
        test: the declared command.
        bases: content keys of our own images that it is FROM, by name.
        platforms: those that are declared.
    """
    facts = {
        "rules": 1,
        "tree": tree,
        "dockerfile": dockerfile,
        "target": target,
        "build_args": dict(sorted(build_args.items())),
        "secrets": sorted(secrets),
        "test": list(test) if test else None,
        "bases": dict(sorted(bases.items())),
    }
    if platforms:
        # Only where there are any: the others keep their keys.
        facts["platforms"] = sorted(platforms)
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def fork_key(content: str) -> str:
    """The key of the same content from a fork: neither is ever taken for the other."""
    return hashlib.sha256(f"fork {content}".encode()).hexdigest()


def image_lines(plan: Plan) -> tuple[str, ...]:
    """A line for each image of the plan."""
    return tuple(
        f"{image.name}: already in the registry as {image.repository}@{image.digest[:19]}"
        if image.digest
        else f"{image.name}: build and push {image.reference}"
        for image in plan.images
    )


def pipeline_lines(plan: Plan) -> tuple[str, ...]:
    """A line for each pipeline of the plan, in the order of the update."""
    lines = []
    for pipeline in plan.pipelines:
        name = f"{pipeline.project}/{pipeline.name}"
        if pipeline.change is Change.NONE:
            lines.append(f"{name}: no change, stays at version {pipeline.version}")
        elif pipeline.change is Change.CREATE:
            lines.append(f"{name}: create ({pipeline.place})")
        else:
            what = "; ".join(pipeline.differences) or "compute everything again"
            lines.append(f"{name}: update version {pipeline.version}: {what}")
    return tuple(lines)
