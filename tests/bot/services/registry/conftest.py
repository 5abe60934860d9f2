from collections.abc import AsyncIterator

import pytest

from bot.services.registry import service as registry_service
from tests.bot.services.registry.server import LOGIN, Server


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_service, "PAUSES", (0.0, 0.0, 0.0))


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server().running() as server:
        yield server


@pytest.fixture
async def bearer_server() -> AsyncIterator[Server]:
    async with Server(bearer=True, token_login=LOGIN).running() as server:
        yield server
