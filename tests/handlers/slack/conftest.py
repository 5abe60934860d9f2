from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.deployment import Deployment
from bot.store.database import Database
from tests.handlers.github.world import EDGES
from tests.handlers.slack.world import World, listening


@pytest.fixture
async def world(tmp_path: Path, database: Database) -> AsyncIterator[World]:
    async with listening(tmp_path, database) as world:
        world.github.declare("  staging:\n    branches: [main]\n  production: {}\n")
        yield world


@pytest.fixture
async def deployment(world: World) -> Deployment:
    """What ann, who is ada on GitHub, has asked for."""
    await world.links(world.ann, "ada")
    await world.types(world.ann, f"/pachops deploy staging --repo {EDGES}")
    return await world.only()
