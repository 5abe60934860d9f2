from collections.abc import Awaitable, Callable

import pytest
import sqlalchemy as sa

from bot.domain.approval import ApprovalRequest, Proposal, Verdict, Vote
from bot.domain.deployment import Actor, Deployment, Outcome
from bot.domain.progress import Finished, Supersedes
from bot.domain.queue import Wait, newer_than
from bot.domain.reasons import Code, StoppedError
from bot.store.approvals import Approvals
from bot.store.database import Database
from bot.store.deployments import Deployments
from bot.store.progress import ProgressLog
from bot.store.queue import Queue
from bot.store.tables import DEPLOYMENT

Add = Callable[..., Awaitable[Deployment]]

TARGET = "git@example.com:edges#staging"


@pytest.fixture
def queue(database: Database) -> Queue:
    return Queue(database)


async def took(database: Database, deployment: Deployment, start: float, end: float) -> None:
    """That it succeeded, in this time."""
    await Deployments(database).begin(deployment.id)
    await Deployments(database).finish(deployment.id, Outcome.SUCCEEDED)
    change = (
        sa.update(DEPLOYMENT)
        .where(DEPLOYMENT.c.id == deployment.id)
        .values(started_at=start, finished_at=end)
    )
    await database.write(lambda connection: connection.execute(change))


async def test_those_before_it_are_those_of_its_target(queue: Queue, add: Add) -> None:
    first = await add()
    await add(environment="production")
    mine = await add()
    await add()
    place = await queue.place(mine)
    assert (place.wait, place.before, place.usual) == (Wait.BEHIND, (first,), None)


async def test_the_usual_duration_is_that_of_its_target(
    queue: Queue, add: Add, database: Database
) -> None:
    for seconds in (10.0, 30.0, 20.0):
        await took(database, await add(), 100.0, 100.0 + seconds)
    await took(database, await add(environment="production"), 0.0, 999.0)
    failed = await add()
    await Deployments(database).finish(failed.id, Outcome.FAILED)
    assert (await queue.place(await add())).usual == 20.0


async def test_the_wait_for_approval_is_left_out(
    queue: Queue, add: Add, database: Database
) -> None:
    deployment = await add()
    approvals = Approvals(database)
    request = ApprovalRequest(
        deployment.id, Proposal("a" * 40, (), ()), Actor("ann", "github"), 1, 110.0, 9999.0
    )
    await approvals.ask(request)
    await approvals.vote(deployment.id, Vote(Actor("bob", "github"), Verdict.APPROVE, 4000.0))
    await approvals.settle(deployment.id, 4110.0)
    await took(database, deployment, 100.0, 4130.0)
    assert await queue.durations(TARGET) == (30.0,)


async def test_one_that_is_superseded_and_the_newer_both_say_so(
    queue: Queue, add: Add, database: Database
) -> None:
    older, newer = await add(), await add()
    deployments, progress = Deployments(database), ProgressLog(database)
    # Both of `add` bring the same commit, which supersedes nothing.
    assert newer_than(older, await queue.behind(older)) is None
    reason = StoppedError(Code.SUPERSEDED, f"deployment {newer.id} is newer", where=newer.id)
    assert await deployments.finish(older.id, Outcome.SUPERSEDED, reason.reason)
    assert not await deployments.finish(older.id, Outcome.SUPERSEDED, reason.reason)
    (_, _, end), *_ = await progress.read(older.id)
    assert isinstance(end, Finished)
    assert end.outcome is Outcome.SUPERSEDED
    said = [event for _, _, event in await progress.read(newer.id)]
    assert said == [Supersedes(older.id, "a" * 40)]


async def test_a_newer_one_that_is_gone_stops_nothing(add: Add, database: Database) -> None:
    older = await add()
    reason = StoppedError(Code.SUPERSEDED, "another is newer", where="06gzzzz").reason
    assert await Deployments(database).finish(older.id, Outcome.SUPERSEDED, reason)
