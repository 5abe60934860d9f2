"""A published release: the environments that follow releases are deployed."""

from dataclasses import replace

from bot.domain.command import Deploy
from bot.domain.deployment import Commit, Trigger
from bot.domain.reasons import StoppedError
from bot.store.deliveries import Delivery
from handlers.commands.gathering import Wish
from handlers.github.answering import follow
from handlers.github.desk import Desk
from handlers.github.errand import Errand
from handlers.github.payloads import Event, Payload, User
from handlers.github.rules_check import is_shown, show_broken
from handlers.reports.release import RELEASE, Release

_SEARCHED = 50
"""The newest deployments of a repository, among which a later release is looked for."""


class ReleasePart(Payload):
    """The release."""

    tag_name: str
    target_commitish: str = ""
    name: str | None = None
    body: str | None = None
    html_url: str = ""
    draft: bool = False
    published_at: str | None = None
    """ISO 8601, always in UTC."""
    author: User | None = None


class ReleaseEvent(Event):
    """Something happened to a release."""

    action: str
    release: ReleasePart


async def handle(desk: Desk, delivery: Delivery) -> str:
    """Deploy the release's tag to the environments that follow releases."""
    event = ReleaseEvent.model_validate_json(delivery.payload)
    release = event.release
    if event.action != "published" or release.draft:
        return f"release {event.action}"
    errand = Errand(desk, delivery, event)
    tag = release.tag_name
    try:
        environments = (await errand.rules()).following(Trigger.RELEASE)
    except StoppedError as stopped:
        if not is_shown(errand, stopped):
            raise
        found = await desk.deployer.resolve(errand.address, f"refs/tags/{tag}")
        return await show_broken(errand, found.sha, stopped)
    if not environments:
        return "no environment follows releases"
    environments = await _not_yet_later(errand, environments, release)
    if not environments:
        return "a later release was deployed before this came"
    found = await desk.deployer.resolve(errand.address, f"refs/tags/{tag}")
    author = release.author.login if release.author else ""
    commit = Commit(found.sha, tag, release.target_commitish or None, release.name or tag, author)
    published = Release(
        tag, release.name or tag, release.body or "", release.html_url, release.published_at
    )
    errand.source = replace(errand.source, notes={RELEASE: published.to_json()})
    return await follow(
        errand, environments, lambda name: Wish(Trigger.RELEASE, Deploy(name), commit, release=tag)
    )


async def _not_yet_later(
    errand: Errand, environments: tuple[str, ...], release: ReleasePart
) -> tuple[str, ...]:
    """Without those that a later release came to: deliveries come late and in any order."""
    deployments, reached = errand.desk.deployer.deployments, set()
    for each in await deployments.list(repository=errand.address, limit=_SEARCHED):
        if each.request.trigger is not Trigger.RELEASE:
            continue
        noted = await deployments.load(each.id, RELEASE) or {}
        if noted.get("tag") != release.tag_name and (noted.get("at") or "") > (
            release.published_at or ""
        ):
            reached.add(each.request.environment)
    return tuple(each for each in environments if each not in reached)
