"""Plan: which images are built, which pipelines change, in what order; nothing is touched."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bot.domain.deployment import Request
from bot.domain.fork_dockerfile import check_dockerfile
from bot.domain.fork_spec import check_specs
from bot.domain.image import (
    parse_reference,
    same_repository,
)
from bot.domain.place import Reach
from bot.domain.plan import (
    Change,
    ImagePlan,
    PipelinePlan,
    Plan,
    check_name,
    image_of,
    select,
)
from bot.domain.spec import Spec, in_order, to_json, with_project
from bot.domain.trust import Trust
from bot.project import PROJECT_FILE
from bot.services.together import both, together
from bot.stages.asked import Cluster, Registry
from bot.stages.declared import Declared, read_declared, repositories_of
from bot.stages.desired import desire, wants_reprocessing
from bot.stages.fork import (
    DefaultBranch,
    check_images,
    check_no_secrets,
    check_project,
    check_public,
)
from bot.stages.plan_images import plan_images, tag_facts
from bot.stages.recipe import Recipe, build_order, read_recipes, warnings_of
from bot.stages.source import Source

if TYPE_CHECKING:
    from bot.domain.dockerfile import BaseImage

_APART = (
    "The commit comes from a fork: it is built apart, without secrets, registry logins, network "
    "and cache."
)


async def make_plan(
    source: Source,
    request: Request,
    *,
    project: str,
    reach: Reach,
    registry: Registry,
    pachyderm: Cluster,
    default: DefaultBranch | None = None,
) -> Plan:
    """Work out what the deployment would do; the registry and pachd are only asked.

    A pipeline out of `reach` is refused, unless `only` leaves it out. A commit that is not trusted is held against the default branch, which must then be given.
    """
    if (default is None) is not (request.trust is Trust.TRUSTED):
        msg = "an untrusted commit, and no other, is planned beside the default branch"
        raise AssertionError(msg)
    await pachyderm.version()
    declared, ours = await _declared(source, pachyderm, default)
    images = declared.images
    repositories = repositories_of(images)
    recipes = await read_recipes(source, images, repositories)
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
    for spec in specs:
        if _full_name(spec) in selection.pipelines:
            _check_reach(reach, spec, project)
    order = [name for name in build_order(recipes) if name in selection.images]
    chosen = {name: recipes[name] for name in order}
    if default is not None and ours is not None:
        await _check_builds(chosen, repositories, ours, default)
    facts = await tag_facts(source, request)
    planned = await plan_images(source, order, recipes, facts, registry, request.trust)
    warnings = await warnings_of(source, chosen)
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
    recipes: Mapping[str, Recipe],
    repositories: Mapping[str, str],
    ours: Declared,
    default: DefaultBranch,
) -> None:
    """Refuse a fork's builds that would need what a fork may not have."""
    known = await read_recipes(default.source, ours.images, repositories_of(ours.images))
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


def _check_reach(reach: Reach, spec: Spec, project: str) -> None:
    where, next_step = f"{spec.place}: pipeline.project", None
    if spec.project == project:
        where = f"{PROJECT_FILE}: environments.{reach.environment}.project"
        next_step = f"Give {reach.environment} a project that no other environment has."
    pipeline = f"pipeline {_full_name(spec)}"
    reach.check(spec.project or project, pipeline, where=where, next_step=next_step)
    for each in spec.ticks:
        reach.check(
            each,
            f"the repo of a cron input of {pipeline}",
            where=f"{spec.place}: input.cron.project",
            next_step="Take the project out of the cron input.",
        )


def _in_project(specs: Sequence[Spec], project: str) -> tuple[Spec, ...]:
    return tuple(with_project(spec, project) for spec in in_order(specs, project))


def _full_name(spec: Spec) -> str:
    return f"{spec.project}/{spec.name}"


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
