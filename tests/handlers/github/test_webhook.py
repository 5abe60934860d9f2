"""Who may tell us something, and what we answer."""

import asyncio
import contextlib
import json
import logging
from typing import Any

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.store.database import Database
from handlers.github import bodies
from handlers.github.bodies import MOST_AT_ONCE, SMALL
from handlers.web.app import MOST_BYTES
from tests.handlers.github.caller import BODY, PUSH, SECRET, Caller, signed_with
from tests.standins.github.webhooks import sign

# --- who it is from


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
        signed_with("sha1"),
        signed_with("sha1").replace("sha1", "sha256"),
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


async def test_bytes_that_are_no_text_in_the_signature_are_refused(caller: Caller) -> None:
    reader, writer = await _connect(caller)
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


@pytest.mark.parametrize("event", ["ping", "star", "installation", "projects_v2_item"])
async def test_events_that_nobody_handles_are_forgotten(caller: Caller, event: str) -> None:
    assert await caller.send(X_GitHub_Event=event) == 202
    assert await caller.deliveries.state("guid-1") is None


async def test_actions_that_nobody_handles_are_forgotten(caller: Caller) -> None:
    body = json.dumps({"action": "edited"}).encode()
    assert await caller.send(body, X_GitHub_Event="issue_comment") == 202
    assert await caller.stored() == 0


@pytest.mark.parametrize("action", [{}, [], 7, None, True, "created\x00"])
async def test_an_action_that_is_no_word_is_nobodys(caller: Caller, action: object) -> None:
    body = json.dumps({"action": action}).encode()
    assert await caller.send(body, X_GitHub_Event="issue_comment") == 202
    assert await caller.stored() == 0


@pytest.mark.parametrize(
    "name",
    ["acme/\ud800", "acme/\x00", "acme", "a\nb/c", "../..", "a/" + "b" * 1_000_000, 7, {}, None],
    ids=["surrogate", "nul", "no slash", "line", "dots", "long", "number", "object", "null"],
)
async def test_a_name_that_is_no_repositorys_holds_up_no_other(
    caller: Caller, name: object
) -> None:
    body = json.dumps({"repository": {"full_name": name}}).encode()
    assert await caller.send(body) == 202
    (waiting,) = await caller.deliveries.waiting()
    assert waiting.repository == ""


HEAD = (
    b"POST /github/webhook HTTP/1.1\r\nHost: bot\r\nX-GitHub-Event: push\r\n"
    b"X-GitHub-Delivery: guid\r\n"
)
SIGNED = b"X-Hub-Signature-256: sha256=" + b"0" * 64 + b"\r\n"


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Encoding: gzip\r\nContent-Length: 12\r\n\r\nnot deflated",
        b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(caller: Caller, rest: bytes) -> None:
    reader, writer = await _connect(caller)
    writer.write(HEAD + SIGNED + rest)
    status = await reader.readline()
    writer.close()
    assert b" 400 " in status


async def test_who_hangs_up_in_the_middle_leaves_one_line(
    caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await _connect(caller)
    writer.write(HEAD + SIGNED + b"Content-Length: 1000\r\n\r\n{")
    await writer.drain()
    # It is answered only after the first request was begun.
    assert await caller.send() == 202
    writer.close()
    await writer.wait_closed()
    async with asyncio.timeout(30):
        while not caplog.records:  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)
    assert [each.levelname for each in caplog.records] == ["WARNING"]


async def _connect(caller: Caller) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = caller.url.removeprefix("http://").partition("/")[0].split(":")
    return await asyncio.open_connection(host, int(port))


async def test_a_body_above_the_limit_is_refused(caller: Caller) -> None:
    assert await caller.send(b" " * (MOST_BYTES + 1)) == 413


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Content-Length: 1000\r\n", b" 401 "),
        (b"X-Hub-Signature-256: sha256=0\r\nTransfer-Encoding: chunked\r\n", b" 401 "),
        (SIGNED + b"Content-Length: %d\r\n" % (MOST_BYTES + 1), b" 413 "),
    ],
    ids=["unsigned", "badly signed", "too large"],
)
async def test_what_its_head_tells_enough_of_is_refused_before_its_body_comes(
    caller: Caller, head: bytes, status: bytes
) -> None:
    reader, writer = await _connect(caller)
    writer.write(HEAD + head + b"\r\n")
    async with asyncio.timeout(20):
        assert status in await reader.readline()
    writer.close()
    await writer.wait_closed()


CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize("size", [b"Content-Length: %d\r\n" % MOST_BYTES, CHUNKED])
async def test_bodies_that_are_announced_and_never_come_take_no_room(
    caller: Caller, size: bytes
) -> None:
    waiting = [await _connect(caller) for _ in range(2 * MOST_AT_ONCE // MOST_BYTES)]
    for _, writer in waiting:
        writer.write(HEAD + SIGNED + size + b"\r\n")
        await writer.drain()
    assert await caller.send() == 202
    for _, writer in waiting:
        writer.close()
        await writer.wait_closed()


async def test_large_bodies_that_come_at_once_leave_room_for_small_ones(caller: Caller) -> None:
    fit = MOST_AT_ONCE // 2 // MOST_BYTES
    waiting = [await _connect(caller) for _ in range(fit + 1)]
    for _, writer in waiting:
        writer.write(HEAD + SIGNED + b"Content-Length: %d\r\n\r\n" % MOST_BYTES)
        writer.write(b" " * (MOST_BYTES - 1))
    # One of them is refused, as soon as it has sent too much.
    firsts = [asyncio.create_task(reader.readline()) for reader, _ in waiting]
    async with asyncio.timeout(60):
        (refused, *_), _ = await asyncio.wait(firsts, return_when=asyncio.FIRST_COMPLETED)
    assert b" 503 " in refused.result()
    assert await caller.send() == 202
    for each in firsts:
        each.cancel()
    await asyncio.wait(firsts)
    for _, writer in waiting:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@pytest.mark.parametrize("size", [SMALL, 100])
async def test_bodies_that_do_not_end_give_way_to_those_that_do(
    caller: Caller, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MOST_COMING", 100)
    waiting = [await _connect(caller) for _ in range(MOST_AT_ONCE // 2 // SMALL + 50)]
    for _, writer in waiting:
        writer.write(HEAD + SIGNED + b"Content-Length: %d\r\n\r\n" % size)
        writer.write(b" " * (size - 1))
        await writer.drain()
    assert [await caller.send(BODY + b" " * 30_000) for _ in range(3)] == [202, 202, 202]
    async with asyncio.timeout(60):
        assert b" 503 " in await waiting[0][0].readline()
    for _, writer in waiting:
        writer.transport.abort()


async def test_a_body_that_takes_longer_than_its_sender_waits_is_ended(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "LONGEST_READ", 0.05)
    reader, writer = await _connect(caller)
    writer.write(HEAD + SIGNED + b"Content-Length: 1000\r\n\r\n{")
    async with asyncio.timeout(60):
        assert b" 408 " in await reader.readline()
    writer.transport.abort()


async def test_many_small_bodies_of_which_no_length_is_told_are_taken(caller: Caller) -> None:
    body = BODY + b" " * 1000
    for number in range(2 * MOST_AT_ONCE // MOST_BYTES):
        reader, writer = await _connect(caller)
        writer.write(HEAD.replace(b"guid", b"guid-%d" % number) + CHUNKED)
        writer.write(b"X-Hub-Signature-256: " + sign(SECRET, body).encode() + b"\r\n\r\n")
        writer.write(b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")
        async with asyncio.timeout(20):
            assert b" 202 " in await reader.readline()
        writer.close()
        await writer.wait_closed()


async def test_the_room_of_a_body_is_free_when_it_is_answered(caller: Caller) -> None:
    for _ in range(MOST_AT_ONCE // 2 // MOST_BYTES + 1):
        assert await caller.send(b" " * MOST_BYTES) == 400


@pytest.mark.parametrize("size", [25_000_000, MOST_BYTES])
async def test_a_body_as_large_as_github_sends_is_taken(caller: Caller, size: int) -> None:
    head = json.dumps(PUSH | {"filler": ""}).encode()
    body = head.replace(b'""', b'"' + b"x" * (size - len(head)) + b'"')
    assert (len(body), MOST_BYTES) == (size, 26 * 1024**2)
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


async def test_a_forged_delivery_does_not_take_the_id_of_a_genuine_one(caller: Caller) -> None:
    assert await caller.send(X_Hub_Signature_256=sign("a guess", BODY)) == 401
    assert await caller.send() == 202
    assert await caller.stored() == 1


class TestFull:
    @pytest.fixture
    def most_waiting(self) -> int:
        return 1

    async def test_a_full_queue_answers_503(self, caller: Caller) -> None:
        assert await caller.send() == 202
        assert await caller.send(BODY + b" ", X_GitHub_Delivery="guid-2") == 503
        assert await caller.deliveries.state("guid-2") is None
        assert await caller.send() == 202


async def test_a_body_is_taken_once_whatever_id_it_has(caller: Caller) -> None:
    assert await caller.send() == 202
    assert await caller.send(X_GitHub_Delivery="guid-2") == 202
    assert await caller.stored() == 1
    assert len(caller.woken) == 1


async def test_a_body_that_somebody_sends_as_another_event_is_not_in_the_way_of_its_own(
    caller: Caller,
) -> None:
    body = BODY.replace(b"{", b'{"action": "created", ', 1)
    assert await caller.send(body, X_GitHub_Delivery="forged", X_GitHub_Event="push") == 202
    await caller.deliveries.failed("forged", "it lacks after")
    assert await caller.send(body, X_GitHub_Event="issue_comment") == 202
    begun = await caller.deliveries.begin("guid-1")
    assert begun is not None
    assert begun.event == "issue_comment"


async def test_what_cannot_be_written_is_not_acknowledged(
    caller: Caller, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_change: object) -> None:
        raise StoppedError(Code.DISK_FULL, "no space")

    monkeypatch.setattr(database, "write", fail)
    assert await caller.send() == 503


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b'{"secret": "hidden-body"}', {"X_Hub_Signature_256": "sha256=hidden-header"}, 401),
        (b'{"secret": "hidden-body"}', {"X_Hub_Signature_256": sign("hidden", b"-body")}, 401),
        (b'{"secret": "hidden-body"', {"X_Other": "hidden-header"}, 400),
        (b'{"secret": "hidden-body"}', {"X_GitHub_Delivery": "hidden header"}, 400),
        (b"hidden-body" * (MOST_BYTES // 10), {"X_Other": "hidden-header"}, 413),
    ],
)
async def test_a_refusal_is_one_line_without_body_or_headers(
    caller: Caller,
    caplog: pytest.LogCaptureFixture,
    body: bytes,
    headers: dict[str, str],
    status: int,
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert await caller.send(body, **headers) == status
    lines = [each.getMessage() for each in caplog.records if each.levelno >= logging.INFO]
    assert len(lines) == 1
    assert str(status) in lines[0]
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


async def test_a_number_that_no_database_takes_is_taken_for_none(caller: Caller) -> None:
    place = {"full_name": "acme/edges", "name": "edges", "clone_url": "https://h/acme/edges.git"}
    owner = {"id": 2**63, "login": "acme"}
    body = json.dumps(PUSH | {"repository": {**place, "id": 1, "owner": owner}}).encode()
    assert await caller.send(body) == 202
    assert await caller.stored() == 1
