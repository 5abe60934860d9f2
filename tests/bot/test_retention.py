"""What an hour's cleaning leaves of a bot that has worked."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.app import Bot, open_bot
from bot.domain.deployment import Outcome
from bot.domain.reasons import Code, StoppedError
from bot.engine.run import Run
from bot.retention import Cleaner
from bot.services.docker import EnginePool
from bot.settings import load_settings
from tests.bot.test_app import deployment
from tests.real.git_server import Repository

DAY = 86_400.0


class Engine:
    """An engine that notes what it is told to forget."""

    address = "tcp://one:2375"

    def __init__(self, *, broken: bool = False) -> None:
        self.told: list[tuple[str, float]] = []
        self._broken = broken

    async def forget_images(self, label: str, before: float) -> int:
        if self._broken:
            raise StoppedError(Code.ENGINE_UNREACHABLE, "gone")
        self.told.append((label, before))
        return 1

    async def close(self) -> None:
        """Nothing to leave."""

    async def forget_cache(self, unused: float) -> int:
        self.told.append(("cache", unused))
        return 1


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    settings = load_settings({"HOME": str(tmp_path), "PACHOPS_DATA_DIR": str(tmp_path / "data")})
    async with open_bot(settings) as bot:
        yield bot


async def run_one(bot: Bot) -> None:
    """A deployment that ends at once, through the real queue."""

    async def workflow(run: Run) -> None:
        await bot.deployments.finish(run.deployment.id, Outcome.SUCCEEDED)

    bot.engine._runs._workflow = workflow
    await bot.engine.start()
    await bot.engine.submit(deployment())
    await bot.engine.idle()


async def runs_of(bot: Bot) -> int:
    count = sa.text("select count(*) from workflow_status")
    return await bot.database.read(lambda connection: connection.execute(count).scalar_one())


async def until_its_run_has_ended(bot: Bot) -> None:
    ended = sa.text("select count(*) from workflow_status where status = 'SUCCESS'")
    while not await bot.database.read(lambda connection: connection.execute(ended).scalar_one()):  # noqa: ASYNC110 - the queue tells nobody
        await asyncio.sleep(0.01)  # DBOS writes it after the deployment's own end


async def test_the_queues_notes_go_when_they_are_old_and_not_before(bot: Bot) -> None:
    await run_one(bot)
    await asyncio.wait_for(until_its_run_has_ended(bot), 60)
    await Cleaner(bot, clock=lambda: time.time() + 6 * DAY).once()
    assert await runs_of(bot) == 1
    await Cleaner(bot, clock=lambda: time.time() + 8 * DAY).once()
    assert await runs_of(bot) == 0
    assert len(await bot.deployments.list()) == 1


async def test_a_mirror_goes_when_it_was_not_used_for_long(bot: Bot, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "source")
    sha = repository.commit({"a": "1"}, "One")
    address = str(repository.path)
    mirror = await bot.git.mirror(address, sha)
    assert await bot.git.forget_unused(time.time() - 30 * DAY) == 0
    lock = mirror.folder.with_name(mirror.folder.name + ".lock")
    os.utime(lock, (1.0, 1.0))
    await bot.git.mirror(address, sha)
    assert await bot.git.forget_unused(time.time() - 30 * DAY) == 0
    os.utime(lock, (1.0, 1.0))
    assert await bot.git.forget_unused(time.time() - 30 * DAY) == 1
    assert not await asyncio.to_thread(mirror.folder.exists)
    again = await bot.git.mirror(address, sha)
    assert await again.read(sha, "a") == b"1"


async def test_what_fails_does_not_keep_the_rest_from_being_done(
    bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    engine = Engine(broken=True)
    bot._pool = EnginePool((), bot._connect)
    bot._pool._engines = {"one": engine}  # type: ignore[dict-item]
    await bot.engine.start()
    await Cleaner(bot).once()
    assert "images on tcp://one:2375 were not removed" in caplog.text
    assert engine.told == [("cache", 14 * DAY)]


async def test_only_engines_that_were_used_are_cleaned(bot: Bot) -> None:
    await bot.engine.start()
    await Cleaner(bot).once()
    assert bot.connected_engines == ()
