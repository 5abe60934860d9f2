"""Webhooks of GitHub: whether those of the last day have arrived."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bot.doctor.data import known_deliveries, known_repositories
from bot.doctor.finding import Check, good, note, warning
from bot.doctor.github import login
from bot.domain.finding import Finding
from bot.domain.reasons import Code, StoppedError
from bot.services.github import GitHub, Hook, NoHook, webhook_url
from bot.services.together import together
from bot.settings import Settings

_WHAT = "webhooks"
_MOST_NAMED = 3
_TO_END = 30.0
"""Seconds: at the end the requests that are under way are waited for."""
LOOK_BACK = timedelta(days=1)
LONGEST = 120.0
"""Seconds for all repositories; their calls go out a few at once."""


def checks(settings: Settings) -> Sequence[Check]:
    """Those of this file."""

    async def look() -> Sequence[Finding]:
        return await look_at(settings)

    return [Check(_WHAT, look, seconds=LONGEST + _TO_END)]


async def look_at(settings: Settings, *, longest: float = LONGEST) -> Sequence[Finding]:
    """The App's webhook, or with a token that of each repository that told us something lately."""
    try:
        github = login(settings.github)
    except StoppedError:
        # The check of GitHub says so.
        return []
    if github is None:
        return []
    address = webhook_url(settings.web.public_url)
    deadline = asyncio.get_running_loop().time() + longest
    try:
        places = ["the App"] if github.is_app else await known_repositories(settings.database_url)
        looks = [_look(github, place, address, settings.database_url, deadline) for place in places]
        found = dict(zip(places, await together(looks), strict=True))
    except StoppedError as stopped:
        # What is one repository's own raises nothing.
        return [_unknown(["they"], stopped)]
    finally:
        await github.close()
    seen = [each for findings in found.values() if isinstance(findings, list) for each in findings]
    return [*seen, *_of_refused(found), *_of_late(found, longest)]


async def _look(
    github: GitHub, place: str, address: str | None, database_url: str, deadline: float
) -> list[Finding] | StoppedError | None:
    """Why it cannot be looked at, which hides no other place; None where there was no time for it."""
    try:
        async with asyncio.timeout_at(deadline):
            hook = await _hook_of(github, place, address)
            if isinstance(hook, NoHook):
                fact = f"{place}: {hook}, so that what we miss is not asked for again"
                return [warning(_WHAT, fact, hook.next_step)]
            failed = await hook.failed_deliveries(datetime.now(UTC) - LOOK_BACK)
            # Of these only our answer was lost.
            known = await known_deliveries(database_url, [each.guid for each in failed])
            missed = [each.status_code for each in failed if each.guid not in known]
            return list(of_deliveries(missed, hook.place))
    except TimeoutError:
        return None
    except StoppedError as stopped:
        if stopped.reason.code is Code.GITHUB_LOGIN_REFUSED:
            raise
        return stopped


async def _hook_of(github: GitHub, place: str, address: str | None) -> Hook | NoHook:
    if github.is_app:
        return github.app_hook()
    owner, _, name = place.partition("/")
    return await github.for_repository(owner, name).our_hook(address)


def of_deliveries(failed: Sequence[int], place: str) -> Sequence[Finding]:
    """Webhooks of the last day that did not arrive, by the status that was answered."""
    if not failed:
        return [good(_WHAT, f"every webhook of {place} in the last day has arrived")]
    statuses = ", ".join(sorted({str(status or "no answer") for status in failed}))
    step = {
        True: "The secret differs: set PACHOPS_GITHUB_WEBHOOK_SECRETS to the webhook's.",
        False: "See Recent deliveries on the webhook's page; they are asked for again.",
    }[401 in failed]
    fact = f"{len(failed)} webhooks of {place} did not arrive ({statuses})"
    return [warning(_WHAT, fact, step)]


def _of_refused(found: Mapping[str, object]) -> Iterator[Finding]:
    """One for each kind of reason: what is wrong with one place is often wrong with all."""
    refused: dict[Code, tuple[list[str], StoppedError]] = {}
    for place, stopped in found.items():
        if isinstance(stopped, StoppedError):
            places, _ = refused.setdefault(stopped.reason.code, ([], stopped))
            places.append(place)
    return (_unknown(places, stopped) for places, stopped in refused.values())


def _of_late(found: Mapping[str, object], longest: float) -> Sequence[Finding]:
    late = [place for place, findings in found.items() if findings is None]
    if not late:
        return []
    fact = f"{_named(late)} could not be looked at within {longest:.0f} s"
    return [note(_WHAT, fact, "See Recent deliveries on the webhook's page.")]


def _unknown(places: Sequence[str], stopped: StoppedError) -> Finding:
    reason = stopped.reason
    fact = f"{_named(places)} could not be looked at: {reason.title}: {reason.fact}"
    return warning(_WHAT, fact, reason.next_step)


def _named(places: Sequence[str]) -> str:
    more = len(places) - _MOST_NAMED
    named = ", ".join(places[:_MOST_NAMED])
    return f"{named} and {more} more" if more > 0 else named
