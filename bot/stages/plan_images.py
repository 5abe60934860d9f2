"""What is planned for the images: their content, tags, and whether the registry has them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.domain.deployment import Request
from bot.domain.image import TagFacts, fork_tag, render_tags
from bot.domain.plan import ImagePlan, content_key, fork_key
from bot.domain.reasons import Code, StoppedError
from bot.domain.trust import Trust
from bot.services.docker import excluded
from bot.services.together import together
from bot.stages.asked import Registry
from bot.stages.fork import check_place
from bot.stages.recipe import Recipe, joined
from bot.stages.source import Source


async def tag_facts(source: Source, request: Request) -> TagFacts:
    """What tags are made of."""
    described = await source.mirror.describe(source.sha)
    return TagFacts(
        sha=source.sha,
        branch=request.commit.branch,
        release=request.release,
        date=described.committed_at[:10],
    )


async def plan_images(
    source: Source,
    order: Sequence[str],
    recipes: Mapping[str, Recipe],
    facts: TagFacts,
    registry: Registry,
    trust: Trust,
) -> dict[str, ImagePlan]:
    """Each image's plan; the registry is only asked.

    Args:
        source: the commit.
        order: the names of those that are wanted, bases first.
        recipes: all that there are.
        facts: for their tags.
        registry: which content it has already.
        trust: what is not trusted has tags and content of its own.
    """
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


async def _context_tree(source: Source, name: str, recipe: Recipe) -> str:
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
    rules = await source.mirror.read(source.sha, joined(folder, ignore_file)) or b""
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
    recipe: Recipe,
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
