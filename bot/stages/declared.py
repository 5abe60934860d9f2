"""What a commit declares: its images and its specs."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.domain.image import push_repository
from bot.domain.paths import matches
from bot.domain.plan import image_from_specs
from bot.domain.reasons import Code, StoppedError
from bot.domain.spec import Spec, read_specs
from bot.project import Image, JsonnetSource
from bot.stages.asked import Cluster
from bot.stages.source import Source

DEFAULT_SPECS = ("pipeline.json", "pipeline.yaml", "pipeline.yml")


@dataclass(frozen=True)
class Declared:
    """What a commit says of its images and pipelines."""

    files: tuple[str, ...]
    specs: tuple[Spec, ...]
    images: dict[str, Image]


async def read_declared(source: Source, pachyderm: Cluster) -> Declared:
    """What the commit declares; pachd renders the templates among its specs."""
    files = await source.mirror.files(source.sha)
    specs = await _read_specs(source, files, pachyderm)
    return Declared(files, specs, _images(source, files, specs))


async def _read_specs(source: Source, files: Sequence[str], pachyderm: Cluster) -> tuple[Spec, ...]:
    if not source.project.declares("pipelines"):
        return await _read_files(source, _matching(files, DEFAULT_SPECS, where=None))
    specs: list[Spec] = []
    for declared in source.project.pipelines:
        where = ".pachops.yml: pipelines"
        if isinstance(declared, JsonnetSource):
            paths = _matching(files, (declared.jsonnet,), where=where)
            specs.extend(await _render_files(source, paths, declared.args, pachyderm))
        else:
            specs.extend(
                await _read_files(source, _matching(files, (declared.specs,), where=where))
            )
    return tuple(specs)


def _matching(files: Sequence[str], patterns: Sequence[str], *, where: str | None) -> list[str]:
    found = [path for path in files if any(matches(pattern, path) for pattern in patterns)]
    if not found:
        raise StoppedError(
            Code.SPEC_MISSING, f"no file of the commit is {' or '.join(patterns)}", where=where
        )
    return found


async def _read_files(source: Source, paths: Sequence[str]) -> tuple[Spec, ...]:
    specs: list[Spec] = []
    for path in paths:
        text = await source.mirror.read(source.sha, path) or b""
        # A large YAML file takes seconds to read.
        specs.extend(await asyncio.to_thread(read_specs, path, text))
    return tuple(specs)


async def _render_files(
    source: Source, paths: Sequence[str], args: Mapping[str, str], pachyderm: Cluster
) -> tuple[Spec, ...]:
    """Jsonnet is rendered by pachd, as pachctl does it: nothing of the repository runs here."""
    specs: list[Spec] = []
    for path in paths:
        template = await source.mirror.read(source.sha, path) or b""
        try:
            rendered = await pachyderm.render(template.decode(), args)
        except UnicodeDecodeError as error:
            raise StoppedError(Code.SPEC_INVALID, "it is not UTF-8", where=path) from error
        except StoppedError as error:
            if error.reason.code is not Code.PACHD_REFUSED:
                raise
            raise StoppedError(Code.SPEC_INVALID, error.reason.fact, where=path) from error
        specs.extend(read_specs(path, rendered))
    return tuple(specs)


def _images(source: Source, files: Sequence[str], specs: Sequence[Spec]) -> dict[str, Image]:
    """The declared images; without any, the one that the root's Dockerfile makes."""
    project = source.project
    if project.declares("images"):
        return dict(project.images)
    if "Dockerfile" in files:
        name, repository = image_from_specs(specs)
        return {name: Image(repository=repository)}
    if project.declares("pipelines"):
        return {}
    raise StoppedError(
        Code.DOCKERFILE_MISSING, "the commit has no Dockerfile at its root", where="Dockerfile"
    )


def repositories_of(images: Mapping[str, Image]) -> dict[str, str]:
    """Where each image is pushed; PROJECT_INVALID where two share a repository."""
    found: dict[str, str] = {}
    for name, image in images.items():
        repository = push_repository(image.repository)
        for other, taken in found.items():
            if taken == repository:
                raise StoppedError(
                    Code.PROJECT_INVALID,
                    f"images {other} and {name} are pushed to the same repository, {repository}; "
                    "a spec could not tell them apart",
                    where=f".pachops.yml: images.{name}.repository",
                )
        found[name] = repository
    return found
