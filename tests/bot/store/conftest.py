from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
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
from tests.bot.store.postgresql import MissingPostgreSQLError, PostgreSQL, postgresql


@pytest.fixture(scope="session")
def server() -> Iterator[PostgreSQL]:
    with ExitStack() as stack:
        try:
            running = stack.enter_context(postgresql())
        except MissingPostgreSQLError as error:
            pytest.skip(str(error))
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/pachops.db"
    server: PostgreSQL = request.getfixturevalue("server")
    return server.new_database()


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
    ) -> Deployment:
        request = Request(
            Kind.DEPLOY,
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
