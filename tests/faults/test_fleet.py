"""Three workers on PostgreSQL, killed at random: none lost, none doubled, none overlapping."""

import asyncio
from dataclasses import dataclass

import pytest

from bot.domain.deployment import Deployment, Outcome
from bot.engine.engine import Engine
from bot.engine.run import Run
from bot.store.database import Database
from bot.store.deployments import Deployments
from tests.faults import steplog
from tests.faults.fleet import Fleet
from tests.faults.steplog import StepLog
from tests.faults.worker import asked
from tests.real.postgresql import PostgreSQL

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("fleet")]  # its story is told once

COUNT = 200
TARGETS = 25
WORKERS = 3
KILLS = 6


@dataclass(frozen=True)
class Story:
    """What is left when all is done."""

    log: StepLog
    stored: list[Deployment]
    statuses: list[int]
    output: str


async def nothing(_run: Run) -> None:
    """The submitter runs nothing."""


async def submit(url: str, deployments: list[Deployment]) -> None:
    database = await Database.open(url)
    engine = Engine(database, nothing, max_running=0)
    await engine.start()
    for deployment in deployments:
        await engine.submit(deployment)
    await engine.stop()
    await database.close()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, postgresql_server: PostgreSQL) -> Story:
    folder = tmp_path_factory.mktemp("fleet")
    url = postgresql_server.new_database()
    log = folder / "steps.log"
    steps = StepLog(log)
    fleet = Fleet(url, log, folder / "workers.out", seed=11)
    asyncio.run(submit(url, asked(COUNT, TARGETS)))
    with fleet.of(WORKERS):
        fleet.kill(KILLS, most_lines=COUNT)
        fleet.until(lambda: not asyncio.run(_unfinished(url)), pause=0.5)
        statuses = fleet.stop()
    return Story(steps, asyncio.run(_stored(url)), statuses, fleet.output.read_text())


async def _unfinished(url: str) -> tuple[str, ...]:
    database = await Database.open(url)
    try:
        return await Deployments(database).unfinished()
    finally:
        await database.close()


async def _stored(url: str) -> list[Deployment]:
    database = await Database.open(url)
    try:
        return list(await Deployments(database).list(limit=10 * COUNT))
    finally:
        await database.close()


def test_those_that_were_told_to_stop_ended_in_good_order(story: Story) -> None:
    assert story.statuses == [0] * WORKERS, story.output


def test_none_is_lost_stuck_or_doubled(story: Story) -> None:
    ids = [deployment.id for deployment in reversed(story.stored)]
    assert ids == [deployment.id for deployment in asked(COUNT, TARGETS)]
    assert {deployment.outcome for deployment in story.stored} == {Outcome.SUCCEEDED}, story.output


def test_every_step_counts_once(story: Story) -> None:
    assert {deployment.notes for deployment in story.stored} == {("4 steps",)}


def test_no_step_whose_answer_was_kept_runs_again(story: Story) -> None:
    assert steplog.repeated(story.log.read()) == []


def test_a_target_has_one_at_a_time_in_the_order_asked(story: Story) -> None:
    wanted: dict[str, list[str]] = {}
    for deployment in asked(COUNT, TARGETS):
        wanted.setdefault(deployment.request.target, []).append(deployment.id)
    assert steplog.order(story.log.read()) == wanted
