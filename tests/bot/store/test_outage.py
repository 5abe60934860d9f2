"""A database server that is gone for a moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import sqlalchemy as sa

from bot.domain.reasons import Code, StoppedError
from bot.store import database as module
from bot.store.database import Database
from tests.real.postgresql import PostgreSQL

pytestmark = pytest.mark.real


class Network:
    """The way to a server, which can be cut and mended."""

    def __init__(self, url: str) -> None:
        self._far = sa.make_url(url)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return self._far.set(port=self.port).render_as_string(hide_password=False)

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        far_reader, far_writer = await asyncio.open_connection(self._far.host, self._far.port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(reader, far_writer))
                group.create_task(_copy(far_reader, writer))
        finally:
            writer.transport.abort()
            far_writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while block := await reader.read(65536):
            writer.write(block)
            await writer.drain()
        writer.close()


@pytest.fixture
async def network(postgresql_server: PostgreSQL) -> AsyncIterator[Network]:
    network = Network(postgresql_server.new_database())
    await network.mend()
    yield network
    await network.cut()


@pytest.fixture
async def database(network: Network) -> AsyncIterator[Database]:
    opened = await Database.open(network.url)
    yield opened
    await opened.close()


def one(connection: sa.Connection) -> int:
    return connection.execute(sa.select(sa.literal(1))).scalar_one()


async def test_what_is_asked_meanwhile_is_answered_afterwards(
    database: Database, network: Network
) -> None:
    await network.cut()
    asked = [asyncio.create_task(database.read(one)), asyncio.create_task(database.write(one))]
    await asyncio.wait(asked, timeout=0.1)
    assert not any(task.done() for task in asked)
    await network.mend()
    assert await asyncio.wait_for(asyncio.gather(*asked), 60) == [1, 1]


async def test_an_outage_that_lasts_is_said(
    database: Database, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_OUTAGE", 0.1)
    await network.cut()
    with pytest.raises(StoppedError) as stopped:
        await database.read(one)
    assert stopped.value.reason.code is Code.DATABASE_UNUSABLE
