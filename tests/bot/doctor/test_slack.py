from collections.abc import AsyncIterator, Mapping

import pytest

from bot.doctor.examine import examine
from bot.doctor.slack import checks
from bot.domain.finding import Finding, Level
from bot.redact import Redactor
from bot.settings import load_settings
from tests.standins.slack.app import SCOPES
from tests.standins.slack.server import SlackServer


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with SlackServer() as server:
        yield server


async def look(slack: SlackServer, **changed: str) -> tuple[Finding, ...]:
    environ: Mapping[str, str] = {
        "HOME": "/nowhere",
        "PACHOPS_SLACK_BOT_TOKEN": slack.app.bot_token,
        "PACHOPS_SLACK_APP_TOKEN": slack.app.app_token,
        "PACHOPS_SLACK_BASE_URL": slack.api_url.rstrip("/"),
    }
    settings = load_settings({**environ, **changed})
    return await examine(checks(settings), Redactor(settings.secrets()))


async def test_all_is_well(slack: SlackServer) -> None:
    found = await look(slack)
    assert {each.level for each in found} == {Level.GOOD}
    assert "pachops in Acme" in found[0].fact


async def test_a_scope_that_is_missing_is_named_and_how_to_add_it(slack: SlackServer) -> None:
    slack.app.scopes = SCOPES - {"files:write"}
    (fault,) = (each for each in await look(slack) if each.level is Level.FAULT)
    assert "lacks the scope files:write, to show the log" in fault.fact
    assert "Scopes" in fault.next_step


async def test_scopes_that_nobody_needs_are_told(slack: SlackServer) -> None:
    slack.app.scopes = SCOPES | {"channels:history"}
    (note,) = (each for each in await look(slack) if each.level is Level.NOTE)
    assert "channels:history" in note.fact


@pytest.mark.parametrize(
    "changed",
    [
        {"PACHOPS_SLACK_BOT_TOKEN": "xoxb-1-of-nobody"},
        {"PACHOPS_SLACK_APP_TOKEN": "xapp-1-of-nobody"},
        {"PACHOPS_SLACK_BASE_URL": "http://127.0.0.1:9/api"},
    ],
)
async def test_a_token_that_does_not_work_is_a_fault_and_is_not_told(
    slack: SlackServer, changed: dict[str, str]
) -> None:
    found = await look(slack, **changed)
    assert Level.FAULT in {each.level for each in found}
    assert not any("of-nobody" in f"{each.fact} {each.next_step}" for each in found)


async def test_mode_http_needs_an_address(slack: SlackServer) -> None:
    http = {"PACHOPS_SLACK_MODE": "http", "PACHOPS_SLACK_SIGNING_SECRETS": "a-secret-of-slack"}
    assert (await look(slack, **http))[-1].level is Level.FAULT
    public = {"PACHOPS_WEB_PUBLIC_URL": "https://pachops.example.com"}
    told = (await look(slack, **http, **public))[-1]
    assert told.level is Level.NOTE
    assert "https://pachops.example.com/slack/events" in told.fact


async def test_without_slack_that_is_all_that_is_said() -> None:
    settings = load_settings({"HOME": "/nowhere"})
    (found,) = await examine(checks(settings), Redactor(settings.secrets()))
    assert (found.what, found.level) == ("Slack", Level.NOTE)
