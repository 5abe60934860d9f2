from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.handlers.web.world import World, world


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[World]:
    """Pages that nobody can log in to."""
    async with world(tmp_path) as made:
        yield made


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """Keeps cookies, as a browser does."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield session
