"""PostgreSQL, where engines share a database and take over from each other."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from bot.domain.deployment import Deployment, Outcome
from bot.domain.reasons import Code, StoppedError
from bot.engine.durable import Durable
from bot.engine.engine import Engine
from bot.engine.run import Run
from bot.engine.workers import DEAD_AFTER_SECONDS, beat, leave, living, new_worker_id
from bot.store.database import Database
from bot.store.deployments import Deployments, insert
from bot.store.names import Named
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


async def test_the_line_of_a_repository_that_is_renamed_stays_one(
    start: Start, new: New, succeed: Succeed
) -> None:
    begins, go_on, said = asyncio.Event(), asyncio.Event(), []

    async def workflow(run: Run) -> None:
        said.append(("begins", run.deployment.id))
        begins.set()
        await run.step("build", go_on.wait)
        said.append(("ends", run.deployment.id))
        await succeed(run)

    engine = await start(workflow)
    asked = [new("edges"), new("edges"), new("corners")]
    await engine.submit(asked[0])
    await begins.wait()
    await engine.submit(asked[1])
    before = Named("edges", "acme/edges", "edges.git")
    after = Named("corners", "acme/corners", "corners.git")
    await engine.rename(before, after, asked[0].request.actor, once="it")
    await engine.submit(asked[2])
    go_on.set()
    await engine.idle()
    assert said == [(what, each.id) for each in asked for what in ("begins", "ends")]


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


class Claims:
    """Two workers that claim from one queue as DBOS's own thread does, one stopped half-way."""

    def __init__(self, url: str) -> None:
        self.durable = Durable(url, "submitter", max_running=4, poll=1.0)
        self.system = self.durable._client._sys_db
        self.half_way, self.go_on = threading.Event(), threading.Event()
        sa.event.listen(self.system.engine, "before_cursor_execute", self._stop_first)

    def _stop_first(self, *call: Any) -> None:
        if threading.current_thread().name == "first_0" and call[2].upper().startswith("UPDATE"):
            self.half_way.set()
            self.go_on.wait(60)

    def claim(self, executor: str, *, guarded: bool) -> list[str]:
        queue = self.system.get_queue("deployments")
        assert queue
        if not guarded:
            queue._concurrency = None
        if queue._concurrency is None:
            return self.system.start_queued_partitioned_workflows(
                queue, executor, "wf1", 10, owner_xid=executor
            )
        try:
            return self.system.start_queued_workflows(
                queue, executor, "wf1", "edges#staging", 0, 0, owner_xid=executor
            )[0]
        except sa.exc.DBAPIError as error:
            if not self.system.is_serialization_conflict(error):
                raise
            # Its thread looks again at the next poll.
            return []


@pytest.mark.parametrize(("guarded", "running"), [(True, 1), (False, 2)])
async def test_two_workers_never_take_deployments_of_one_target(
    *, guarded: bool, running: int, database: Database, new: New
) -> None:
    """What DBOS does without the guard is here too: should it learn better, the guard may go."""
    claims = await asyncio.to_thread(Claims, database.url)

    async def submit(number: int) -> None:
        deployment = new()
        await database.write(
            lambda connection: claims.durable.enqueue(connection, deployment, number)
        )

    await submit(2)
    with ThreadPoolExecutor(1, "first") as first, ThreadPoolExecutor(1, "second") as second:
        slow = first.submit(claims.claim, "first", guarded=guarded)
        await asyncio.to_thread(claims.half_way.wait, 60)
        # Its number is lower and it arrives later: two who submit at once do that.
        await submit(1)
        quick = second.submit(claims.claim, "second", guarded=guarded)
        try:
            taken = len(await asyncio.to_thread(quick.result, 60))
        finally:
            claims.go_on.set()
        taken += len(await asyncio.to_thread(slow.result, 60))
    await asyncio.to_thread(claims.durable._client.destroy)
    assert taken == running


async def test_the_version_in_the_queue_is_one_that_no_upgrade_changes(
    start: Start, new: New, succeed: Succeed, database: Database
) -> None:
    engine = await start(succeeding(succeed))
    await engine.submit(new())
    await engine.idle()
    versions = sa.text("select distinct application_version from dbos.workflow_status")
    found = await database.read(lambda connection: connection.execute(versions).scalars().all())
    assert found == ["wf1"]


def succeeding(succeed: Succeed) -> Workflow:
    async def workflow(run: Run) -> None:
        await succeed(run)

    return workflow


async def test_one_that_runs_nothing_submits_cancels_and_waits(
    database: Database, new: New
) -> None:
    async def workflow(_run: Run) -> None:
        pytest.fail("it ran what it leaves to others")

    engine = Engine(database, workflow, max_running=0)
    await engine.start()
    deployment = new()
    await engine.submit(deployment)
    assert await engine.others() == frozenset()
    await engine.cancel(deployment.id, "ada")
    finished = await engine.wait(deployment.id)
    await engine.stop()
    assert finished.outcome is Outcome.CANCELLED


async def test_a_worker_knows_the_others(
    start: Start, succeed: Succeed, database: Database
) -> None:
    engine = await start(succeeding(succeed))
    assert await engine.others() == frozenset()
    await database.write(lambda connection: beat(connection, "other"))
    command = new_worker_id(stays=False)
    await database.write(lambda connection: beat(connection, command))
    assert await engine.others() == {"other"}


async def test_draining_takes_nothing_up_and_lets_what_runs_end(
    start: Start, new: New, succeed: Succeed, deployments: Deployments
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def workflow(run: Run) -> None:
        begun.set()
        await go_on.wait()
        await succeed(run)

    engine = await start(workflow)
    runs, waits = new("edges"), new("montage")
    await engine.submit(runs)
    await begun.wait()
    draining = asyncio.create_task(engine.drain(60.0))
    await asyncio.sleep(0)
    await engine.submit(waits)
    go_on.set()
    await draining
    assert (await engine.wait(runs.id)).outcome is Outcome.SUCCEEDED
    assert await deployments.unfinished() == (waits.id,)


async def test_one_that_lets_go_interrupts_what_runs_and_takes_it_up_when_it_rejoins(
    start: Start, new: New, succeed: Succeed
) -> None:
    begun, go_on, ended = asyncio.Queue[str](), asyncio.Event(), asyncio.Event()

    async def workflow(run: Run) -> None:
        async def push() -> None:
            begun.put_nowait(run.deployment.id)
            try:
                await go_on.wait()
            finally:
                ended.set()

        await run.step("push", push)
        await succeed(run)

    engine = await start(workflow)
    deployment = new()
    await engine.submit(deployment)
    await begun.get()
    await engine._let_go()
    assert ended.is_set()
    go_on.set()
    await engine._rejoin()
    assert await begun.get() == deployment.id
    assert (await engine.wait(deployment.id)).outcome is Outcome.SUCCEEDED


async def test_what_others_took_over_meanwhile_is_left_to_them(
    start: Start, new: New, database: Database, deployments: Deployments
) -> None:
    begun = asyncio.Event()

    async def workflow(run: Run) -> None:
        assert not begun.is_set()

        async def push() -> None:
            begun.set()
            await asyncio.Event().wait()

        await run.step("push", push)

    engine = await start(workflow)
    deployment = new()
    await engine.submit(deployment)
    await begun.wait()
    await engine._let_go()
    await database.write(lambda connection: beat(connection, "other"))
    theirs = sa.text("update dbos.workflow_status set executor_id = 'other', owner_xid = 'other'")
    await database.write(lambda connection: connection.execute(theirs))
    await engine._rejoin()
    await database.write(lambda connection: connection.execute(THEIRS_STILL))
    assert await deployments.unfinished() == (deployment.id,)


THEIRS_STILL = sa.text(
    "do $$ begin assert (select status || executor_id from dbos.workflow_status) = 'PENDINGother';"
    " end $$"
)


async def test_tables_of_a_newer_queue_are_not_touched(database: Database) -> None:
    engine = Engine(database, ends, max_running=0)
    await engine.start()
    await engine.stop()
    newer = sa.text("update dbos.dbos_migrations set version = version + 1")
    await database.write(lambda connection: connection.execute(newer))
    with pytest.raises(StoppedError) as stopped:
        await Engine(database, ends, max_running=0).start()
    assert stopped.value.reason.code is Code.DATABASE_UNUSABLE
    assert "version" in stopped.value.reason.fact


async def ends(_run: Run) -> None:
    return


def test_no_two_workers_have_one_name() -> None:
    assert new_worker_id() != new_worker_id()


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
