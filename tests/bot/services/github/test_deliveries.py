"""Webhooks that did not arrive are found and asked for again."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.domain.reasons import Code, StoppedError
from bot.services.github import GitHub, app_from_manifest
from tests.standins.github.server import GitHubServer

LONG_AGO = datetime.now(UTC) - timedelta(days=1)


class Receiver:
    """A bot that answers as it is told."""

    def __init__(self) -> None:
        self.status = 202
        self.guids: list[str] = []

    async def take(self, request: web.Request) -> web.Response:
        self.guids.append(request.headers["X-GitHub-Delivery"])
        return web.Response(status=self.status)


@pytest.fixture
async def receiver(server: GitHubServer) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/", receiver.take)
    async with TestServer(application) as web_server:
        server.send_webhooks_to(str(web_server.make_url("/")))
        yield receiver
        server.send_webhooks_to("")


async def test_what_arrived_has_not_failed(
    github: GitHub, server: GitHubServer, receiver: Receiver
) -> None:
    await server.push("acme/edges", {"a": "1"})

    assert receiver.guids
    assert await github.app_hook().failed_deliveries(LONG_AGO) == ()


async def test_what_was_refused_has_failed_oldest_first(
    github: GitHub, server: GitHubServer, receiver: Receiver
) -> None:
    receiver.status = 503
    await server.push("acme/edges", {"a": "1"})
    await server.push("acme/edges", {"a": "2"})

    failed = await github.app_hook().failed_deliveries(LONG_AGO)

    assert [each.guid for each in failed] == receiver.guids
    assert {each.event for each in failed} == {"push"}


async def test_what_nobody_answered_has_failed(github: GitHub, server: GitHubServer) -> None:
    server.send_webhooks_to("http://127.0.0.1:9/")
    await server.push("acme/edges", {"a": "1"})

    (failed,) = await github.app_hook().failed_deliveries(LONG_AGO)

    assert failed.status_code == 0


async def test_what_failed_comes_again_with_its_own_guid(
    github: GitHub, server: GitHubServer, receiver: Receiver
) -> None:
    receiver.status = 503
    await server.push("acme/edges", {"a": "1"})
    (failed,) = await github.app_hook().failed_deliveries(LONG_AGO)
    receiver.status = 202

    await github.app_hook().redeliver(failed.id)

    assert failed.began_at == failed.delivered_at
    await server.expect(
        "a second delivery",
        lambda: len(server.webhooks.all[0].attempts) == 2 or None,
        lambda: server.webhooks.all,
    )
    assert receiver.guids == [failed.guid, failed.guid]
    assert await github.app_hook().failed_deliveries(LONG_AGO) == ()


async def test_of_what_was_asked_for_since_it_is_known_that_it_began_before(
    github: GitHub, server: GitHubServer, receiver: Receiver
) -> None:
    receiver.status = 503
    await server.push("acme/edges", {"a": "1"})
    began = server.webhooks.all[0].attempts[0].at
    server.advance(120)
    since = began + timedelta(seconds=60)
    await server.webhooks.deliver(server.webhooks.all[0], again=True)

    (whole,) = await github.app_hook().failed_deliveries(LONG_AGO)
    (part,) = await github.app_hook().failed_deliveries(since)

    assert whole.id == part.id
    assert whole.began_at is not None
    assert abs(whole.began_at - began) < timedelta(seconds=1)
    assert part.began_at is None


async def test_what_failed_before_is_not_asked_about(
    github: GitHub, server: GitHubServer, receiver: Receiver
) -> None:
    receiver.status = 503
    await server.push("acme/edges", {"a": "1"})
    server.advance(120)
    since = datetime.fromtimestamp(server.world.clock.now(), UTC)
    await server.push("acme/edges", {"a": "2"})

    failed = await github.app_hook().failed_deliveries(since)

    assert [each.guid for each in failed] == receiver.guids[1:]


async def test_all_pages_are_read(github: GitHub, server: GitHubServer, receiver: Receiver) -> None:
    receiver.status = 500
    issue = await server.open_issue("acme/edges")
    for number in range(130):
        await server.comment(issue, f"chat {number}")

    failed = await github.app_hook().failed_deliveries(LONG_AGO)

    assert [each.guid for each in failed] == receiver.guids


async def test_where_there_are_more_pages_than_are_read_it_is_said(
    github: GitHub,
    server: GitHubServer,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("bot.services.github.deliveries.MOST_PAGES", 1)
    receiver.status = 500
    issue = await server.open_issue("acme/edges")
    for number in range(101):
        await server.comment(issue, f"chat {number}")

    failed = await github.app_hook().failed_deliveries(LONG_AGO)

    assert [each.guid for each in failed] == receiver.guids[-100:]
    assert "only the latest are looked at" in caplog.text


async def test_an_app_made_from_a_manifest_is_fetched_once(server: GitHubServer) -> None:
    server.made_from_manifest("c0de")

    made = await app_from_manifest("c0de", base_url=server.api_url)

    assert (made.id, made.slug) == (server.app.id, "pachops")
    assert made.private_key.get_secret_value() == server.app.private_key
    assert made.webhook_secret is not None
    assert made.webhook_secret.get_secret_value() not in repr(made)
    with pytest.raises(StoppedError) as stopped:
        await app_from_manifest("c0de", base_url=server.api_url)
    assert stopped.value.reason.code is Code.GITHUB_REFUSED
