"""How an image is made: what is declared of it, with its Dockerfile read."""

import graphlib
from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.dockerfile import BaseImage, base_images
from bot.domain.image import same_repository
from bot.domain.reasons import Code, StoppedError
from bot.project import Image
from bot.services.together import together
from bot.stages.source import Source


@dataclass(frozen=True)
class Recipe:
    """An image as declared, with its Dockerfile read."""

    image: Image
    repository: str
    dockerfile: str
    bases: tuple[str, ...]
    found: tuple[BaseImage, ...]
    """Every image from outside this Dockerfile."""
    text: str
    place: str


async def read_recipes(
    source: Source, images: Mapping[str, Image], repositories: Mapping[str, str]
) -> dict[str, Recipe]:
    """All of them. Errors: DOCKERFILE_MISSING, DOCKERFILE_INVALID, with the line."""
    read = await together(
        _read_recipe(source, name, image, repositories) for name, image in images.items()
    )
    return dict(zip(images, read, strict=True))


async def _read_recipe(
    source: Source, name: str, image: Image, repositories: Mapping[str, str]
) -> Recipe:
    dockerfile = joined(image.context, image.dockerfile)
    text = await source.mirror.read(source.sha, dockerfile)
    if text is None:
        raise StoppedError(
            Code.DOCKERFILE_MISSING,
            f"the commit has no file {dockerfile}",
            where=f".pachops.yml: images.{name}.dockerfile",
        )
    try:
        found = base_images(text.decode(), image.build_args)
    except UnicodeDecodeError as error:
        raise StoppedError(Code.DOCKERFILE_INVALID, "it is not UTF-8", where=dockerfile) from error
    except StoppedError as error:
        line = (error.reason.where or "").removeprefix("line ")
        raise StoppedError(
            error.reason.code,
            error.reason.fact,
            where=f"{dockerfile}:{line}" if line else dockerfile,
            next_step=error.reason.next_step,
        ) from error
    ours = {
        other: None
        for base in found
        for other, repository in repositories.items()
        if other != name and same_repository(base.reference, repository)
    }
    return Recipe(
        image, repositories[name], image.dockerfile, tuple(ours), found, text.decode(), dockerfile
    )


def joined(folder: str, path: str) -> str:
    """A path in the repository, from one in a folder of it."""
    return path if folder in {"", "."} else f"{folder}/{path}"


def build_order(recipes: Mapping[str, Recipe]) -> tuple[str, ...]:
    """Their names, bases first. Errors: DOCKERFILE_INVALID where they go in a circle."""
    sorter = graphlib.TopologicalSorter({name: each.bases for name, each in recipes.items()})
    try:
        return tuple(sorter.static_order())
    except graphlib.CycleError as error:
        circle: list[str] = error.args[1]
        first = recipes[circle[0]]
        raise StoppedError(
            Code.DOCKERFILE_INVALID,
            f"images are FROM each other in a circle: {' -> '.join(circle)}",
            where=joined(first.image.context, first.dockerfile),
            next_step="Let one of them be FROM something else.",
        ) from None


async def warnings_of(source: Source, recipes: Mapping[str, Recipe]) -> tuple[str, ...]:
    """What of their contexts does not get into a build."""
    warnings = []
    for name, recipe in recipes.items():
        folder = "" if recipe.image.context in {"", "."} else recipe.image.context
        found = await source.mirror.submodules(source.sha, folder)
        if found:
            warnings.append(
                f"The build context of {name} has submodules ({', '.join(found)}); "
                "they are empty folders in the build."
            )
        if await _has_large_files(source, folder):
            warnings.append(
                f"The build context of {name} has files in Git LFS; "
                "the build sees their pointers, not their content."
            )
    return tuple(warnings)


async def _has_large_files(source: Source, folder: str) -> bool:
    for path in {".gitattributes", joined(folder, ".gitattributes")}:
        attributes = await source.mirror.read(source.sha, path) or b""
        if b"filter=lfs" in attributes:
            return True
    return False
