"""`pachops setup slack` says what is missing."""

from collections.abc import AsyncIterator

import pytest

from bot.settings import SlackSettings
from bot.slack_setup import set_up
from tests.standins.slack.app import SCOPES
from tests.standins.slack.faults import refused
from tests.standins.slack.server import SlackServer


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with SlackServer() as server:
        yield server


async def run(
    slack: SlackServer, address: str | None = None, **settings: object
) -> tuple[bool, str]:
    """Whether nothing is missing, and all that was said."""
    given = {"bot_token": slack.app.bot_token, "app_token": slack.app.app_token} | settings
    said: list[str] = []
    base_url = slack.api_url.rstrip("/")
    whole = SlackSettings.model_validate(given | {"base_url": base_url})
    is_whole = await set_up(whole, address, said.append)
    return is_whole, "\n".join(said)


async def test_all_is_well(slack: SlackServer) -> None:
    is_whole, said = await run(slack)
    assert is_whole
    assert "✓ the bot token is pachops's, in Acme" in said
    assert "✓ it has all 8 scopes" in said
    assert "✓ the app token opens sockets" in said
    assert "✗" not in said


async def test_nothing_is_set(slack: SlackServer) -> None:
    said: list[str] = []
    assert not await set_up(SlackSettings(), None, said.append)
    assert "✗ PACHOPS_SLACK_BOT_TOKEN is not set" in "\n".join(said)
    assert slack.calls == []


async def test_missing_scope_is_named_with_what_it_is_for(slack: SlackServer) -> None:
    slack.app.scopes = SCOPES - {"files:write"}
    is_whole, said = await run(slack)
    assert not is_whole
    assert "✗ the bot token lacks the scope files:write, to show the log" in said


async def test_more_than_is_needed_is_said(slack: SlackServer) -> None:
    slack.app.scopes = SCOPES | {"channels:history"}
    is_whole, said = await run(slack)
    assert is_whole
    assert "channels:history" in said


async def test_wrong_bot_token(slack: SlackServer) -> None:
    is_whole, said = await run(slack, bot_token="xoxb-wrong")
    assert not is_whole
    assert "✗ Slack refused: auth.test: invalid_auth" in said
    assert "xoxb-wrong" not in said


async def test_app_token_without_its_scope(slack: SlackServer) -> None:
    slack.app.app_scopes = frozenset()
    is_whole, said = await run(slack)
    assert not is_whole
    assert "connections:write" in said.partition("What is set now")[2]


async def test_mode_http_walks_another_way(slack: SlackServer) -> None:
    secrets = {"app_token": None, "mode": "http", "signing_secrets": ["secret"]}
    is_whole, said = await run(slack, "https://bot.acme.io", **secrets)
    assert is_whole
    assert "Signing Secret" in said
    assert "cannot be checked from here" in said
    assert slack.called("apps.connections.open") == 0


async def test_outage_is_no_missing_scope(slack: SlackServer) -> None:
    slack.fail("auth.test", refused("token_revoked"))
    is_whole, said = await run(slack)
    assert not is_whole
    assert "lacks the scope" not in said
