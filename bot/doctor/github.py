"""GitHub: who we are there, what we may do, where its webhooks go, and the clocks."""

from collections.abc import Collection, Mapping, Sequence

from bot.doctor.finding import Check, fault, good, note, warning
from bot.domain.finding import Finding
from bot.services.github import (
    EVENTS,
    PERMISSIONS,
    WEBHOOK_PATH,
    AppView,
    GitHub,
    api_url,
)
from bot.services.reach import fetch
from bot.settings import GitHubSettings, Settings

_WHAT = "GitHub"
LEAST = PERMISSIONS
"""What the App needs, and no more."""
_FOR_TEAMS = "members"
_LEVELS = {"read": 1, "write": 2, "admin": 3}
_USEFUL_SCOPES = frozenset(
    {"repo", "public_repo", "read:org", "repo_deployment", "admin:repo_hook"}
)
"""Of a classic token: with the last it sees which webhooks did not arrive."""
MOST_SKEW = 30.0
"""Seconds that our clock may be off: GitHub refuses a login from the future."""
_APP_PAGE = (
    "Change it on the App's page under Permissions & events, then accept it for each installation."
)


def checks(settings: Settings) -> Sequence[Check]:
    """Those of this file."""

    async def look() -> Sequence[Finding]:
        return await look_at(settings)

    return [Check(_WHAT, look, seconds=60.0)]


async def look_at(settings: Settings) -> Sequence[Finding]:
    """Everything about our login there."""
    github = login(settings.github)
    if github is None:
        step = (
            "Set PACHOPS_GITHUB_APP_ID and PACHOPS_GITHUB_PRIVATE_KEY_FILE, "
            "or PACHOPS_GITHUB_TOKEN. The command line works without."
        )
        return [note(_WHAT, "the settings have no login", step)]
    try:
        # Without the login: a clock that is off would have it refused.
        answer = await fetch(f"{api_url(settings.github.base_url)}/meta")
        found = list(of_clock(answer.skew)) if answer.skew is not None else []
        if not github.is_app:
            return [*found, *of_token(await github.token_scopes())]
        app = await github.app()
        found += [good(_WHAT, f"the App {app.slug}"), *of_permissions(app), *of_events(app, EVENTS)]
        found += of_installations(await github.installation_permissions())
        found += of_hook(await github.hook_url(), settings.web.public_url)
        return [*found, *_of_secret(settings.github)]
    finally:
        await github.close()


def of_clock(skew: float) -> Sequence[Finding]:
    """How far our clock is ahead of GitHub's, in seconds."""
    if abs(skew) <= MOST_SKEW:
        return [good("clock", f"{abs(skew):.0f} s from GitHub's")]
    way = "ahead of" if skew > 0 else "behind"
    step = "Let the machine set its clock (`timedatectl set-ntp true`)."
    return [fault("clock", f"{abs(skew):.0f} s {way} GitHub's", step)]


def of_permissions(app: AppView) -> Sequence[Finding]:
    """What it lacks, and what it has in vain."""
    lacks = _lacking(app.permissions)
    if lacks:
        return [fault(_WHAT, f"the App lacks the permissions {', '.join(lacks)}", _APP_PAGE)]
    known = {*LEAST, _FOR_TEAMS}
    extra = sorted(
        f"{name}: {level}"
        for name, level in app.permissions.items()
        if name not in known or _LEVELS.get(level, 0) > _LEVELS.get(LEAST.get(name, "read"), 1)
    )
    found = [good(_WHAT, "the App has the permissions that it needs")]
    if extra:
        found.append(note(_WHAT, f"the App may more than it needs: {', '.join(extra)}", _APP_PAGE))
    if _FOR_TEAMS not in app.permissions:
        fact = "the App may not see who is in which team (members: read)"
        found.append(note(_WHAT, fact, "Give it that where `deployers` or approvals name teams."))
    return found


def of_events(app: AppView, wanted: Collection[str]) -> Sequence[Finding]:
    """Webhooks that it does not get."""
    lacks = sorted(set(wanted) - set(app.events))
    if lacks:
        return [fault(_WHAT, f"the App is not told of {', '.join(lacks)}", _APP_PAGE)]
    return [good(_WHAT, "the App is told of every event that it handles")]


def of_installations(installed: Mapping[str, Mapping[str, str]]) -> Sequence[Finding]:
    """Accounts that have not accepted what the App needs."""
    if not installed:
        return [fault(_WHAT, "the App is installed nowhere", "Install it from its page.")]
    found = []
    for account, permissions in installed.items():
        lacks = _lacking(permissions)
        if lacks:
            fact = f"{account} has not granted {', '.join(lacks)}"
            step = f"An owner of {account} accepts the new permissions, in the App's installation."
            found.append(fault(_WHAT, fact, step))
    return found or [good(_WHAT, f"installed for {', '.join(sorted(installed))}")]


def of_hook(url: str | None, public_url: str | None) -> Sequence[Finding]:
    """Whether webhooks come here."""
    if not url:
        step = "Set the webhook's URL on the App's page to .../github/webhook, and a secret."
        return [fault(_WHAT, "the App has no webhook", step)]
    if public_url and url.rstrip("/") != f"{public_url}{WEBHOOK_PATH}":
        fact = f"webhooks go to {url}, and PACHOPS_WEB_PUBLIC_URL is {public_url}"
        step = f"Set the webhook's URL on the App's page to {public_url}{WEBHOOK_PATH}."
        return [warning(_WHAT, fact, step)]
    return [good(_WHAT, f"webhooks go to {url}")]


def of_token(scopes: Collection[str] | None) -> Sequence[Finding]:
    """A classic token's scopes; None for another token, which does not tell."""
    if scopes is None:
        step = "It needs contents: read, pull requests, issues and deployments: write."
        return [note(_WHAT, "the token works; it does not say what it may", step)]
    if not {"repo", "public_repo"} & set(scopes):
        step = "Make a token with the scope repo (or public_repo), or use an App."
        return [fault(_WHAT, f"the token has the scopes {', '.join(scopes) or 'none'}", step)]
    extra = sorted(set(scopes) - _USEFUL_SCOPES)
    found = [good(_WHAT, "the token may use repositories")]
    if extra:
        step = "Make one that has only the scope repo."
        found.append(warning(_WHAT, f"the token may also: {', '.join(extra)}", step))
    return found


def _of_secret(settings: GitHubSettings) -> Sequence[Finding]:
    if settings.webhook_secrets:
        return []
    step = "Set PACHOPS_GITHUB_WEBHOOK_SECRETS to the secret on the App's page."
    return [fault(_WHAT, "there is no webhook secret, so `pachops serve` does not start", step)]


def _lacking(permissions: Mapping[str, str]) -> list[str]:
    return [
        f"{name}: {level}"
        for name, level in LEAST.items()
        if _LEVELS.get(permissions.get(name, ""), 0) < _LEVELS[level]
    ]


def login(settings: GitHubSettings) -> GitHub | None:
    """GitHub with the settings' login; None where they have none."""
    url = api_url(settings.base_url)
    if settings.app_id is not None and settings.private_key is not None:
        return GitHub.as_app(settings.app_id, settings.private_key, base_url=url)
    if settings.token is not None:
        return GitHub.with_token(settings.token, base_url=url)
    return None
