import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa

from bot.domain.deployment import Deployment, Outcome, State
from bot.domain.reasons import Code, StoppedError
from bot.engine.claim import Claim
from bot.engine.durable import Durable
from bot.engine.engine import Engine
from bot.engine.life import MAX_INTERRUPTIONS
from bot.engine.run import Run
from bot.store.database import Database
from bot.store.deployments import CancelResult, Deployments, insert
from bot.store.names import Named

Workflow = Callable[[Run], Awaitable[None]]
Start = Callable[[Workflow], Awaitable[Engine]]
New = Callable[..., Deployment]
Succeed = Callable[[Run], Awaitable[bool]]

pytestmark = pytest.mark.usefixtures("patience")


class Held:
    """Work that says it has begun and waits to be let go."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.ended = asyncio.Event()

    async def __call__(self) -> str:
        self.begun.set()
        try:
            await self.go_on.wait()
        finally:
            await asyncio.sleep(0)
            self.ended.set()
        return "done"


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
    # Ids that sort against the order asked: the order is not theirs.
    asked = [new(identity=f"{9 - number:016}") for number in range(5)]
    for deployment in asked:
        await engine.submit(deployment)
    await engine.idle()
    assert said == [(what, deployment.id) for deployment in asked for what in ("begins", "ends")]


async def test_the_line_of_a_repository_that_is_renamed_stays_one(
    start: Start, new: New, succeed: Succeed, deployments: Deployments
) -> None:
    held = Held()
    begun = []

    async def workflow(run: Run) -> None:
        begun.append(run.deployment.id)
        await run.step("build", held)
        await succeed(run)

    engine = await start(workflow)
    first, second, third = new("edges"), new("edges"), new("corners")
    await engine.submit(first)
    await held.begun.wait()
    await engine.submit(second)
    before = Named("edges", "acme/edges", "edges.git")
    after = Named("corners", "acme/corners", "corners.git")
    await engine.rename(before, after, first.request.actor, once="it")
    await engine.submit(third)
    beside = new("faces")
    await engine.submit(beside)
    async with asyncio.timeout(60):
        while len(begun) < 2:  # noqa: ASYNC110 - DBOS tells nobody
            await asyncio.sleep(0.01)
    assert begun == [first.id, beside.id]
    held.go_on.set()
    await engine.idle()
    assert begun == [first.id, beside.id, second.id, third.id]
    found = await deployments.get(second.id)
    assert found is not None
    assert found.request.target == "corners#staging"


async def test_targets_run_beside_each_other(start: Start, new: New, succeed: Succeed) -> None:
    all_here = asyncio.Barrier(3)

    async def workflow(run: Run) -> None:
        await all_here.wait()
        await succeed(run)

    engine = await start(workflow)
    for target in ("edges", "montage", "faces"):
        await engine.submit(new(target))
    await engine.idle()


async def test_a_deployment_is_running_when_its_workflow_runs(
    start: Start, new: New, succeed: Succeed, deployments: Deployments
) -> None:
    seen = []

    async def workflow(run: Run) -> None:
        stored = await deployments.get(run.deployment.id)
        seen.append((run.deployment.state, stored.state if stored else None, run.resumed))
        await succeed(run)

    engine = await start(workflow)
    await engine.submit(new())
    await engine.idle()
    assert seen == [(State.RUNNING, State.RUNNING, False)]


@pytest.mark.parametrize("after_enqueue", [False, True])
async def test_a_submit_that_fails_leaves_nothing(
    *,
    after_enqueue: bool,
    start: Start,
    new: New,
    deployments: Deployments,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def workflow(_run: Run) -> None:
        pytest.fail("ran what was not submitted")

    engine = await start(workflow)
    real = Durable.enqueue

    def enqueue(
        self: Durable, connection: sa.Connection, deployment: Deployment, number: int
    ) -> None:
        if after_enqueue:
            real(self, connection, deployment, number)
        raise LookupError

    monkeypatch.setattr(Durable, "enqueue", enqueue)
    deployment = new()
    with pytest.raises(LookupError):
        await engine.submit(deployment)
    assert await deployments.get(deployment.id) is None
    queue = Durable(engine._database.url, "test", max_running=1, poll=1.0)
    assert queue.lives([deployment.id]) == {deployment.id: "gone"}


async def test_a_second_submit_changes_nothing(start: Start, new: New, succeed: Succeed) -> None:
    runs = []

    async def workflow(run: Run) -> None:
        runs.append(run.deployment.id)
        await succeed(run)

    engine = await start(workflow)
    deployment = new()
    await engine.submit(deployment)
    await engine.submit(deployment)
    finished = await engine.wait(deployment.id)
    await engine.submit(deployment)
    await engine.idle()
    assert runs == [deployment.id]
    assert await engine.wait(deployment.id) == finished


async def test_one_that_waits_is_cancelled_at_once_and_never_runs(
    start: Start, new: New, succeed: Succeed
) -> None:
    held, ran = Held(), []

    async def workflow(run: Run) -> None:
        ran.append(run.deployment.id)
        await run.step("build", held)
        await succeed(run)

    engine = await start(workflow)
    first, second, third = new(), new(), new()
    for deployment in (first, second, third):
        await engine.submit(deployment)
    await held.begun.wait()
    assert await engine.cancel(second.id, "ada") is CancelResult.WAITING
    assert (await engine.wait(second.id)).outcome is Outcome.CANCELLED
    held.go_on.set()
    await engine.idle()
    assert ran == [first.id, third.id]


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_one_that_runs_is_interrupted_and_holds_its_target_until_it_cleaned_up(
    *, elsewhere: bool, start: Start, new: New, succeed: Succeed, deployments: Deployments
) -> None:
    held = Held()
    clean = []

    async def workflow(run: Run) -> None:
        if not held.begun.is_set():
            await run.step("build", held)
        clean.append(held.ended.is_set())
        await succeed(run)

    engine = await start(workflow)
    first, second = new(), new()
    await engine.submit(first)
    await engine.submit(second)
    await held.begun.wait()
    canceller = deployments.request_cancel if elsewhere else engine.cancel
    assert await canceller(first.id, "ada") is CancelResult.RUNNING
    cancelled = await engine.wait(first.id)
    await engine.wait(second.id)
    assert cancelled.outcome is Outcome.CANCELLED
    assert cancelled.reason
    assert (cancelled.reason.code, cancelled.reason.fact) == (Code.CANCELLED, "ada cancelled it")
    assert clean == [True]


async def test_a_restart_goes_on_after_the_last_step_that_ended(
    start: Start, new: New, succeed: Succeed
) -> None:
    held, ran = Held(), []
    answers = []

    async def workflow(run: Run) -> None:
        async def build() -> dict[str, str]:
            ran.append("build")
            return {"digest": "sha256:1"}

        async def push() -> str:
            ran.append("push")
            return await held()

        answers.append((run.resumed, await run.step("build", build)))
        await run.step("push", push)
        await succeed(run)

    engine = await start(workflow)
    deployment = new()
    await engine.submit(deployment)
    await held.begun.wait()
    await engine.stop()
    assert held.ended.is_set()

    held.go_on.set()
    engine = await start(workflow)
    finished = await engine.wait(deployment.id)
    assert finished.outcome is Outcome.SUCCEEDED
    assert ran == ["build", "push", "push"]
    assert answers == [(False, {"digest": "sha256:1"}), (True, {"digest": "sha256:1"})]


async def test_a_stop_leaves_those_that_wait_for_the_next_start(
    start: Start, new: New, succeed: Succeed, deployments: Deployments
) -> None:
    held, ran = Held(), []

    async def workflow(run: Run) -> None:
        await run.step("build", held)
        ran.append(run.deployment.id)
        await succeed(run)

    engine = await start(workflow)
    asked = [new() for _ in range(3)]
    for deployment in asked:
        await engine.submit(deployment)
    await held.begun.wait()
    await engine.stop()
    assert len(await deployments.unfinished()) == 3

    held.go_on.set()
    engine = await start(workflow)
    await engine.idle()
    assert ran == [deployment.id for deployment in asked]


async def test_a_failed_step_is_not_tried_again_after_a_restart(
    start: Start, new: New, deployments: Deployments
) -> None:
    held, tests, facts = Held(), [], []

    async def workflow(run: Run) -> None:
        async def test() -> None:
            tests.append(run.deployment.id)
            raise StoppedError(Code.TEST_FAILED, "2 failed", where="edges")

        try:
            await run.step("test", test)
        except StoppedError as stopped:
            facts.append(stopped.reason)
        await run.step("roll_back", held)
        await deployments.finish(run.deployment.id, Outcome.FAILED, facts[-1])

    engine = await start(workflow)
    deployment = new()
    await engine.submit(deployment)
    await held.begun.wait()
    await engine.stop()
    held.go_on.set()
    engine = await start(workflow)
    finished = await engine.wait(deployment.id)
    assert tests == [deployment.id]
    assert facts[0] == facts[1] == finished.reason


async def ends_without_an_outcome(_run: Run) -> None:
    return


async def fails(_run: Run) -> None:
    raise LookupError


async def stops(_run: Run) -> None:
    raise StoppedError(Code.REF_UNKNOWN, "no branch")


async def cancels_itself(_run: Run) -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("workflow", "code"),
    [
        (ends_without_an_outcome, Code.INTERNAL_ERROR),
        (fails, Code.INTERNAL_ERROR),
        (stops, Code.REF_UNKNOWN),
        (cancels_itself, Code.INTERNAL_ERROR),
    ],
)
async def test_however_a_workflow_ends_the_deployment_is_finished_and_it_is_logged(
    workflow: Workflow, code: Code, start: Start, new: New, caplog: pytest.LogCaptureFixture
) -> None:
    engine = await start(workflow)
    deployment = new()
    await engine.submit(deployment)
    finished = await engine.wait(deployment.id)
    assert finished.outcome is Outcome.FAILED
    assert finished.reason
    assert finished.reason.code is code
    assert deployment.id in caplog.text


async def test_an_end_that_cannot_be_written_is_told_and_written_later(
    start: Start, new: New, deployments: Deployments, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Deployments.finish
    disk_is_full = True

    async def finish(self: Deployments, *args: object, **more: object) -> bool:
        if disk_is_full:
            raise StoppedError(Code.DISK_FULL, "no space for the database")
        return await real(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Deployments, "finish", finish)
    engine = await start(stops)
    deployment = new()
    await engine.submit(deployment)
    with pytest.raises(StoppedError) as stopped:
        await engine.wait(deployment.id)
    assert stopped.value.reason.code is Code.REF_UNKNOWN

    disk_is_full = False
    await engine.idle()
    finished = await deployments.get(deployment.id)
    assert finished
    assert finished.reason == stopped.value.reason


async def test_a_target_goes_on_when_the_queue_missed_the_end_of_a_run(
    start: Start,
    new: New,
    succeed: Succeed,
    database: Database,
) -> None:
    tasks = []

    async def workflow(run: Run) -> None:
        tasks.append(asyncio.current_task())
        if run.deployment.id == first.id:
            await database.write(lambda connection: connection.execute(sa.text(REFUSE)))
        await succeed(run)

    engine = await start(workflow)
    first, second = new(), new()
    await engine.submit(first)
    await engine.submit(second)
    await engine.wait(first.id)
    await asyncio.wait([task for task in tasks if task])
    await database.write(lambda connection: connection.execute(sa.text("drop trigger refuse")))
    assert (await engine.wait(second.id)).outcome is Outcome.SUCCEEDED


REFUSE = """
create trigger refuse before update on workflow_status when new.status in ('SUCCESS', 'ERROR')
begin select raise(abort, 'no space'); end
"""
"""As a full disk does to the queue's own note that a run has ended."""


async def test_a_deployment_that_is_in_no_line_is_settled_at_the_start(
    start: Start, new: New, database: Database, deployments: Deployments
) -> None:
    lost = new()
    await database.write(lambda connection: insert(connection, lost))
    await start(fails)
    settled = await deployments.get(lost.id)
    assert settled
    assert settled.reason
    assert settled.reason.code is Code.INTERNAL_ERROR


async def test_a_deployment_that_was_interrupted_too_often_is_given_up(
    start: Start, new: New, database: Database, succeed: Succeed
) -> None:
    held, ran = Held(), []

    async def workflow(run: Run) -> None:
        ran.append(run.deployment.id)
        await run.step("build", held)
        await succeed(run)

    engine = await start(workflow)
    deadly, next_one = new(), new()
    await engine.submit(deadly)
    await engine.submit(next_one)
    await held.begun.wait()
    await engine.stop()
    # As DBOS has it after so many runs.
    often = sa.text(
        "update workflow_status set recovery_attempts = :often where workflow_uuid = :id"
    )
    await database.write(
        lambda connection: connection.execute(
            often, {"often": MAX_INTERRUPTIONS + 1, "id": deadly.id}
        )
    )
    held.go_on.set()
    engine = await start(workflow)
    settled = await engine.wait(deadly.id)
    assert settled.reason
    assert settled.reason.code is Code.GAVE_UP
    assert (await engine.wait(next_one.id)).outcome is Outcome.SUCCEEDED
    assert ran == [deadly.id, next_one.id]


async def test_a_database_that_another_engine_has_is_refused_with_its_process(
    database: Database,
) -> None:
    assert database.path
    claim = Claim(database.path)
    with pytest.raises(StoppedError) as stopped:
        await Engine(database, fails).start()
    claim.release()
    assert stopped.value.reason.code is Code.DATABASE_IN_USE
    assert str(os.getpid()) in stopped.value.reason.fact


async def test_a_stop_gives_the_database_back(start: Start, database: Database) -> None:
    engine = await start(fails)
    await engine.stop()
    await engine.stop()
    assert database.path
    Claim(database.path).release()


async def test_an_engine_that_was_never_started_can_be_stopped(database: Database) -> None:
    await Engine(database, fails).stop()


async def test_the_loops_own_threads_work_after_a_stop(
    start: Start, new: New, succeed: Succeed
) -> None:
    async def workflow(run: Run) -> None:
        await run.step("finish", lambda: succeed(run))

    engine = await start(workflow)
    deployment = new()
    await engine.submit(deployment)
    await engine.wait(deployment.id)
    await engine.stop()
    assert await asyncio.to_thread(lambda: "works") == "works"


async def test_waiting_for_one_that_nobody_knows_is_refused(start: Start) -> None:
    engine = await start(fails)
    with pytest.raises(StoppedError) as stopped:
        await engine.wait("06gzzzzzzzzzzzzz")
    assert stopped.value.reason.code is Code.DEPLOYMENT_UNKNOWN


async def test_everything_that_is_kept_is_json(
    start: Start, new: New, succeed: Succeed, database: Database
) -> None:
    async def workflow(run: Run) -> None:
        await run.step("finish", lambda: succeed(run))
        raise LookupError

    engine = await start(workflow)
    await engine.submit(new())
    await engine.idle()
    await engine.stop()
    both = sa.text(
        "select serialization from workflow_status union select serialization from operation_outputs"
    )
    kinds = await database.read(lambda connection: connection.execute(both).scalars().all())
    assert kinds == ["pachops-json"]


async def test_nothing_is_printed(
    start: Start, new: New, succeed: Succeed, capfd: pytest.CaptureFixture[str]
) -> None:
    held = Held()

    async def workflow(run: Run) -> None:
        await run.step("build", held)
        await succeed(run)

    engine = await start(workflow)
    await engine.submit(new())
    await held.begun.wait()
    await engine.stop()
    held.go_on.set()
    engine = await start(workflow)
    await engine.idle()
    await engine.stop()
    assert capfd.readouterr() == ("", "")


def test_those_who_only_read_do_not_load_dbos() -> None:
    code = "import sys, bot.engine.engine, bot.store.progress; print('dbos' in sys.modules)"
    answer = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert answer.stdout == "False\n"
