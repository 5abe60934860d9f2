"""What the database has, for commands that need no engine."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine

from bot.cli.ending import explained
from bot.domain.audit import Row
from bot.domain.deployment import Deployment
from bot.domain.progress import Progress
from bot.domain.reasons import Code, StoppedError
from bot.engine.claim import is_claimed
from bot.engine.workers import living
from bot.settings import load_settings
from bot.store.approvals import Approvals
from bot.store.audit import Audit
from bot.store.database import Database
from bot.store.deployments import Deployments
from bot.store.progress import ProgressLog


class Stored:
    """What the database has; read without starting the engine."""

    def __init__(self, database: Database) -> None:
        self.deployments = Deployments(database)
        self.approvals = Approvals(database)
        self.audit = Audit(database)
        self._progress = ProgressLog(database)
        self._database = database

    @property
    def is_file(self) -> bool:
        """Whether the database is one bot's alone."""
        return self._database.path is not None

    async def is_served(self) -> bool:
        """Whether a bot runs deployments from this database now."""
        if self._database.path is None:
            return bool(await self._database.write(living))
        return is_claimed(self._database.path)

    async def find(self, identity: str) -> Deployment:
        """The deployment that a person means."""
        found = await self.deployments.get(identity)
        if found is None:
            raise StoppedError(Code.DEPLOYMENT_UNKNOWN, f"none has the id '{identity}'")
        return found

    async def audit_rows(self, since: float | None) -> AsyncIterator[Row]:
        """The audit from this time on, the oldest first."""
        after = 0
        while rows := await self.audit.read(after=after, since=since):
            for row in rows:
                yield row
            after = rows[-1].seq

    async def events(self, identity: str) -> list[tuple[float, Progress]]:
        """All that it said of itself."""
        events: list[tuple[float, Progress]] = []
        after = 0
        while batch := await self._progress.read(identity, after):
            events += [(at, event) for _, at, event in batch]
            after = batch[-1][0]
        return events


def look(work: Callable[[Stored], Coroutine[object, object, None]]) -> None:
    """Run a command that only needs the database."""

    async def opened() -> None:
        database = await Database.open(load_settings(os.environ).database_url)
        try:
            await work(Stored(database))
        finally:
            await database.close()

    with explained():
        asyncio.run(opened())
