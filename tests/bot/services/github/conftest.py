"""The client, and the stand-in that it talks to."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.services.github import Clock, GitHub, RepositoryClient
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import PullRequest


class Waits:
    """The client's time: it only passes while somebody waits, and then at once."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._now = 0.0
        self.gate = asyncio.Event()
        """Cleared, nobody wakes up."""
        self.gate.set()
        self._fell_asleep = asyncio.Condition()

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        async with self._fell_asleep:
            self._fell_asleep.notify_all()
        await self.gate.wait()
        self._now += seconds

    async def until(self, sleeps: int) -> None:
        """Wait until so many sleeps have begun."""
        async with self._fell_asleep, asyncio.timeout(20):
            await self._fell_asleep.wait_for(lambda: len(self.slept) >= sleeps)

    @property
    def clock(self) -> Clock:
        return Clock(self.now, self.sleep)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[GitHubServer]:
    async with GitHubServer(tmp_path) as server:
        server.repository("acme/edges")
        yield server


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
async def github(server: GitHubServer, waits: Waits) -> AsyncIterator[GitHub]:
    """As the App."""
    client = GitHub.as_app(
        server.app.id,
        SecretStr(server.app.private_key),
        base_url=server.api_url,
        clock=waits.clock,
        timeout=10,
    )
    client.name_checks("pachops: ")
    yield client
    await client.close()


@pytest.fixture
async def by_token(server: GitHubServer, waits: Waits) -> AsyncIterator[GitHub]:
    """As ada, who may write."""
    client = GitHub.with_token(
        SecretStr(server.personal_token("ada")), base_url=server.api_url, clock=waits.clock
    )
    yield client
    await client.close()


@pytest.fixture
def edges(github: GitHub, server: GitHubServer) -> RepositoryClient:
    """acme/edges, through the App."""
    return github.for_repository("acme", "edges", server.installation("acme/edges").id)


@pytest.fixture
async def pull(server: GitHubServer) -> PullRequest:
    """A pull request by ada."""
    return await server.open_pull_request("acme/edges", "feature", files={"edges.py": "1\n"})
