from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from bot.domain import progress
from bot.domain.deployment import Actor, Commit, Deployment, Kind, Request, Stage, Trigger
from bot.domain.progress import Log, Progress
from bot.journal import Journal
from bot.redact import Redactor
from bot.store.database import Database
from bot.store.deployments import insert
from bot.store.progress import ProgressLog
from tests.migrated import migrated

REQUEST = Request(
    Kind.DEPLOY, "/r", "staging", Commit("a" * 40, "main"), Trigger.CLI, Actor("ada", "cli")
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(migrated(tmp_path / "pachops.db"))

    def add(connection: sa.Connection) -> None:
        insert(connection, Deployment("d1", REQUEST))

    await database.write(add)
    yield database
    await database.close()


class Watched:
    def __init__(self, database: Database, deployment: str = "d1") -> None:
        self.seen: list[Progress] = []
        self.log = ProgressLog(database)
        redactor = Redactor([SecretStr("hunter2-hunter2")])
        self.journal = Journal(
            deployment, self.log, redactor, lambda _at, event: self.seen.append(event)
        )

    async def stored(self) -> list[Progress]:
        return [event for _, _, event in await self.log.read("d1")]


def line(text: str) -> Log:
    return Log(Stage.BUILD, "edges", text)


async def test_an_event_is_shown_before_it_is_stored(database: Database) -> None:
    watched = Watched(database)
    async with watched.journal.kept():
        watched.journal.report(line("one"))
        assert watched.seen == [line("one")]


async def test_everything_is_stored_in_order_when_it_closes(database: Database) -> None:
    watched = Watched(database)
    async with watched.journal.kept():
        for number in range(100):
            watched.journal.report(line(str(number)))
    assert await watched.stored() == [line(str(number)) for number in range(100)]


async def test_a_secret_is_masked_for_everybody(database: Database) -> None:
    watched = Watched(database)
    async with watched.journal.kept():
        watched.journal.report(line("token=hunter2-hunter2"))
        watched.journal.report(progress.Tested("edges", 1, 0.1, ("first", "hunter2-hunter2")))
    assert "hunter2" not in str(watched.seen) + str(await watched.stored())


async def test_a_store_that_fails_does_not_stop_the_deployment(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(database, deployment="nowhere")
    async with watched.journal.kept():
        watched.journal.report(line("one"))
    assert watched.seen == [line("one")]
    assert "was not stored" in caplog.text
