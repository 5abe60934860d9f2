import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from bot.connections import LONGEST_SILENCE, Connections

MOST = 3
ASKING = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Server:
    """One that answers when it is told to, and those who came to it."""

    runner: web.AppRunner
    connections: Connections
    goes_on: asyncio.Event
    asked: asyncio.Semaphore
    peers: list[Peer] = field(default_factory=list)

    async def meet(self, sent: bytes) -> Peer:
        """Somebody new, who has sent this."""
        peer = await asyncio.open_connection(*self.runner.addresses[0])
        self.peers.append(peer)
        peer[1].write(sent)
        await peer[1].drain()
        while len(self._open()) < len(self.peers):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)
        return peer

    def look(self, *, after: float = 0.0) -> None:
        """As it does by itself every now and then."""
        self.connections.close_some(self._open(), time.monotonic() + after)

    def _open(self) -> list[web.RequestHandler]:
        assert self.runner.server is not None
        return self.runner.server.connections


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    goes_on, asked = asyncio.Event(), asyncio.Semaphore(0)

    async def answer(_request: web.Request) -> web.Response:
        asked.release()
        await goes_on.wait()
        return web.Response(text="ok")

    connections = Connections(MOST)
    app = web.Application(middlewares=[connections.middleware])
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made = Server(runner, connections, goes_on, asked)
    yield made
    goes_on.set()
    for _, writer in made.peers:
        writer.transport.abort()
    await runner.cleanup()


async def is_closed(peer: Peer) -> bool:
    async with asyncio.timeout(30):
        try:
            return await peer[0].read(1) == b""
        except ConnectionResetError:
            return True


async def answered(server: Server, peer: Peer) -> bytes:
    server.goes_on.set()
    async with asyncio.timeout(30):
        return await peer[0].readline()


async def test_headers_that_do_not_end_are_not_waited_for(server: Server) -> None:
    begun = await server.meet(b"GET / HTTP/1.1\r\nX-Slow: ")
    server.look()
    server.look(after=LONGEST_SILENCE + 1)
    assert await is_closed(begun)


async def test_what_is_being_answered_goes_on(server: Server) -> None:
    page = await server.meet(ASKING)
    await server.asked.acquire()
    server.look()
    server.look(after=3600)
    for _ in range(MOST):
        await server.meet(b"GET")
    server.look(after=3600)
    assert b" 200 " in await answered(server, page)


async def test_who_has_waited_for_longest_gives_way_to_others(server: Server) -> None:
    oldest = await server.meet(b"GET")
    for _ in range(MOST):
        page = await server.meet(b"")
    page[1].write(ASKING)
    await server.asked.acquire()
    server.look()
    assert await is_closed(oldest)
    assert b" 200 " in await answered(server, page)


async def test_as_many_as_there_may_be_are_left_alone(server: Server) -> None:
    peers = [await server.meet(b"") for _ in range(MOST)]
    server.look()
    peers[0][1].write(ASKING)
    assert b" 200 " in await answered(server, peers[0])
