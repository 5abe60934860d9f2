"""A published release: the environments that follow releases are deployed."""

from dataclasses import dataclass, replace

from bot.domain.command import Deploy
from bot.domain.deployment import Commit, Trigger
from bot.domain.github import ReleaseNow
from bot.domain.reasons import Code, StoppedError
from bot.store.deliveries import Delivery
from handlers.commands.gathering import Wish
from handlers.github import words
from handlers.github.answering import follow, leave, note_not_followed, refuse, refuse_at_last
from handlers.github.awaiting import look_again, noted_commit
from handlers.github.brought import Brought
from handlers.github.desk import Desk
from handlers.github.errand import Errand, errand_for
from handlers.github.payloads import Event, Payload, User
from handlers.github.rules_check import is_shown, show_broken
from handlers.reports.release import RELEASE, Release

GONE = frozenset({"deleted", "unpublished"})
"""The actions after which it is no release any more."""
_NOTED = 20
"""The newest releases of an environment, among which a later one is looked for: as none follows a
later one the newest is the latest, but one tag may be there several times."""


class ReleasePart(Payload):
    """The release."""

    id: int
    tag_name: str
    target_commitish: str = ""
    name: str | None = None
    body: str | None = None
    html_url: str = ""
    draft: bool = False
    published_at: str | None = None
    """ISO 8601, always in UTC."""
    updated_at: str | None = None
    """Likewise; older servers do not tell it."""
    author: User | None = None


class ReleaseEvent(Event):
    """Something happened to a release."""

    action: str
    release: ReleasePart

    @property
    def at(self) -> str:
        """When it came to be what it is: a pre-release can become a release long after."""
        published = self.release.published_at or ""
        return max(published, self.release.updated_at or "") if self.is_released else published

    @property
    def is_released(self) -> bool:
        """Whether it is, or has become, no pre-release; of any kind, it was published."""
        return self.action == "released"


async def handle(desk: Desk, delivery: Delivery) -> str:
    """Deploy the release's tag to the environments that follow releases."""
    event = ReleaseEvent.model_validate_json(delivery.payload)
    errand, tag = await errand_for(desk, delivery, event), event.release.tag_name
    if event.action in GONE:
        count = await look_again(errand, lambda each: each.request.release == tag)
        return f"{count} of it awaited checks"
    if event.release.draft:
        return "a draft of a release"
    try:
        rules = await errand.rules()
    except StoppedError as stopped:
        if not is_shown(errand, stopped):
            raise
        await note_not_followed(errand, f"release {tag}", stopped)
        sha, _ = await _sha_of(errand, tag)
        return await show_broken(errand, sha, Brought(Trigger.RELEASE, tag), stopped)
    environments = rules.following_release(released=event.is_released)
    if not environments:
        return f"no environment follows what is {event.action}"
    return await _follow(errand, environments, event)


async def _follow(errand: Errand, environments: tuple[str, ...], event: ReleaseEvent) -> str:
    release, tag = event.release, event.release.tag_name
    now, github_is_away = await _as_it_is(errand, event)
    if github_is_away is None and not _is_still(event, now):
        await leave(errand, words.release_gone(tag, errand.desk.safe))
        return "it is no such release any more"
    environments = await _not_yet_later(errand, environments, event)
    if not environments:
        return "a later release was deployed before this came"
    found = await _tagged(errand, tag, now)
    author = release.author.login if release.author else ""
    target, title = release.target_commitish or None, release.name or found.tag
    commit = Commit(found.sha, found.tag, target, title, author)

    def wish(name: str) -> Wish:
        return Wish(Trigger.RELEASE, Deploy(name), commit, release=found.tag)

    if found.changed is not None:
        return await refuse(errand, environments, wish, found.changed)
    if (is_away := github_is_away or found.git_is_away) is not None:
        return await refuse_at_last(errand, environments, wish, is_away)
    published = Release(tag, title, release.body or "", release.html_url, event.at)
    errand.source = replace(errand.source, notes={RELEASE: published.to_json()})
    return await follow(errand, environments, wish)


async def _as_it_is(
    errand: Errand, event: ReleaseEvent
) -> tuple[ReleaseNow | None, StoppedError | None]:
    """The release by now, which was told late, or has awaited checks; None where it is gone.

    At last, where GitHub does not say so, why, to be shown.
    """
    try:
        return await errand.client.release(event.release.id), None
    except StoppedError as stopped:
        if not is_shown(errand, stopped):
            raise
        return None, stopped


def _is_still(event: ReleaseEvent, now: ReleaseNow | None) -> bool:
    if now is None or now.is_draft:
        return False
    return not (event.is_released and now.is_prerelease)


@dataclass(frozen=True)
class _Tagged:
    """The commit that a release brings, which stays the one that was read first."""

    tag: str
    sha: str
    changed: StoppedError | None = None
    """Why it is not the release's any more."""
    git_is_away: StoppedError | None = None
    """Why that is not known."""


async def _tagged(errand: Errand, tag: str, now: ReleaseNow | None) -> _Tagged:
    noted = await noted_commit(errand)
    if now is not None and now.tag != tag:
        changed = _changed(f"it was published as {tag}, and its tag is {now.tag} by now")
        if noted is not None:
            return _Tagged(tag, noted, changed)
        sha, _ = await _sha_of(errand, now.tag)
        return _Tagged(now.tag, sha, changed)
    sha, is_away = await _sha_of(errand, tag, noted)
    if noted in {None, sha}:
        return _Tagged(tag, sha, git_is_away=is_away)
    fact = f"{tag} was at {noted} when its checks began to be awaited, and is at {sha} by now"
    return _Tagged(tag, noted, _changed(fact))


def _changed(fact: str) -> StoppedError:
    return StoppedError(Code.RELEASE_CHANGED, fact)


async def _sha_of(
    errand: Errand, tag: str, noted: str | None = None
) -> tuple[str, StoppedError | None]:
    """The tag's commit; at last, to be shown there that git did not say it, and why.

    Then it is the one that was `noted`, or that GitHub names.
    """
    try:
        found = await errand.desk.deployer.resolve(errand.address, f"refs/tags/{tag}")
    except StoppedError as error:
        is_unknown = error.reason.code is Code.REF_UNKNOWN
        stopped = StoppedError(Code.GIT_BEHIND, f"git shows no tag {tag}") if is_unknown else error
    else:
        return found.sha, None
    if not errand.source.is_last or not errand.desk.github.is_app:
        raise stopped
    return noted or await _named_by_github(errand, tag, stopped), stopped


async def _named_by_github(errand: Errand, tag: str, stopped: StoppedError) -> str:
    try:
        return await errand.client.commit_of_tag(tag)
    except StoppedError as error:
        if error.reason.code is not Code.GITHUB_REFUSED:
            raise
        # There is no commit to show it on: `why` and the log have it.
        await note_not_followed(errand, f"release {tag}", stopped)
        raise stopped from error


async def _not_yet_later(
    errand: Errand, environments: tuple[str, ...], event: ReleaseEvent
) -> tuple[str, ...]:
    """Without those that a later release came to: deliveries come late and in any order."""
    return tuple([each for each in environments if not await _has_later(errand, each, event)])


async def _has_later(errand: Errand, environment: str, event: ReleaseEvent) -> bool:
    found = await errand.desk.deployer.deployments.newest_noted(
        errand.address, environment, RELEASE, most=_NOTED
    )
    others = (each for each in found if each.get("tag") != event.release.tag_name)
    return any((each.get("at") or "") > event.at for each in others)
