"""What the database has, for commands that need no engine."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING

from bot.cli.ending import explained
from bot.cli.lock_notices import tell_of_locks
from bot.cli.noting import A_LITTLE, if_it_can, noted
from bot.domain.audit import Row
from bot.domain.deployment import Deployment, Request, State
from bot.domain.gate_facts import Standing
from bot.domain.hold import Hold
from bot.domain.lock import Lock
from bot.domain.progress import Progress
from bot.domain.queue import Place
from bot.domain.reasons import Code, StoppedError
from bot.engine.claim import is_claimed
from bot.engine.workers import seen
from bot.redact import Redactor
from bot.settings import load_settings
from bot.store.approvals import Approvals
from bot.store.audit import Audit
from bot.store.awaiting import Awaiting
from bot.store.database import LONG, Database
from bot.store.deployments import Deployments
from bot.store.locks import Locks
from bot.store.progress import ProgressLog
from bot.store.queue import Queue
from bot.store.standing import standing_of

if TYPE_CHECKING:
    from handlers.commands.explaining import Sources


class Stored:
    """What the database has; read without starting the engine."""

    def __init__(self, database: Database) -> None:
        self.deployments = Deployments(database)
        self.approvals = Approvals(database)
        self.awaiting = Awaiting(database)
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
            return bool(await self._database.read(seen))
        return is_claimed(self._database.path)

    @property
    def sources(self) -> "Sources":
        """Where it is looked up why something is as it is."""
        from handlers.commands.explaining import Sources  # noqa: PLC0415 - heavy

        queue = Queue(self._database)
        return Sources(self.deployments, self.approvals, queue, self.audit, self._standing)

    async def _standing(self, repository: str, environment: str) -> Standing:
        return await standing_of(self._database, repository, environment, time.time())

    async def locks(self, now: float) -> tuple[Lock, ...]:
        """All that are there."""
        return await Locks(self._database).list(None, now)

    async def holds(self, found: Sequence[Deployment]) -> list[tuple[Request, Hold]]:
        """The rollbacks that hold targets of these deployments, each with a request of its target."""
        held = []
        for request in {each.request.target: each.request for each in found}.values():
            hold = (await self._standing(request.repository, request.environment)).hold
            if hold is not None:
                held.append((request, hold))
        return held

    async def place(self, deployment: Deployment) -> Place | None:
        """Where it stands in its target's line; None where it is finished."""
        if deployment.state is State.FINISHED:
            return None
        return await Queue(self._database).place(deployment)

    async def find(self, identity: str) -> Deployment:
        """The deployment that a person means."""
        found = await self.deployments.get(identity)
        if found is None:
            raise StoppedError(Code.DEPLOYMENT_UNKNOWN, f"none has the id '{identity}'")
        return found

    async def find_to_cancel(self, identity: str) -> str:
        """The id of the deployment that a person means, also of one that awaits its checks."""
        part = identity.strip().lower()
        awaiting = [
            each.id
            for each in await self.awaiting.list()
            if part and (each.id.startswith(part) or each.id.endswith(part))
        ]
        there = await self.deployments.get(identity)
        if there is None and not awaiting:
            return (await self.find(identity)).id
        found = list(dict.fromkeys([*([there.id] if there else []), *awaiting]))
        if part in found or len(found) == 1:
            return part if part in found else found[0]
        fact = f"`{identity}` is part of several ids: {', '.join(found)}"
        raise StoppedError(Code.DEPLOYMENT_UNKNOWN, fact)

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


Work = Callable[[Stored], Coroutine[object, object, None]]


def look(work: Work) -> None:
    """Run a command that only looks at the database, also where it cannot be noted."""
    _run(work, only_looks=True)


def change(work: Work) -> None:
    """Run a command that needs only the database, and changes or gives something away."""
    _run(work, only_looks=False)


def _run(work: Work, *, only_looks: bool) -> None:
    async def opened() -> None:
        settings = load_settings(os.environ)
        busy_timeout = A_LITTLE if only_looks else LONG
        database = await Database.open(settings.database_url, busy_timeout=busy_timeout)
        try:
            await tell_of_locks(Locks(database))
            stored = Stored(database)
            append = stored.audit.append
            clean = Redactor(settings.secrets()).clean
            async with noted(if_it_can(append) if only_looks else append, clean):
                await work(stored)
        finally:
            await database.close()

    with explained():
        asyncio.run(opened())
