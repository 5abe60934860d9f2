"""Slack: its tokens, what they may do, and how Slack reaches the bot."""

from collections.abc import Sequence

from pydantic import SecretStr

from bot.doctor.finding import Check, fault, good, note
from bot.domain.finding import Finding
from bot.domain.slack import APP_SCOPES, BOT_SCOPES, PATH
from bot.services.slack import Slack, check_app_token
from bot.settings import Settings

_BOT = "Slack bot token"
_APP = "Slack app token"
_REQUESTS = "Slack requests"
_ADD = (
    "In the app's settings, OAuth & Permissions, Scopes: add it, install the app again, and copy "
    "the token anew where it has changed."
)


def checks(settings: Settings) -> Sequence[Check]:
    """Those that the settings call for."""
    slack = settings.slack
    token, app_token = slack.bot_token, slack.app_token
    if token is None:
        return [Check(_BOT, _none)]

    async def bot() -> Sequence[Finding]:
        return await of_bot_token(token, slack.api_url)

    found = [Check(_BOT, bot)]
    if slack.mode == "http":

        async def requests() -> Sequence[Finding]:
            return of_requests(settings.web.public_url)

        found.append(Check(_REQUESTS, requests))
    elif app_token is not None:

        async def app() -> Sequence[Finding]:
            return await of_app_token(app_token, slack.api_url)

        found.append(Check(_APP, app))
    return found


async def of_bot_token(token: SecretStr, api_url: str) -> Sequence[Finding]:
    """Whose it is, and whether it may do all that pachops does."""
    slack = Slack(token, base_url=api_url)
    try:
        login = await slack.login()
    finally:
        await slack.close()
    found = [good(_BOT, f"{login.name} in {login.team_name} ({login.url})")]
    if login.scopes is None:
        fact = "Slack does not name the token's scopes, so they cannot be checked"
        return [*found, note(_BOT, fact)]
    missing = [each for each in BOT_SCOPES if each not in login.scopes]
    found += [
        fault(_BOT, f"it lacks the scope {each}, {BOT_SCOPES[each]}", _ADD) for each in missing
    ]
    if not missing:
        found.append(good(_BOT, f"it has all {len(BOT_SCOPES)} scopes"))
    if more := sorted(login.scopes - BOT_SCOPES.keys()):
        step = "Take them away in the app's settings, unless something else needs them."
        found.append(note(_BOT, f"it may do more than pachops needs: {', '.join(more)}", step))
    return found


async def of_app_token(token: SecretStr, api_url: str) -> Sequence[Finding]:
    """Whether it opens sockets; that address is asked for, and not used."""
    await check_app_token(token, base_url=api_url)
    return [good(_APP, f"it opens sockets ({', '.join(APP_SCOPES)})")]


def of_requests(public_url: str | None) -> Sequence[Finding]:
    """Where Slack has to send them; whether it does is known to Slack only."""
    if public_url is None:
        fact = "mode http needs an address that Slack can reach, and the settings have none"
        step = "Set PACHOPS_WEB_PUBLIC_URL, or PACHOPS_SLACK_MODE=socket."
        return [fault(_REQUESTS, fact, step)]
    step = (
        "A wrong signing secret refuses every request: in the app's settings, Event Subscriptions, "
        "let Slack verify the Request URL."
    )
    return [note(_REQUESTS, f"Slack must send them to {public_url}{PATH}", step)]


async def _none() -> Sequence[Finding]:
    step = "`pachops setup slack` leads to an app, if you want one."
    return [note("Slack", "it is not set up: nobody is told there", step)]
