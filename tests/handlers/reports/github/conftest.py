from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.database import Database
from tests.handlers.reports.github.world import World
from tests.migrated import migrated


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = await Database.open(migrated(tmp_path / "pachops.db"))
    yield World(database)
    await database.close()
