"""`pachops setup slack`: the way to the app, and a check of every token and scope."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from pydantic import SecretStr

from bot.domain.reasons import StoppedError
from bot.domain.slack import BOT_SCOPES
from bot.services.slack import Slack, check_app_token
from bot.settings import SlackSettings
from handlers.slack import setup_words as words


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    line: str
    is_good: bool = True


async def set_up(settings: SlackSettings, address: str | None, say: Callable[[str], None]) -> bool:
    """Walk through it and check what is set; whether nothing is missing."""
    for line in words.guide(address):
        say(line)
    say(words.CHECKED)
    findings = [finding async for finding in _findings(settings)]
    for finding in findings:
        say(finding.line)
    is_whole = all(finding.is_good for finding in findings)
    say(words.ALL_WELL if is_whole else words.NOT_YET)
    return is_whole


async def _findings(settings: SlackSettings) -> AsyncIterator[Finding]:
    if settings.bot_token is None:
        yield Finding(words.bad(words.NOT_SET), is_good=False)
        return
    async for finding in _bot_token(settings.bot_token, settings.api_url):
        yield finding
    if settings.app_token is not None:
        yield await _app_token(settings.app_token, settings.api_url)
    if settings.signing_secrets:
        yield Finding(words.open_question(words.NOT_CHECKED))


async def _bot_token(token: SecretStr, api_url: str) -> AsyncIterator[Finding]:
    slack = Slack(token, base_url=api_url)
    try:
        login = await slack.login()
    except StoppedError as stopped:
        yield _stopped(stopped)
        return
    finally:
        await slack.close()
    yield Finding(words.good(words.login(login)))
    if login.scopes is None:
        yield Finding(words.open_question(words.SCOPES_UNKNOWN))
        return
    missing = [scope for scope in BOT_SCOPES if scope not in login.scopes]
    for scope in missing:
        line = words.bad(words.missing_scope(scope), words.ADD_SCOPES)
        yield Finding(line, is_good=False)
    if not missing:
        yield Finding(words.good(words.scopes()))
    if more := login.scopes - BOT_SCOPES.keys():
        yield Finding(words.open_question(words.needless_scopes(more)))


async def _app_token(token: SecretStr, api_url: str) -> Finding:
    try:
        await check_app_token(token, base_url=api_url)
    except StoppedError as stopped:
        return _stopped(stopped)
    return Finding(words.good(words.app_token()))


def _stopped(stopped: StoppedError) -> Finding:
    reason = stopped.reason
    return Finding(words.bad(f"{reason.title}: {reason.fact}", reason.next_step), is_good=False)
