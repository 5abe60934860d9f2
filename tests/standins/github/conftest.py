"""The stand-in, and plain HTTP to it: how it looks to a client that is not ours."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest

from tests.standins.github.server import GitHubServer

Ask = Callable[..., Awaitable["Answer"]]


class Answer:
    """A status, headers and JSON."""

    def __init__(self, status: int, headers: dict[str, str], data: Any) -> None:
        self.status, self.headers, self.data = status, headers, data


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[GitHubServer]:
    async with GitHubServer(tmp_path) as server:
        server.repository("acme/edges")
        yield server


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def ask(github: GitHubServer, http: aiohttp.ClientSession) -> Ask:
    """A call with the login that is given: a token, or `app`."""

    async def ask(
        method: str, path: str, login: str | None = None, body: Any = None, **query: str
    ) -> Answer:
        headers = {}
        if login == "app":
            headers["Authorization"] = f"Bearer {signed(github)}"
        elif login:
            headers["Authorization"] = f"token {login}"
        url = path if path.startswith("http") else github.api_url + path
        async with http.request(method, url, headers=headers, json=body, params=query) as answer:
            text = await answer.text()
            data = await answer.json() if text else None
            return Answer(answer.status, dict(answer.headers), data)

    return ask


@pytest.fixture
async def token(github: GitHubServer, ask: Ask) -> str:
    """A token of the App's installation on acme/edges."""
    number = github.installation("acme/edges").id
    answer = await ask("POST", f"/app/installations/{number}/access_tokens", "app")
    found: str = answer.data["token"]
    return found


def signed(github: GitHubServer, **changes: Any) -> str:
    """The App's own login."""
    now = int(time.time())
    claims = {"iat": now - 60, "exp": now + 300, "iss": str(github.app.id)} | changes
    return jwt.encode(claims, github.app.private_key, algorithm="RS256")
