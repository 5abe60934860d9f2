from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Request,
    Trigger,
    new_deployment_id,
)
from bot.store.database import Database
from bot.store.deployments import Deployments, insert
from bot.store.progress import ProgressLog
from tests.migrated import migrated


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return migrated(tmp_path / "pachops.db")
    new_database: Callable[[], str] = request.getfixturevalue("postgresql_server").new_database
    return new_database()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = await Database.open(url, busy_timeout=5.0)
    yield opened
    await opened.close()


@pytest.fixture
def deployments(database: Database) -> Deployments:
    return Deployments(database)


@pytest.fixture
def progress(database: Database) -> ProgressLog:
    return ProgressLog(database)


@pytest.fixture
def add(database: Database) -> Callable[..., Awaitable[Deployment]]:
    """Stores a deployment that waits."""

    async def add(
        identity: str = "",
        *,
        repository: str = "git@example.com:edges",
        environment: str = "staging",
        kind: Kind = Kind.DEPLOY,
    ) -> Deployment:
        request = Request(
            kind,
            repository,
            environment,
            Commit("a" * 40, "main", branch="main"),
            Trigger.CLI,
            Actor("ada", "cli"),
        )
        deployment = Deployment(identity or new_deployment_id(), request, created_at=12.5)
        await database.write(lambda connection: insert(connection, deployment))
        return deployment

    return add
