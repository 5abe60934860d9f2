"""A registry that fails, refuses or is not there."""

import asyncio

import pytest
from aiohttp import web

from bot.domain.reasons import Code, StoppedError
from tests.bot.services.registry.server import (
    DIGEST,
    MANIFEST,
    MANIFEST_TYPE,
    Server,
    error,
    opened,
)


class TestFaults:
    @pytest.mark.parametrize("status", [500, 502, 503])
    async def test_a_server_error_is_asked_again(self, server: Server, status: int) -> None:
        server.faults = [error(status, "UNKNOWN"), "gone", error(status, "UNKNOWN")]
        async with opened() as ours:
            assert await ours.digest(server.repository, "old") == DIGEST

    async def test_a_write_is_repeated_too(self, server: Server) -> None:
        async with opened() as ours:
            server.manifests[DIGEST] = (MANIFEST_TYPE, MANIFEST)
            server.faults = ["gone", "gone"]
            await ours.add_tag(server.repository, DIGEST, "new")
        assert server.tags["new"] == DIGEST

    async def test_a_server_that_goes_on_failing_is_given_up(self, server: Server) -> None:
        server.faults = [error(503, "UNAVAILABLE", "out to lunch") for _ in range(10)]
        async with opened() as ours:
            with pytest.raises(StoppedError) as stopped:
                await ours.digest(server.repository, "old")
        assert stopped.value.reason.code is Code.REGISTRY_UNREACHABLE
        assert len(server.seen) == 4

    async def test_a_registry_that_is_not_there_is_unreachable(self) -> None:
        async with Server().running() as gone:
            repository = gone.repository
        async with opened() as ours:
            with pytest.raises(StoppedError) as stopped:
                await ours.digest(repository, "old")
        assert stopped.value.reason.code is Code.REGISTRY_UNREACHABLE

    async def test_a_registry_that_never_answers_is_unreachable(self) -> None:
        hang = asyncio.Event()

        async def wait(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await hang.wait()
            writer.close()

        listener = await asyncio.start_server(wait, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        async with listener, opened(seconds=0.1) as ours:
            with pytest.raises(StoppedError, match=r"no answer within 0\.1 s") as stopped:
                await ours.digest(f"127.0.0.1:{port}/a/b", "old")
            hang.set()
        assert stopped.value.reason.code is Code.REGISTRY_UNREACHABLE

    @pytest.mark.parametrize(
        ("asked", "paused"),
        [("7", 7.0), ("100000", 30.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", 0.0)],
    )
    async def test_a_registry_is_given_the_time_that_it_asks_for(
        self, server: Server, monkeypatch: pytest.MonkeyPatch, asked: str, paused: float
    ) -> None:
        pauses: list[float] = []

        async def pause(seconds: float) -> None:
            pauses.append(seconds)

        monkeypatch.setattr(asyncio, "sleep", pause)
        server.faults = [error(429, "TOOMANYREQUESTS", headers={"Retry-After": asked})]
        async with opened() as ours:
            assert await ours.digest(server.repository, "old") == DIGEST
        assert pauses == [paused]

    async def test_a_refusal_is_not_asked_again(self, server: Server) -> None:
        server.faults = [error(403, "DENIED", "not yours")]
        async with opened() as ours:
            with pytest.raises(StoppedError) as stopped:
                await ours.digest(server.repository, "old")
        assert stopped.value.reason.code is Code.REGISTRY_REFUSED
        assert len(server.seen) == 1

    async def test_a_tag_that_may_not_change_is_said(self, server: Server) -> None:
        server.tags["fixed"] = f"sha256:{'1' * 64}"
        server.manifests[server.tags["fixed"]] = (MANIFEST_TYPE, b"{}")
        async with opened() as ours:
            await ours.add_tag(server.repository, DIGEST, "warm-up")
            server.faults = [
                web.Response(headers={"Docker-Content-Digest": server.tags["fixed"]}),
                web.Response(body=MANIFEST, content_type=MANIFEST_TYPE),
                error(409, "TAG_IMMUTABLE", "tags are\x1b[31m fixed"),
            ]
            with pytest.raises(StoppedError, match=r"`fixed`: 409 TAG_IMMUTABLE") as stopped:
                await ours.add_tag(server.repository, DIGEST, "fixed")
        assert "\x1b" not in str(stopped.value)
