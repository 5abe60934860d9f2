import asyncio
import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.listening import listening
from bot.logs import about, keep_log
from bot.redact import Redactor

LOG = logging.getLogger("some.library")
SENT = b"s3nt-2"
SECRET = 'pa"ss\nword-1234'

Kept = Callable[..., io.StringIO]


@pytest.fixture
def kept() -> Iterator[Kept]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def keep(*, as_json: bool) -> io.StringIO:
        out = io.StringIO()
        redactor = Redactor([SecretStr(SECRET)])
        keep_log(logging.StreamHandler(out), level="info", as_json=as_json, redactor=redactor)
        return out

    yield keep
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("as_json", [True, False])
def test_a_line_has_the_deployment_that_it_is_about(kept: Kept, *, as_json: bool) -> None:
    out = kept(as_json=as_json)
    with about(deployment="01abc"):
        LOG.info("pulled %s", "an image")
    LOG.info("afterwards")
    inside, outside = out.getvalue().splitlines()
    assert "01abc" in inside
    assert "pulled an image" in inside
    assert "01abc" not in outside


def test_json_is_one_object_a_line(kept: Kept) -> None:
    out = kept(as_json=True)
    with about(deployment="01abc"):
        LOG.warning("two\nlines")
    (line,) = out.getvalue().splitlines()
    logged = json.loads(line)
    assert logged.pop("timestamp").endswith("Z")
    assert logged == {
        "message": "two\nlines",
        "deployment": "01abc",
        "level": "warning",
        "logger": "some.library",
    }


@pytest.mark.parametrize("as_json", [True, False])
def test_no_secret_is_logged_not_even_in_a_traceback(kept: Kept, *, as_json: bool) -> None:
    out = kept(as_json=as_json)
    try:
        int(SECRET)
    except ValueError:
        LOG.exception("it failed with %s", SECRET)
    for part in ("ss\nword", "word-1234"):
        assert part not in out.getvalue()
    assert "***" in out.getvalue()
    assert "ValueError" in out.getvalue()


def test_nothing_from_outside_begins_a_line_of_its_own(kept: Kept) -> None:
    out = kept(as_json=False)
    LOG.info("webhook from %s", "1.2.3.4\n2026-01-01 [info] all is well\x1b[2J")
    assert len(out.getvalue().splitlines()) == 1
    assert "\x1b" not in out.getvalue()


async def test_tasks_know_what_they_are_about(kept: Kept) -> None:
    out = kept(as_json=True)

    async def work() -> None:
        LOG.info("from a task")

    with about(deployment="01abc"):
        task = asyncio.create_task(work())
    await task
    assert json.loads(out.getvalue())["deployment"] == "01abc"


async def empty(_request: web.Request) -> web.Response:
    return web.Response()


@pytest.mark.parametrize(
    "request_",
    [
        b"X-Hub-Signature-256: " + SENT * 2000 + b"\r\n\r\n",
        b"X " + SENT + b": y\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n" + SENT + b"\r\n",
        b"Content-Encoding: gzip\r\nContent-Length: 6\r\n\r\n" + SENT,
    ],
    ids=["a long header", "an odd header", "no chunks", "not packed"],
)
async def test_of_a_request_that_cannot_be_read_there_is_a_line_without_any_of_it(
    kept: Kept, request_: bytes
) -> None:
    out = kept(as_json=False)
    app = web.Application()
    app.router.add_post("/", empty)
    async with listening(app, "127.0.0.1", 0, "PORT") as (address,):
        host, port = address.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST / HTTP/1.1\r\nHost: bot\r\n" + request_)
        await reader.read()
        writer.close()
    lines = [each for each in out.getvalue().splitlines() if "listening at" not in each]
    assert len(lines) == 1, lines
    assert "[warning" in lines[0]
    assert "cannot be read" in lines[0]
    assert SENT.decode() not in out.getvalue()
