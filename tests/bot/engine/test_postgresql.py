"""PostgreSQL, where engines share a database and take over from each other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import sqlalchemy as sa

from bot.domain.deployment import Deployment, Outcome
from bot.engine.engine import Engine
from bot.engine.run import Run
from bot.engine.workers import DEAD_AFTER_SECONDS, beat, leave, living
from bot.store.database import Database
from bot.store.deployments import insert
from bot.store.tables import WORKER
from tests.real.postgresql import PostgreSQL

Workflow = Callable[[Run], Awaitable[None]]
Start = Callable[[Workflow], Awaitable[Engine]]
New = Callable[..., Deployment]
Succeed = Callable[[Run], Awaitable[bool]]

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("patience")]


@pytest.fixture
async def database(postgresql_server: PostgreSQL) -> AsyncIterator[Database]:
    opened = await Database.open(postgresql_server.new_database())
    yield opened
    await opened.close()


async def test_a_target_runs_one_at_a_time_in_the_order_asked(
    start: Start, new: New, succeed: Succeed
) -> None:
    said = []

    async def workflow(run: Run) -> None:
        said.append(("begins", run.deployment.id))
        await run.step("build", lambda: asyncio.sleep(0.01))
        said.append(("ends", run.deployment.id))
        await succeed(run)

    engine = await start(workflow)
    asked = [new(identity=f"{9 - number:016}") for number in range(5)]
    for deployment in asked:
        await engine.submit(deployment)
    await engine.idle()
    assert said == [(what, deployment.id) for deployment in asked for what in ("begins", "ends")]


@pytest.mark.parametrize("died", [False, True])
async def test_what_a_worker_left_is_taken_over_by_the_next(
    *, died: bool, start: Start, new: New, succeed: Succeed, database: Database
) -> None:
    begun, go_on, ran = asyncio.Event(), asyncio.Event(), []

    async def workflow(run: Run) -> None:
        async def build() -> str:
            ran.append("build")
            return "sha256:1"

        async def push() -> None:
            ran.append("push")
            begun.set()
            await go_on.wait()

        await run.step("build", build)
        await run.step("push", push)
        await succeed(run)

    engine = await start(workflow)
    deployment = new()
    await engine.submit(deployment)
    await begun.wait()
    await engine.stop()
    if died:
        # One that is killed leaves its name behind, with the time when it last lived.
        assert engine._worker
        worker = engine._worker
        await database.write(lambda connection: beat(connection, worker))
        long_ago = sa.update(WORKER).values(seen_at=WORKER.c.seen_at - DEAD_AFTER_SECONDS)
        await database.write(lambda connection: connection.execute(long_ago))
    go_on.set()
    engine = await start(workflow)
    finished = await engine.wait(deployment.id)
    assert finished.outcome is Outcome.SUCCEEDED
    assert ran == ["build", "push", "push"]


async def test_a_worker_lives_from_its_first_word_until_it_leaves(database: Database) -> None:
    await database.write(lambda connection: beat(connection, "me"))
    await database.write(lambda connection: beat(connection, "me"))
    await database.write(lambda connection: beat(connection, "other"))
    assert await database.write(living) == {"me", "other"}
    await database.write(lambda connection: leave(connection, "me"))
    assert await database.write(living) == {"other"}


async def test_what_others_run_is_not_waited_for(database: Database, new: New) -> None:
    engine, deployment = Engine(database, _never), new()
    await database.write(lambda connection: insert(connection, deployment, {}))
    await database.write(lambda connection: beat(connection, "other"))
    await engine.idle()
    assert await engine.left() == ()


async def test_what_nobody_else_runs_is_left_for_us(database: Database, new: New) -> None:
    engine, deployment = Engine(database, _never), new()
    await database.write(lambda connection: insert(connection, deployment, {}))
    assert await engine.left() == (deployment.id,)


async def _never(_run: Run) -> None:
    raise AssertionError
