"""What Slack tells arrives once it is written down, over sockets and by requests."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError
from bot.services.slack import Kind, Lines, Told
from tests.handlers.github.world import served
from tests.standins.slack.server import SlackServer


class Ears:
    """Writes down what it is told, or fails to."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.is_full = False

    async def take(self, told: Told) -> None:
        if self.is_full:
            raise StoppedError(Code.DISK_FULL, "no space")
        self.told.append(told)


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with SlackServer() as slack:
        yield slack


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def lines(slack: SlackServer, ears: Ears) -> Lines:
    return Lines(
        SecretStr(slack.app.bot_token),
        ears.take,
        secrets=[SecretStr("the next one"), SecretStr(slack.app.signing_secret)],
        base_url=slack.api_url,
    )


@asynccontextmanager
async def by_socket(slack: SlackServer, lines: Lines) -> AsyncIterator[None]:
    holding = asyncio.create_task(lines.hold(SecretStr(slack.app.app_token)))
    try:
        await slack.expect_connection()
        yield
    finally:
        holding.cancel()
        await asyncio.wait({holding})


@asynccontextmanager
async def by_request(slack: SlackServer, lines: Lines) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/slack/events", lines.answer)
    async with served(app) as url:
        slack.send_requests_to(f"{url}/slack/events")
        yield f"{url}/slack/events"


@asynccontextmanager
async def reached(way: str, slack: SlackServer, lines: Lines) -> AsyncIterator[None]:
    async with by_socket(slack, lines) if way == "socket" else by_request(slack, lines):
        yield


both_ways = pytest.mark.parametrize("way", ["socket", "http"])


@both_ways
async def test_a_command_is_told_and_acknowledged_without_words(
    way: str, slack: SlackServer, lines: Lines, ears: Ears
) -> None:
    ann = slack.person("ann")
    async with reached(way, slack, lines):
        ack = await slack.types(ann, "/pachops deploy staging", slack.channel("ml", ann))
    (told,) = ears.told
    assert (ack.is_ok, not ack.body) == (True, True)
    assert (told.kind, told.user, told.payload["text"]) == (
        Kind.COMMAND,
        ann.id,
        "deploy staging",
    )
    assert told.team == slack.app.team
    assert "token" not in told.payload


@both_ways
async def test_what_cannot_be_written_down_is_not_acknowledged(
    way: str, slack: SlackServer, lines: Lines, ears: Ears
) -> None:
    ann = slack.person("ann")
    ears.is_full = True
    slack.lines.patience = 0.5
    async with reached(way, slack, lines):
        ack = await slack.types(ann, "/pachops status", slack.channel("ml", ann))
    assert not ack.is_ok


@both_ways
async def test_what_is_told_again_is_known_by_its_identity(
    way: str, slack: SlackServer, lines: Lines, ears: Ears
) -> None:
    ann = slack.person("ann")
    async with reached(way, slack, lines):
        await slack.opens_home(ann)
        await slack.tells_last_again()
    first, again = ears.told
    assert (first.kind, first.identity) == (Kind.EVENT, again.identity)


async def test_a_socket_that_breaks_is_opened_again(
    slack: SlackServer, lines: Lines, ears: Ears
) -> None:
    ann = slack.person("ann")
    async with by_socket(slack, lines):
        slack.lines.drop()
        await slack.expect_connection(0)
        await slack.expect_connection()
        await slack.opens_home(ann)
    assert len(ears.told) == 1


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"X-Slack-Signature": "v0=" + "0" * 64}, 401),
        ({"X-Slack-Signature": "v0=\u00fc"}, 401),
        ({"X-Slack-Signature": ""}, 401),
        ({"X-Slack-Request-Timestamp": ""}, 401),
        ({"X-Slack-Request-Timestamp": "soon"}, 401),
        ({"X-Slack-Request-Timestamp": "1000000000"}, 401),
        ({}, 200),
    ],
)
async def test_a_request_that_is_not_slacks_is_refused(
    slack: SlackServer,
    lines: Lines,
    ears: Ears,
    changed: dict[str, str],
    status: int,
) -> None:
    body = b"command=%2Fpachops&text=help&user_id=U1&trigger_id=1&team_id=T1"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    headers |= slack.lines.signature(body) | changed
    async with (
        by_request(slack, lines) as url,
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=headers) as answer,
    ):
        assert answer.status == status
    assert len(ears.told) == (status == 200)


@pytest.mark.parametrize(
    "body",
    [
        b"payload=%7Bnot+json",
        b"payload=7",
        b"",
        b"payload=%5B%5D",
        # Nothing tells it from another: of two like this, one would be lost.
        b"command=%2Fpachops&text=help&user_id=U1&team_id=T1",
        b"command=%2Fpachops&text=help&user_id=U1&team_id=T1&trigger_id=",
    ],
)
async def test_a_body_that_is_no_telling_is_refused_and_not_logged(
    slack: SlackServer,
    lines: Lines,
    body: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    headers |= slack.lines.signature(body)
    async with (
        by_request(slack, lines) as url,
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=headers) as answer,
    ):
        assert answer.status == 400
    assert all("payload" not in each.getMessage() for each in caplog.records)


async def test_a_body_that_cannot_be_read_is_refused(slack: SlackServer, lines: Lines) -> None:
    body = b"not deflated"
    headers = {"Content-Encoding": "gzip"} | slack.lines.signature(body)
    async with (
        by_request(slack, lines) as url,
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=headers) as answer,
    ):
        assert answer.status == 400


async def test_slack_may_ask_whether_the_address_is_ours(slack: SlackServer, lines: Lines) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "abc"}).encode()
    headers = {"Content-Type": "application/json"} | slack.lines.signature(body)
    async with (
        by_request(slack, lines) as url,
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=headers) as answer,
    ):
        assert (answer.status, await answer.json()) == (200, {"challenge": "abc"})


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message", "bot_id": "B1", "text": "hello"},
        {"type": "message", "subtype": "message_changed"},
    ],
)
async def test_what_no_person_said_is_left_alone(
    slack: SlackServer, lines: Lines, ears: Ears, event: dict[str, str]
) -> None:
    ann = slack.person("ann")
    async with by_request(slack, lines):
        ack = await slack.event(ann, event)
    assert (ack.is_ok, ears.told) == (True, [])


def test_slacks_own_variables_change_nothing(
    slack: SlackServer, ears: Ears, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CLIENT_ID", "CLIENT_SECRET", "BOT_TOKEN", "SIGNING_SECRET", "APP_TOKEN"):
        monkeypatch.setenv(f"SLACK_{name}", "another")
    lines = Lines(SecretStr("xoxb-ours"), ears.take, base_url=slack.api_url)
    assert lines._app.oauth_flow is None
    assert lines._app.client.token == "xoxb-ours"
