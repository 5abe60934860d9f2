"""Two servers on one PostgreSQL: one works, the other stands by."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from bot.domain.reasons import Code, StoppedError
from bot.store.database import Database
from bot.store.duty import Duty
from tests.real.postgresql import PostgreSQL

pytestmark = pytest.mark.real

PATIENCE = 60.0
HOLDER = sa.text(
    "select pid from pg_locks where locktype = 'advisory'"
    " and database = (select oid from pg_database where datname = current_database())"
)


class Rounds:
    """A clock of the test's: each sleep is a step that the test lets through."""

    def __init__(self) -> None:
        self._asked = asyncio.Semaphore(0)
        self._free = asyncio.Semaphore(0)

    async def sleep(self, _seconds: float) -> None:
        self._asked.release()
        await self._free.acquire()

    async def reached(self) -> None:
        """Until it has looked and sleeps."""
        async with asyncio.timeout(PATIENCE):
            await self._asked.acquire()

    def go_on(self) -> None:
        self._free.release()


class Server:
    """What a server does of it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.rounds = Rounds()
        self.duty = Duty(database, sleep=self.rounds.sleep)
        self.working = asyncio.Event()
        self.interrupted = False
        self.task = asyncio.create_task(self.duty.carry_out(self._work))

    async def _work(self) -> None:
        self.working.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.interrupted = True
            raise

    async def works(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.working.wait()
        await self.rounds.reached()

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})


@pytest.fixture
async def opened(
    postgresql_server: PostgreSQL,
) -> AsyncIterator[Callable[[], "asyncio.Task[Server]"]]:
    url, servers = postgresql_server.new_database(), []

    async def open_one() -> Server:
        server = Server(await Database.open(url))
        servers.append(server)
        return server

    yield lambda: asyncio.create_task(open_one())
    for server in servers:
        await server.stop()
        await server.database.close()


async def test_the_second_stands_by_until_the_first_stops(
    opened: Callable[[], "asyncio.Task[Server]"],
) -> None:
    first = await opened()
    await first.works()
    second = await opened()
    await second.rounds.reached()
    assert (first.duty.is_ours, second.duty.is_ours) == (True, False)
    await first.stop()
    second.rounds.go_on()
    await second.works()
    assert first.interrupted
    assert (first.duty.is_ours, second.duty.is_ours) == (False, True)


async def test_one_whose_session_ends_takes_it_up_again_and_nothing_is_interrupted(
    opened: Callable[[], "asyncio.Task[Server]"],
) -> None:
    server = await opened()
    await server.works()
    await end_sessions(server.database)
    # It sees that the session is gone, and in the next round has another.
    for _ in range(2):
        server.rounds.go_on()
        await server.rounds.reached()
    other = await opened()
    await other.rounds.reached()
    assert (server.duty.is_ours, other.duty.is_ours) == (True, False)
    assert not server.interrupted


async def test_one_that_another_took_over_from_stops_and_says_so(
    opened: Callable[[], "asyncio.Task[Server]"],
) -> None:
    first = await opened()
    await first.works()
    second = await opened()
    await second.rounds.reached()
    await end_sessions(first.database)
    second.rounds.go_on()
    await second.works()
    for _ in range(2):
        first.rounds.go_on()
    async with asyncio.timeout(PATIENCE):
        await asyncio.wait({first.task})
    with pytest.raises(StoppedError) as stopped:
        first.task.result()
    assert stopped.value.reason.code is Code.DATABASE_IN_USE
    assert first.interrupted


async def test_a_session_that_the_server_has_not_missed_yet_is_no_other(
    opened: Callable[[], "asyncio.Task[Server]"],
) -> None:
    server = await opened()
    await server.works()
    async with forgotten(server.duty):
        server.rounds.go_on()
        await server.rounds.reached()
        assert server.duty.is_ours
        assert not server.interrupted


async def test_a_session_that_takes_its_time_to_end_is_waited_for(
    opened: Callable[[], "asyncio.Task[Server]"],
) -> None:
    server = await opened()
    await server.works()
    held_by = await server.database.read(lambda connection: connection.execute(HOLDER).scalar_one())
    async with forgotten(server.duty), asyncio.timeout(PATIENCE):
        os.kill(held_by, signal.SIGSTOP)
        try:
            server.rounds.go_on()
            # PostgreSQL tells nobody.
            while not (server.task.done() or await is_ending(server.database)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        finally:
            os.kill(held_by, signal.SIGCONT)
        await server.rounds.reached()
    assert server.duty.is_ours
    assert not server.interrupted


async def test_a_database_file_is_one_processs_alone_anyway(database: Database) -> None:
    if database.path is None:
        return
    done = asyncio.Event()

    async def work() -> None:
        done.set()

    await Duty(database).carry_out(work)
    assert done.is_set()


@asynccontextmanager
async def forgotten(duty: Duty) -> AsyncIterator[None]:
    """The connection is gone on this side only, as when a network was cut."""
    session, duty._session = duty._session, None
    assert session is not None
    try:
        yield
    finally:
        connection = session.connection.dbapi_connection
        assert connection is not None
        connection.close()


async def is_ending(database: Database) -> bool:
    """Whether a session waits for the end of another."""
    waiting = sa.text(
        "select true from pg_stat_activity where wait_event = 'BackendTermination'"
        " and datname = current_database()"
    )
    return bool(await database.read(lambda connection: connection.execute(waiting).first()))


async def end_sessions(database: Database) -> None:
    """As a restart of the server does with those who hold the lock."""
    ended = sa.text(
        "select pg_terminate_backend(pid, 5000) from pg_locks"
        " where locktype = 'advisory' and pid <> pg_backend_pid()"
        " and database = (select oid from pg_database where datname = current_database())"
    )
    await database.write(lambda connection: connection.execute(ended).all())
