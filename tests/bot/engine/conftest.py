import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Outcome,
    Request,
    Trigger,
    new_deployment_id,
)
from bot.engine.engine import Engine
from bot.engine.run import Run
from bot.store.database import Database
from bot.store.deployments import Deployments
from tests.migrated import migrated

Workflow = Callable[[Run], Awaitable[None]]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(migrated(tmp_path / "pachops.db"))
    yield opened
    await opened.close()


@pytest.fixture
def deployments(database: Database) -> Deployments:
    return Deployments(database)


@pytest.fixture
async def start(database: Database) -> AsyncIterator[Callable[[Workflow], Awaitable[Engine]]]:
    """Starts an engine with this workflow; it is stopped at the end where it still runs."""
    engines = []

    async def start(workflow: Workflow) -> Engine:
        engine = Engine(database, workflow, poll=0.02)
        await engine.start()
        engines.append(engine)
        return engine

    yield start
    for engine in engines:
        await engine.stop()


@pytest.fixture
def new() -> Callable[..., Deployment]:
    """Makes a deployment that is not submitted yet."""
    numbers = itertools.count()

    def new(target: str = "edges", *, identity: str = "") -> Deployment:
        request = Request(
            Kind.DEPLOY,
            target,
            "staging",
            Commit(f"{next(numbers):040}", "main"),
            Trigger.CLI,
            Actor("ada", "cli"),
        )
        return Deployment(identity or new_deployment_id(), request)

    return new


@pytest.fixture
def succeed(deployments: Deployments) -> Callable[[Run], Awaitable[bool]]:
    """The last step of a workflow."""

    async def succeed(run: Run) -> bool:
        return await deployments.finish(run.deployment.id, Outcome.SUCCEEDED)

    return succeed


@pytest.fixture
async def patience() -> AsyncIterator[None]:
    """Ends a test that waits for what does not come; what comes takes milliseconds."""
    loop = asyncio.get_running_loop()

    def give_up() -> None:
        # A fixture's own time-out would not reach the test, which is another task.
        for task in asyncio.all_tasks(loop):
            task.cancel("it does not come")

    timer = loop.call_later(60, give_up)
    yield
    timer.cancel()
