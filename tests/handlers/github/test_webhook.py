"""Who may tell us something, and what we answer. Each mistake that others made is a test."""

import asyncio
import hashlib
import hmac
import io
import json
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError
from bot.store.database import Database
from bot.store.deliveries import Deliveries
from handlers.github.events import WANTED
from handlers.github.webhook import Webhook
from handlers.web.app import MOST_BYTES, web_app
from tests.handlers.github.world import served
from tests.standins.github.webhooks import sign

SECRET, PREVIOUS = "a current secret", "a previous secret"
PUSH = {"ref": "refs/heads/main", "repository": {"full_name": "acme/edges"}}
BODY = json.dumps(PUSH).encode()


@dataclass
class Caller:
    """Somebody who sends webhooks."""

    session: aiohttp.ClientSession
    url: str
    deliveries: Deliveries
    woken: list[None] = field(default_factory=list)

    async def send(self, body: bytes = BODY, **headers: str | None) -> int:
        """With everything right but what is said otherwise; the status."""
        given = {
            "X-Hub-Signature-256": sign(SECRET, body),
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": "guid-1",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in given.items() if value is not None}
        async with self.session.post(self.url, data=io.BytesIO(body), headers=sent) as answer:
            await answer.read()
            return answer.status

    async def stored(self) -> int:
        return await self.deliveries.count_waiting()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def caller(
    session: aiohttp.ClientSession, database: Database, most_waiting: int
) -> AsyncIterator[Caller]:
    deliveries = Deliveries(database, most_waiting=most_waiting)
    caller = Caller(session, "", deliveries)
    webhook = Webhook(
        [SecretStr(SECRET), SecretStr(PREVIOUS)],
        WANTED,
        deliveries,
        lambda: caller.woken.append(None),
    )
    async with served(web_app(webhook.answer, deliveries.count_waiting)) as url:
        caller.url = f"{url}/github/webhook"
        yield caller


@pytest.fixture
def most_waiting() -> int:
    return 100


# --- who it is from


@pytest.mark.parametrize("secrets", [[], [""], ["good", ""]])
def test_without_a_secret_nothing_is_served(secrets: Sequence[str], deliveries: Deliveries) -> None:
    with pytest.raises(StoppedError) as stopped:
        Webhook([SecretStr(each) for each in secrets], WANTED, deliveries, lambda: None)
    assert stopped.value.reason.code is Code.BAD_SETTINGS


@pytest.mark.parametrize("secret", [SECRET, PREVIOUS])
async def test_each_of_two_secrets_is_taken(caller: Caller, secret: str) -> None:
    assert await caller.send(X_Hub_Signature_256=sign(secret, BODY)) == 202
    assert await caller.stored() == 1


def sha1(secret: str, body: bytes) -> str:
    return "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=",
        sign("another secret", BODY),
        sign("", BODY),
        sign(SECRET, BODY + b" "),
        sign(SECRET, BODY).removeprefix("sha256="),
        sign(SECRET, BODY).upper(),
        sha1(SECRET, BODY),
        sha1(SECRET, BODY).replace("sha1", "sha256"),
        sign(SECRET, BODY).replace("sha256", "sha1"),
        "sha256=" + "é" * 64,
        "sha256=" + "0" * 64,
        SECRET,
    ],
)
async def test_any_other_signature_is_refused(caller: Caller, signature: str | None) -> None:
    assert await caller.send(X_Hub_Signature_256=signature) == 401
    assert await caller.stored() == 0
    assert not caller.woken


async def test_an_old_signature_beside_does_not_help(caller: Caller) -> None:
    status = await caller.send(X_Hub_Signature_256=None, X_Hub_Signature=sha1(SECRET, BODY))
    assert status == 401


async def test_a_slack_token_does_not_help(caller: Caller) -> None:
    body = json.dumps(PUSH | {"token": SECRET}).encode()
    assert await caller.send(body, X_Hub_Signature_256=None) == 401


async def test_bytes_that_are_no_text_in_the_signature_are_refused(caller: Caller) -> None:
    host, port = caller.url.removeprefix("http://").partition("/")[0].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /github/webhook HTTP/1.1\r\nHost: bot\r\nX-GitHub-Event: push\r\n"
        b"X-GitHub-Delivery: guid\r\nX-Hub-Signature-256: sha256=\xff\xfe\xe9\r\n"
        b"Content-Length: 2\r\nConnection: close\r\n\r\n{}"
    )
    status = await reader.readline()
    writer.close()
    await writer.wait_closed()
    assert b" 401 " in status


async def test_it_is_signed_as_it_came_not_as_it_reads(caller: Caller) -> None:
    spaced = json.dumps(PUSH, indent=4).encode()
    assert await caller.send(spaced) == 202
    assert await caller.send(BODY, X_Hub_Signature_256=sign(SECRET, spaced)) == 401


# --- what it is


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"push"', b"null", b"payload=%7B%7D", b"\xff{}", b"[" * 100_000]
)
async def test_what_is_no_json_object_is_refused(caller: Caller, body: bytes) -> None:
    assert await caller.send(body) == 400
    assert await caller.stored() == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"X_GitHub_Event": None},
        {"X_GitHub_Delivery": None},
        {"X_GitHub_Delivery": "x" * 65},
        {"X_GitHub_Delivery": "a b"},
        {"X_GitHub_Event": "Push!"},
    ],
)
async def test_missing_or_odd_headers_are_refused(caller: Caller, headers: dict[str, Any]) -> None:
    assert await caller.send(**headers) == 400
    assert await caller.stored() == 0


@pytest.mark.parametrize("event", ["ping", "star", "installation"])
async def test_events_that_nobody_handles_are_forgotten(caller: Caller, event: str) -> None:
    assert await caller.send(X_GitHub_Event=event) == 202
    assert await caller.deliveries.state("guid-1") is None


async def test_actions_that_nobody_handles_are_forgotten(caller: Caller) -> None:
    body = json.dumps({"action": "edited"}).encode()
    assert await caller.send(body, X_GitHub_Event="issue_comment") == 202
    assert await caller.stored() == 0


async def test_a_body_above_the_limit_is_refused(caller: Caller) -> None:
    assert await caller.send(b" " * (MOST_BYTES + 1)) == 413


async def test_a_body_as_large_as_github_sends_is_taken(caller: Caller) -> None:
    body = json.dumps(PUSH | {"filler": "x" * (25_000_000 - 200)}).encode()
    assert await caller.send(body) == 202


async def test_get_is_not_for_webhooks(caller: Caller) -> None:
    async with caller.session.get(caller.url) as answer:
        assert answer.status == 405


# --- what becomes of it


async def test_it_is_on_disk_when_it_is_answered(caller: Caller) -> None:
    assert await caller.send() == 202
    delivery = await caller.deliveries.begin("guid-1")
    assert delivery is not None
    assert (delivery.event, json.loads(delivery.payload)) == ("push", PUSH)
    assert len(caller.woken) == 1


async def test_a_repeated_delivery_is_answered_and_not_stored_again(caller: Caller) -> None:
    assert [await caller.send() for _ in range(3)] == [202, 202, 202]
    assert await caller.stored() == 1
    await caller.deliveries.done("guid-1", "")
    assert await caller.send() == 202
    assert await caller.stored() == 0


class TestFull:
    @pytest.fixture
    def most_waiting(self) -> int:
        return 1

    async def test_a_full_queue_answers_503(self, caller: Caller) -> None:
        assert await caller.send() == 202
        assert await caller.send(X_GitHub_Delivery="guid-2") == 503
        assert await caller.deliveries.state("guid-2") is None
        assert await caller.send() == 202


async def test_what_cannot_be_written_is_not_acknowledged(
    caller: Caller, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_change: object) -> None:
        raise StoppedError(Code.DISK_FULL, "no space")

    monkeypatch.setattr(database, "write", fail)
    assert await caller.send() == 503


async def test_a_refusal_is_one_line_without_body_or_headers(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    body = json.dumps({"secret": "hidden-in-the-body"}).encode()
    with caplog.at_level(logging.DEBUG):
        await caller.send(body, X_Hub_Signature_256="sha256=hidden-in-the-header")
    lines = [each.getMessage() for each in caplog.records if each.levelno >= logging.INFO]
    assert len(lines) == 1
    assert "401" in lines[0]
    assert "hidden" not in caplog.text


async def test_health_says_that_the_bot_can_work(caller: Caller) -> None:
    async with caller.session.get(caller.url.replace("/github/webhook", "/healthz")) as answer:
        assert (answer.status, await answer.text()) == (200, "ok\n")


async def test_health_says_that_the_bot_cannot_work(
    caller: Caller, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_query: object) -> None:
        raise StoppedError(Code.DATABASE_UNUSABLE, "gone")

    monkeypatch.setattr(database, "read", fail)
    async with caller.session.get(caller.url.replace("/github/webhook", "/healthz")) as answer:
        assert answer.status == 503
