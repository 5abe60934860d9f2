"""Commands and workers that share a database."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.domain.deployment import Outcome, Stage, Trigger
from bot.domain.progress import Progress, StageFinished, StageStarted, Warned
from bot.engine.workers import living
from bot.settings import load_settings
from bot.store.database import Database
from bot.store.deployments import Deployments
from bot.store.progress import ProgressLog
from bot.worker import work
from tests.e2e.test_main_job import simple
from tests.e2e.world import PATIENCE, World
from tests.real.postgresql import PostgreSQL

pytestmark = pytest.mark.real


@pytest.fixture
async def worker(world: World, postgresql_server: PostgreSQL) -> AsyncIterator[None]:
    """A worker that runs what the world's commands ask for."""
    world.environ["PACHOPS_DATABASE_URL"] = postgresql_server.new_database()
    settings = load_settings(world.environ)
    stop = asyncio.Event()
    working = asyncio.create_task(work(settings, stop=stop))
    database = await Database.open(settings.database_url)
    async with asyncio.timeout(PATIENCE):
        while not await database.write(living):
            assert not working.done()
            await asyncio.sleep(0.02)
    yield
    await database.close()
    stop.set()
    await working


@pytest.mark.usefixtures("worker")
async def test_a_command_leaves_its_deployment_to_a_worker_and_shows_all_of_it(
    world: World,
) -> None:
    world.commit(simple(world))
    result = await world.deploy()
    assert result.finished.outcome is Outcome.SUCCEEDED
    stages = [event.stage for event in result.screen.of(StageStarted)]
    assert stages == [Stage.SOURCE, Stage.PLAN, Stage.BUILD, Stage.PUSH, Stage.UPDATE, Stage.VERIFY]
    assert [each for each in result.screen.of(Warned) if world.address in each.text]


async def test_what_it_said_is_on_disk_before_its_end_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha, found, finish = world.commit(simple(world)), list[Progress](), Deployments.finish

    async def watched(deployments: Deployments, identity: str, *end: Any) -> bool:
        async with world.database() as database:
            found.extend(event for _, _, event in await ProgressLog(database).read(identity))
        return await finish(deployments, identity, *end)

    monkeypatch.setattr(Deployments, "finish", watched)
    await world.deploy_for(Trigger.CLI, sha)
    ended = [each.stage for each in found if isinstance(each, StageFinished)]
    assert ended == [Stage.SOURCE, Stage.PLAN, Stage.BUILD, Stage.PUSH, Stage.UPDATE, Stage.VERIFY]


@pytest.mark.usefixtures("worker")
async def test_a_rollback_is_left_to_a_worker_too(world: World) -> None:
    world.commit(simple(world))
    await world.deploy()
    world.commit(simple(world) | {"run.sh": "echo other"})
    await world.deploy()
    assert (await world.roll_back()).finished.outcome is Outcome.SUCCEEDED


@pytest.mark.usefixtures("worker")
async def test_what_a_terminal_deploys_is_told_of_in_the_environments_channels(
    world: World,
) -> None:
    world.environ |= {
        "PACHOPS_SLACK_BOT_TOKEN": "xoxb-a-token",
        "PACHOPS_SLACK_APP_TOKEN": "xapp-a-token",
    }
    notify = "\nenvironments:\n  default:\n    notify: ['#ml']\n    verify: {window: 0s}\n"
    world.commit(simple(world) | {".pachops.yml": notify})
    result = await world.deploy()
    database = await Database.open(load_settings(world.environ).database_url)
    noted = await Deployments(database).load(result.finished.deployment or "", "slack")
    await database.close()
    assert noted["channels"] == ["#ml"]
