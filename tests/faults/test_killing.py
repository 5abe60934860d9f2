"""kill -9 at random moments: nothing is lost, doubled, stuck or out of order."""

import sys
from dataclasses import dataclass

import pytest

from bot.domain.deployment import Deployment, Outcome
from bot.domain.progress import Finished
from bot.store.database import Database
from bot.store.deployments import Deployments
from bot.store.progress import ProgressLog
from tests.faults import steplog
from tests.faults.killing import Ending, Killing
from tests.faults.steplog import StepLog
from tests.faults.worker import asked

pytestmark = pytest.mark.xdist_group("killing")  # its story is told once

COUNT = 30
TARGETS = 5
KILLS = 12


@dataclass(frozen=True)
class Story:
    """What is left when the last worker ended."""

    ending: Ending
    log: StepLog
    url: str


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("killing")
    url = f"sqlite:///{folder}/pachops.db"
    log = StepLog(folder / "steps.log")
    worker = (sys.executable, "-m", "tests.faults.worker")
    command = (*worker, url, str(folder / "steps.log"), str(COUNT), str(TARGETS))
    killing = Killing(command, log, folder / "worker.out", kills=KILLS, most_lines=40, seed=7)
    return Story(killing.run(), log, url)


@pytest.fixture
async def stored(story: Story) -> list[Deployment]:
    database = await Database.open(story.url)
    try:
        return list(await Deployments(database).list(limit=10 * COUNT))
    finally:
        await database.close()


def test_the_worker_was_killed_and_ended_by_itself_in_the_end(story: Story) -> None:
    assert (story.ending.kills, story.ending.status) == (KILLS, 0), story.ending.output


def test_nothing_is_said_on_the_way(story: Story) -> None:
    assert story.ending.output == ""


def test_none_is_lost_stuck_or_doubled(stored: list[Deployment]) -> None:
    ids = [deployment.id for deployment in reversed(stored)]
    assert ids == [deployment.id for deployment in asked(COUNT, TARGETS)]
    assert {deployment.outcome for deployment in stored} == {Outcome.SUCCEEDED}


def test_every_step_counts_once(stored: list[Deployment]) -> None:
    assert {deployment.notes for deployment in stored} == {("4 steps",)}


async def test_each_has_one_end(story: Story) -> None:
    database = await Database.open(story.url)
    progress = ProgressLog(database)
    ends = [await progress.read(deployment.id) for deployment in asked(COUNT, TARGETS)]
    await database.close()
    assert all(len(events) == 1 and isinstance(events[0][2], Finished) for events in ends)


def test_no_step_whose_answer_was_kept_runs_again(story: Story) -> None:
    assert steplog.repeated(story.log.read()) == []


def test_a_step_runs_again_at_most_once_for_each_kill(story: Story) -> None:
    assert steplog.most_begins(story.log.read()) <= 1 + KILLS


def test_a_target_has_one_at_a_time_in_the_order_asked(story: Story) -> None:
    wanted: dict[str, list[str]] = {}
    for deployment in asked(COUNT, TARGETS):
        wanted.setdefault(deployment.request.target, []).append(deployment.id)
    assert steplog.order(story.log.read()) == wanted
