from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.database import Database
from tests.handlers.slack.world import World, listening


@pytest.fixture
async def world(tmp_path: Path, database: Database) -> AsyncIterator[World]:
    async with listening(tmp_path, database) as world:
        world.github.declare("  staging:\n    branches: [main]\n  production: {}\n")
        yield world
