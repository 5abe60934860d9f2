"""Plan: which images are built, which pipelines change, in what order; nothing is touched."""

import graphlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.domain.deployment import Request
from bot.domain.dockerfile import BaseImage, base_images
from bot.domain.fork_dockerfile import check_dockerfile
from bot.domain.fork_spec import check_specs
from bot.domain.image import (
    TagFacts,
    fork_tag,
    parse_reference,
    render_tags,
    same_repository,
)
from bot.domain.plan import (
    Change,
    ImagePlan,
    PipelinePlan,
    Plan,
    check_name,
    content_key,
    fork_key,
    image_of,
    select,
)
from bot.domain.reasons import Code, StoppedError
from bot.domain.spec import Spec, in_order, to_json, with_project
from bot.domain.trust import Trust
from bot.project import Image
from bot.services.docker import excluded
from bot.stages.asked import Cluster, Registry
from bot.stages.declared import Declared, read_declared, repositories_of
from bot.stages.desired import desire, wants_reprocessing
from bot.stages.fork import (
    DefaultBranch,
    check_images,
    check_no_secrets,
    check_place,
    check_project,
    check_public,
)
from bot.stages.source import Source
from bot.stages.together import both, together

_APART = (
    "The commit comes from a fork: it is built apart, without secrets, registry logins, network "
    "and cache."
)


@dataclass(frozen=True)
class _Recipe:
    """An image as declared, with its Dockerfile read."""

    image: Image
    repository: str
    dockerfile: str
    bases: tuple[str, ...]
    found: tuple[BaseImage, ...]
    """Every image from outside this Dockerfile."""
    text: str
    place: str


async def make_plan(
    source: Source,
    request: Request,
    *,
    project: str,
    registry: Registry,
    pachyderm: Cluster,
    default: DefaultBranch | None = None,
) -> Plan:
    """Work out what the deployment would do; the registry and pachd are only asked.

    A commit that is not trusted is held against the default branch, which must then be given.
    """
    if (default is None) is not (request.trust is Trust.TRUSTED):
        msg = "an untrusted commit, and no other, is planned beside the default branch"
        raise AssertionError(msg)
    await pachyderm.version()
    declared, ours = await _declared(source, pachyderm, default)
    images = declared.images
    repositories = repositories_of(images)
    recipes = await _read_recipes(source, images, repositories)
    specs = _in_project(declared.specs, project)
    if ours is not None:
        check_specs(specs, _in_project(ours.specs, project), repositories)
    for spec in specs:
        check_name(spec)
    runs = {_full_name(spec): image_of(spec, repositories) for spec in specs}
    selection = select(
        request.only,
        images=images,
        runs=runs,
        bases={name: recipe.bases for name, recipe in recipes.items()},
    )
    order = [name for name in _build_order(recipes) if name in selection.images]
    chosen = {name: recipes[name] for name in order}
    if default is not None and ours is not None:
        await _check_builds(chosen, repositories, ours, default)
    facts = await _tag_facts(source, request)
    planned = await _plan_images(source, order, recipes, facts, registry, request.trust)
    warnings = await _warnings(source, chosen)
    if default is not None:
        warnings += (_APART,)
    pipelines = await together(
        _plan_pipeline(
            spec,
            planned.get(runs[_full_name(spec)] or ""),
            pachyderm,
            reprocess=request.reprocess,
        )
        for spec in specs
        if _full_name(spec) in selection.pipelines
    )
    return Plan(tuple(planned[name] for name in order), tuple(pipelines), warnings)


async def _declared(
    source: Source, pachyderm: Cluster, default: DefaultBranch | None
) -> tuple[Declared, Declared | None]:
    """The commit's images and specs; a fork's beside those of the default branch."""
    if default is None:
        return await read_declared(source, pachyderm), None
    files = await source.mirror.files(source.sha)
    await check_project(source, default.source, files)
    found, ours = await both(
        read_declared(source, pachyderm), read_declared(default.source, pachyderm)
    )
    check_images(found.images, ours.images)
    return found, ours


async def _check_builds(
    recipes: Mapping[str, _Recipe],
    repositories: Mapping[str, str],
    ours: Declared,
    default: DefaultBranch,
) -> None:
    """Refuse a fork's builds that would need what a fork may not have."""
    known = await _read_recipes(default.source, ours.images, repositories_of(ours.images))
    used = {
        parse_reference(base.reference).repository for each in known.values() for base in each.found
    }
    allowed = used.union(repositories.values())
    outside: list[tuple[str, BaseImage]] = []
    for name, recipe in recipes.items():
        check_no_secrets(name, recipe.image)
        check_dockerfile(recipe.text, recipe.found, allowed=allowed, place=recipe.place)
        own = [repositories[base] for base in recipe.bases]
        outside += [
            (recipe.place, base)
            for base in recipe.found
            if not any(same_repository(base.reference, repository) for repository in own)
        ]
    await check_public(outside, default.public)


def _in_project(specs: Sequence[Spec], project: str) -> tuple[Spec, ...]:
    return tuple(with_project(spec, project) for spec in in_order(specs, project))


def _full_name(spec: Spec) -> str:
    return f"{spec.project}/{spec.name}"


async def _read_recipes(
    source: Source, images: Mapping[str, Image], repositories: Mapping[str, str]
) -> dict[str, _Recipe]:
    read = await together(
        _read_recipe(source, name, image, repositories) for name, image in images.items()
    )
    return dict(zip(images, read, strict=True))


async def _read_recipe(
    source: Source, name: str, image: Image, repositories: Mapping[str, str]
) -> _Recipe:
    dockerfile = _joined(image.context, image.dockerfile)
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
    return _Recipe(
        image, repositories[name], image.dockerfile, tuple(ours), found, text.decode(), dockerfile
    )


def _joined(folder: str, path: str) -> str:
    return path if folder in {"", "."} else f"{folder}/{path}"


def _build_order(recipes: Mapping[str, _Recipe]) -> tuple[str, ...]:
    sorter = graphlib.TopologicalSorter({name: each.bases for name, each in recipes.items()})
    try:
        return tuple(sorter.static_order())
    except graphlib.CycleError as error:
        circle: list[str] = error.args[1]
        first = recipes[circle[0]]
        raise StoppedError(
            Code.DOCKERFILE_INVALID,
            f"images are FROM each other in a circle: {' -> '.join(circle)}",
            where=_joined(first.image.context, first.dockerfile),
            next_step="Let one of them be FROM something else.",
        ) from None


async def _tag_facts(source: Source, request: Request) -> TagFacts:
    described = await source.mirror.describe(source.sha)
    return TagFacts(
        sha=source.sha,
        branch=request.commit.branch,
        release=request.release,
        date=described.committed_at[:10],
    )


async def _plan_images(
    source: Source,
    order: Sequence[str],
    recipes: Mapping[str, _Recipe],
    facts: TagFacts,
    registry: Registry,
    trust: Trust,
) -> dict[str, ImagePlan]:
    trees = dict(
        zip(
            order,
            await together(_context_tree(source, name, recipes[name]) for name in order),
            strict=True,
        )
    )
    if trust is Trust.UNTRUSTED:
        await together(
            check_place(source.mirror, trees[name], recipe.dockerfile, recipe.text, recipe.place)
            for name, recipe in recipes.items()
            if name in trees
        )
    contents: dict[str, str] = {}
    images: list[ImagePlan] = []
    for name in order:
        image = _image_plan(name, recipes[name], trees[name], contents, facts, trust)
        contents[name] = image.content
        images.append(image)
    digests = await together(
        registry.digest(image.repository, image.content_tag) for image in images
    )
    found = {image.name: digest for image, digest in zip(images, digests, strict=True)}
    if trust is Trust.UNTRUSTED:
        # Without a login the engine cannot pull what we pushed: it makes the bases again.
        for image in reversed(images):
            if found[image.name] is None:
                found |= dict.fromkeys(image.bases)
    return {image.name: replace(image, digest=found[image.name]) for image in images}


async def _context_tree(source: Source, name: str, recipe: _Recipe) -> str:
    """The git tree of the build context, less what .dockerignore drops."""
    folder = "" if recipe.image.context in {"", "."} else recipe.image.context
    files = await source.mirror.files(source.sha, folder)
    if not files:
        raise StoppedError(
            Code.CONTEXT_MISSING,
            f"the commit has no folder {recipe.image.context}",
            where=f".pachops.yml: images.{name}.context",
        )
    own_ignore = f"{recipe.dockerfile}.dockerignore"
    ignore_file = next((each for each in (own_ignore, ".dockerignore") if each in files), None)
    if ignore_file is None:
        return await source.mirror.tree(source.sha, folder)
    rules = await source.mirror.read(source.sha, _joined(folder, ignore_file)) or b""
    dropped = excluded(rules, files, keep={recipe.dockerfile})
    return await source.mirror.tree(source.sha, folder, without=dropped)


def _tags(name: str, templates: Sequence[str], facts: TagFacts) -> tuple[str, ...]:
    try:
        return render_tags(templates, facts)
    except StoppedError as error:
        reason = error.reason
        where = f".pachops.yml: images.{name}.tags"
        raise StoppedError(
            reason.code, reason.fact, where=where, next_step=reason.next_step
        ) from error


def _image_plan(
    name: str,
    recipe: _Recipe,
    tree: str,
    contents: Mapping[str, str],
    facts: TagFacts,
    trust: Trust,
) -> ImagePlan:
    image = recipe.image
    is_apart = trust is Trust.UNTRUSTED
    content = content_key(
        tree=tree,
        dockerfile=recipe.dockerfile,
        target=image.target,
        build_args=image.build_args,
        secrets=image.secrets,
        test=image.test,
        bases={base: contents[base] for base in recipe.bases},
        platforms=image.platforms,
    )
    return ImagePlan(
        name=name,
        repository=recipe.repository,
        tags=(fork_tag(facts.sha),) if is_apart else _tags(name, image.tags, facts),
        tree=tree,
        context=image.context,
        dockerfile=recipe.dockerfile,
        content=fork_key(content) if is_apart else content,
        bases=recipe.bases,
        froms=tuple(base.reference for base in recipe.found),
        target=image.target,
        platforms=image.platforms,
        build_args=dict(image.build_args),
        secrets=image.secrets,
        test=image.test,
        test_timeout=image.test_timeout,
        test_memory=image.test_memory,
    )


async def _warnings(source: Source, recipes: Mapping[str, _Recipe]) -> tuple[str, ...]:
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
    for path in {".gitattributes", _joined(folder, ".gitattributes")}:
        attributes = await source.mirror.read(source.sha, path) or b""
        if b"filter=lfs" in attributes:
            return True
    return False


async def _plan_pipeline(
    spec: Spec,
    image: ImagePlan | None,
    pachyderm: Cluster,
    *,
    reprocess: bool,
) -> PipelinePlan:
    project = spec.project or ""
    live = await pachyderm.inspect(project, spec.name)
    desired = await desire(to_json(spec), _full_reference(image), live, pachyderm)
    again = reprocess or wants_reprocessing(desired.spec_json)
    change = desired.change
    if again and change is Change.NONE:
        change = Change.UPDATE
    return PipelinePlan(
        project=project,
        name=spec.name,
        place=spec.place,
        spec=to_json(spec),
        image=image.name if image else None,
        change=change,
        version=live.version if live else None,
        differences=_in_short(desired.differences, image),
        reprocess=again,
    )


def _in_short(differences: Sequence[str], image: ImagePlan | None) -> tuple[str, ...]:
    """References of our own images are long, and which one it is follows from the plan."""
    if image is None:
        return tuple(differences)
    return tuple(
        f"new image of {image.name}" if each.startswith("transform.image:") else each
        for each in differences
    )


def _full_reference(image: ImagePlan | None) -> str | None:
    """The image as the spec will name it; without its digest where it is not built yet."""
    if image is None:
        return None
    return f"{image.reference}@{image.digest}" if image.digest else image.reference
