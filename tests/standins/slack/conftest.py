"""The stand-in, and plain HTTP to it: how it looks to a client that is not ours."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from tests.standins.slack.server import SlackServer

Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with SlackServer() as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def ask(slack: SlackServer, http: aiohttp.ClientSession) -> Ask:
    """A call as the bot; its answer with `status` and `headers` beside."""

    async def ask(method: str, token: str | None = None, **arguments: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token or slack.app.bot_token}"}
        url = slack.api_url + method
        async with http.post(url, json=arguments, headers=headers) as answer:
            body: dict[str, Any] = await answer.json()
            return body | {"status": answer.status, "headers": dict(answer.headers)}

    return ask
