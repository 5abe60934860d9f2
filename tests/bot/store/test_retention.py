from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa

from bot.domain.deployment import Deployment, Kind, Outcome, Stage
from bot.domain.progress import Finished, Log, Progress, StageStarted, Warned
from bot.store.database import Database
from bot.store.deliveries import Deliveries
from bot.store.deployments import Deployments
from bot.store.progress import ProgressLog
from bot.store.retention import BATCH, OldRows
from bot.store.tables import FACT

Add = Callable[..., Awaitable[Deployment]]
FAR = 10e10
"""After everything that ends in a test."""


@pytest.fixture
def old(database: Database) -> OldRows:
    return OldRows(database, standing="stands")


@pytest.fixture
def ended(add: Add, deployments: Deployments) -> Add:
    async def ended(
        *, stands: bool = False, environment: str = "staging", kind: Kind = Kind.DEPLOY
    ) -> Deployment:
        deployment = await add(environment=environment, kind=kind)
        await deployments.save(deployment.id, "stands", stands)
        await deployments.finish(deployment.id, Outcome.SUCCEEDED if stands else Outcome.FAILED)
        return deployment

    return ended


async def ids(deployments: Deployments) -> set[str]:
    return {each.id for each in await deployments.list(limit=1000)}


async def test_of_each_target_the_newest_stay(
    old: OldRows, ended: Add, deployments: Deployments
) -> None:
    await ended()
    kept = {(await ended()).id, (await ended()).id, (await ended(environment="production")).id}
    assert await old.forget_deployments(FAR, keep=2) == 1
    assert await ids(deployments) == kept


async def test_what_a_rollback_needs_stays_whatever_came_after_it(
    old: OldRows, ended: Add, deployments: Deployments
) -> None:
    await ended(stands=True)
    good = [await ended(stands=True) for _ in range(2)]
    bad = [await ended() for _ in range(5)]
    assert await old.forget_deployments(FAR, keep=2) == 4
    assert await ids(deployments) == {each.id for each in (*good, *bad[-2:])}


async def test_a_rollback_that_failed_holds_its_target_however_long_ago(
    old: OldRows, ended: Add, deployments: Deployments
) -> None:
    held = await ended(kind=Kind.ROLLBACK)
    for _ in range(3):
        await ended()
    assert await old.forget_deployments(FAR, keep=1) == 2
    hold = await deployments.hold(held.request.target)
    assert hold is not None
    assert hold.deployment == held.id


async def test_a_hold_that_ended_does_not_come_back(
    old: OldRows, ended: Add, deployments: Deployments
) -> None:
    held = await ended(kind=Kind.ROLLBACK)
    await ended(stands=True)
    for _ in range(3):
        await ended(stands=True)
        await ended()
    assert await deployments.hold(held.request.target) is None
    await old.forget_deployments(FAR, keep=1)
    assert await deployments.hold(held.request.target) is None
    assert await deployments.get(held.id) is None


async def test_what_has_not_ended_stays(old: OldRows, add: Add, deployments: Deployments) -> None:
    waits, runs, _ = await add(), await add(), await add()
    await deployments.begin(runs.id)
    assert await old.forget_deployments(FAR, keep=1) == 0
    assert {waits.id, runs.id} < await ids(deployments)


async def test_what_is_young_stays(old: OldRows, ended: Add, deployments: Deployments) -> None:
    for _ in range(3):
        await ended()
    assert await old.forget_deployments(1.0, keep=1) == 0
    assert len(await ids(deployments)) == 3


async def test_nothing_of_one_that_is_forgotten_is_left(
    old: OldRows, ended: Add, database: Database, progress: ProgressLog
) -> None:
    first, second = await ended(), await ended()
    await old.forget_deployments(FAR, keep=1)
    assert await progress.read(first.id) == []
    facts = sa.select(FACT.c.deployment)
    left = await database.read(lambda connection: connection.execute(facts).scalars().all())
    assert left == [second.id]


async def test_many_are_forgotten_in_several_steps(old: OldRows, database: Database) -> None:
    several = sa.text(
        "insert into deployment (id, target, repository, environment, request, state, created_at,"
        " finished_at) values (:id, 't', 'r', 'e', '{}', 'finished', 1, 1)"
    )
    rows = [{"id": f"{number:016}"} for number in range(2 * BATCH + 10)]
    await database.write(lambda connection: connection.execute(several, rows))
    assert await old.forget_deployments(2.0, keep=1) == 2 * BATCH + 9


async def test_log_lines_go_and_the_rest_of_the_story_stays(
    old: OldRows, add: Add, deployments: Deployments, progress: ProgressLog
) -> None:
    deployment, runs = await add(), await add()
    for each in (deployment, runs):
        events: list[tuple[float, Progress]] = [
            (1.0, StageStarted(Stage.BUILD)),
            (2.0, Log(Stage.BUILD, "edges", "compiling")),
        ]
        await progress.append(each.id, events)
    await deployments.finish(deployment.id, Outcome.SUCCEEDED)
    assert await old.forget_logs(FAR) == 1
    told = [event for _, _, event in await progress.read(deployment.id)]
    assert [type(event) for event in told] == [StageStarted, Warned, Finished]
    assert len(await progress.read(runs.id)) == 2
    assert await old.forget_logs(FAR) == 0


async def test_deliveries_that_wait_stay(old: OldRows, database: Database) -> None:
    deliveries = Deliveries(database)
    for guid in ("waits", "done"):
        await deliveries.take(guid, "push", "acme/edges", "{}")
    await deliveries.done("done", "ok")
    assert await old.forget_deliveries(FAR) == 1
    assert await deliveries.state("waits") is not None
    assert await deliveries.state("done") is None
