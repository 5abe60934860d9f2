"""Whether the bot can take on work now."""

import asyncio
from collections.abc import Callable

import sqlalchemy as sa

from bot.domain.reasons import Code, StoppedError
from bot.store.database import Database
from bot.store.tables import WORKER

LONGEST_CHECK = 5.0
"""Seconds; who asks does not wait for longer."""


class Readiness:
    """The database can be written to, the engine runs, and this is the `serve` that works.

    Nobody has asked it to stop, and no other is at work on its database.
    """

    def __init__(
        self,
        database: Database,
        is_running: Callable[[], bool],
        is_on_duty: Callable[[], bool] = lambda: True,
    ) -> None:
        self.stopping = asyncio.Event()
        """Set as soon as the bot is asked to stop."""
        self._database = database
        self._is_running = is_running
        self._is_on_duty = is_on_duty

    async def check(self) -> None:
        """StoppedError where it cannot: NOT_READY, or what the database says."""
        if self.stopping.is_set():
            raise StoppedError(Code.NOT_READY, "it stops")
        if not self._is_running():
            raise StoppedError(Code.NOT_READY, "it starts")
        if not self._is_on_duty():
            raise StoppedError(Code.NOT_READY, "another `pachops serve` is at work")
        try:
            async with asyncio.timeout(LONGEST_CHECK):
                await self._database.write(_change_nothing)
        except TimeoutError:
            raise StoppedError(Code.NOT_READY, "the database does not answer") from None


def _change_nothing(connection: sa.Connection) -> None:
    # Refused where the file, the disk or the server is read-only.
    connection.execute(sa.update(WORKER).where(sa.false()).values(seen_at=0.0))
