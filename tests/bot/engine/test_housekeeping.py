"""Housekeeping against a queue that is driven by hand, on PostgreSQL where workers share it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import psycopg
import pytest

from bot.engine.housekeeping import FORGOTTEN_AFTER_ROUNDS, Housekeeping
from bot.engine.life import Life
from bot.engine.run import Attempt, Run
from bot.engine.runs import Runs
from bot.engine.workers import beat
from bot.store.database import Database
from bot.store.deployments import Deployments
from tests.real.postgresql import PostgreSQL

pytestmark = pytest.mark.real


@dataclass
class Queue:
    """Says what it is told to say."""

    meanwhile: Callable[[], None] = lambda: None
    busy: set[str] = field(default_factory=set)
    mine: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)
    given_back: list[str] = field(default_factory=list)

    def lives(self, ids: Sequence[str]) -> dict[str, Life]:
        return dict.fromkeys(ids, Life.ALIVE)

    def executors(self) -> set[str]:
        self.meanwhile()
        return self.busy

    def take_over(self, dead: set[str]) -> None:
        self.dead |= dead

    def drop(self, deployment_id: str) -> None:
        raise NotImplementedError(deployment_id)

    def claimed(self) -> set[str]:
        return self.mine

    def give_back(self, deployment_id: str) -> None:
        self.given_back.append(deployment_id)


@pytest.fixture
async def database(postgresql_server: PostgreSQL) -> AsyncIterator[Database]:
    opened = await Database.open(postgresql_server.new_database())
    yield opened
    await opened.close()


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def runs(database: Database) -> Runs:
    async def workflow(_run: Run) -> None:
        await asyncio.Event().wait()

    async def checkpoint(_name: str, attempt: Attempt) -> object:
        return await attempt()

    return Runs(Deployments(database), workflow, checkpoint)


@pytest.fixture
def keep_house(
    database: Database, queue: Queue, runs: Runs
) -> Iterator[Callable[[], Awaitable[None]]]:
    with ThreadPoolExecutor(1) as threads:
        yield Housekeeping(database, queue, runs, threads, worker="me").once


async def test_a_worker_that_begins_during_a_look_is_not_taken_for_dead(
    keep_house: Callable[[], Awaitable[None]], queue: Queue, database: Database
) -> None:
    def a_worker_begins() -> None:
        with psycopg.connect(database.url) as connection:
            connection.execute("insert into worker values ('new', extract(epoch from now()))")

    queue.busy = {"new", "gone"}
    queue.meanwhile = a_worker_begins
    await keep_house()
    assert queue.dead == {"gone"}


async def test_a_worker_never_takes_itself_for_dead(
    keep_house: Callable[[], Awaitable[None]], queue: Queue
) -> None:
    queue.busy = {"me"}
    await keep_house()
    assert queue.dead == set()


async def test_what_was_given_to_us_and_does_not_run_goes_back(
    keep_house: Callable[[], Awaitable[None]], queue: Queue
) -> None:
    queue.mine = {"lost"}
    for _ in range(FORGOTTEN_AFTER_ROUNDS - 1):
        await keep_house()
    assert queue.given_back == []
    await keep_house()
    assert queue.given_back == ["lost"]


async def test_what_begins_late_does_not_go_back(
    keep_house: Callable[[], Awaitable[None]], queue: Queue
) -> None:
    for number in range(4 * FORGOTTEN_AFTER_ROUNDS):
        queue.mine = {"late"} if number % FORGOTTEN_AFTER_ROUNDS else set()
        await keep_house()
    assert queue.given_back == []


async def test_the_clock_that_counts_is_the_databases(database: Database) -> None:
    await database.write(lambda connection: beat(connection, "me"))
    with psycopg.connect(database.url) as connection:
        behind = connection.execute(
            "select extract(epoch from clock_timestamp()) - seen_at from worker"
        ).fetchone()
    assert behind
    assert 0 <= behind[0] < 60
