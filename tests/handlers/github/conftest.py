from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from bot.store.database import Database
from bot.store.deliveries import Deliveries
from handlers.github.events import WANTED
from handlers.github.webhook import Webhook
from handlers.web.app import web_app
from tests.handlers.github.caller import PREVIOUS, SECRET, Caller
from tests.handlers.github.world import World, opened, served


@pytest.fixture
async def world(tmp_path: Path, database: Database) -> AsyncIterator[World]:
    async with opened(tmp_path, database) as world:
        yield world


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def caller(
    session: aiohttp.ClientSession, database: Database, most_waiting: int
) -> AsyncIterator[Caller]:
    deliveries = Deliveries(database, most_waiting=most_waiting)
    caller = Caller(session, "", deliveries)
    webhook = Webhook(
        [SecretStr(SECRET), SecretStr(PREVIOUS)],
        WANTED,
        deliveries,
        lambda: caller.woken.append(None),
    )
    async with served(web_app(webhook.answer, deliveries.count_waiting)) as url:
        caller.url = f"{url}/github/webhook"
        yield caller


@pytest.fixture
def most_waiting() -> int:
    return 100
