"""A fork's commit held against the default branch: it may change code, not what we do with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.domain.deployment import Request
from bot.domain.dockerfile import BaseImage
from bot.domain.image import parse_reference
from bot.domain.paths import matches
from bot.domain.reasons import Code, StoppedError
from bot.domain.trust import Trust
from bot.project import PROJECT_FILE, Image, JsonnetSource
from bot.services.git import Mirror
from bot.services.registry import Registry
from bot.services.together import together
from bot.settings import Settings
from bot.stages.source import Source


@dataclass(frozen=True)
class DefaultBranch:
    """What a fork's commit is held against."""

    source: Source
    public: Registry
    """Registries without any login: what everybody can read."""


def check_forks(request: Request, settings: Settings) -> None:
    """Refuse a fork's commit where the bot's operator takes none at all."""
    if request.trust is Trust.UNTRUSTED and not settings.allow_forks:
        raise StoppedError(
            Code.FORK_NOT_ALLOWED, "the bot's settings allow no builds of forks (allow_forks)"
        )


async def check_project(fork: Source, ours: Source, files: Sequence[str]) -> None:
    """Refuse other specs than the default branch's, and templates that pachd would run for us."""
    said = [(each.project.declares("pipelines"), each.project.pipelines) for each in (fork, ours)]
    if said[0] != said[1]:
        raise _refused(
            "the specs that it declares are not those of the default branch", "pipelines"
        )
    templates = [
        path
        for declared in fork.project.pipelines
        if isinstance(declared, JsonnetSource)
        for path in files
        if matches(declared.jsonnet, path)
    ]
    for path in templates:
        theirs = await fork.mirror.read(fork.sha, path)
        if theirs != await ours.mirror.read(ours.sha, path):
            raise StoppedError(
                Code.FORK_NEEDS_RIGHTS,
                "a template is run by Pachyderm, and this one is not that of the default branch",
                where=path,
            )


def check_images(fork: Mapping[str, Image], ours: Mapping[str, Image]) -> None:
    """Refuse images that are declared otherwise than on the default branch."""
    for name, image in fork.items():
        if name not in ours:
            fact = f"the default branch has no image {name}"
            raise _refused(fact, f"images.{name}")
        for field in Image.model_fields:
            if getattr(image, field) != getattr(ours[name], field):
                fact = f"{field} of {name} is not what it is on the default branch"
                raise _refused(fact, f"images.{name}.{field}")


def check_no_secrets(name: str, image: Image) -> None:
    """Refuse an image whose build is given secrets."""
    if image.secrets:
        fact = f"the build of {name} is given secrets ({', '.join(image.secrets)})"
        raise _refused(fact, f"images.{name}.secrets")


async def check_place(mirror: Mirror, tree: str, dockerfile: str, text: str, place: str) -> None:
    """Refuse a Dockerfile that is another one for the engine, which sees the context alone.

    Args:
        mirror: where the context is.
        tree: the context.
        dockerfile: the path in it.
        text: what was looked at.
        place: the path in the repository.
    """
    found = await mirror.read(tree, dockerfile)
    if found != text.encode() or dockerfile not in await mirror.files(tree):
        raise StoppedError(
            Code.FORK_NEEDS_RIGHTS,
            "the Dockerfile is reached by a link, and may be another one in the build",
            where=place,
            next_step="Commit the file itself.",
        )


async def check_public(bases: Sequence[tuple[str, BaseImage]], public: Registry) -> None:
    """Refuse base images that not everybody can read: the engine may have them all the same.

    Args:
        bases: each with the Dockerfile that uses it.
        public: registries without any login.
    """
    await together(_check_public(place, base, public) for place, base in bases)


async def _check_public(place: str, base: BaseImage, public: Registry) -> None:
    reference = parse_reference(base.reference)
    try:
        found = await public.digest(
            reference.repository, reference.digest or reference.tag or "latest"
        )
    except StoppedError as error:
        if error.reason.code is not Code.REGISTRY_REFUSED:
            raise
        fact, found = error.reason.fact, None
    else:
        fact = f"{reference.registry} has no {base.reference} that everybody can read"
    if found is None:
        raise StoppedError(
            Code.FORK_NEEDS_RIGHTS,
            f"a fork's build has no registry login: {fact}",
            where=f"{place}:{base.line}",
            next_step="Use a public base image.",
        )


def _refused(fact: str, where: str) -> StoppedError:
    return StoppedError(Code.FORK_NEEDS_RIGHTS, fact, where=f"{PROJECT_FILE}: {where}")
