from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.database import Database
from bot.store.deliveries import Deliveries
from tests.migrated import migrated


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(migrated(tmp_path / "pachops.db"))
    yield database
    await database.close()


@pytest.fixture
def deliveries(database: Database) -> Deliveries:
    return Deliveries(database)
