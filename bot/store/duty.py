"""Of the processes that share a database, the one that does what must not be done twice."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable

import sqlalchemy as sa

from bot.domain.reasons import Code, StoppedError
from bot.store.database import Database

LOG = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Between two looks at whether it is still, or by now, this process's turn."""

_KEY = {"space": 7_221_163, "number": 1}
"""Of the advisory lock, which PostgreSQL lets go of as soon as the session ends."""
_TAKE = sa.text("select pg_try_advisory_lock(:space, :number)")
_ASK = sa.text("select true")
# Without it, a machine that is gone would hold the lock for hours.
_NOTICE_THE_DEAD = (
    "set tcp_keepalives_idle = 5",
    "set tcp_keepalives_interval = 3",
    "set tcp_keepalives_count = 3",
    "set tcp_user_timeout = 15000",
)
_NAME = sa.text("select set_config('application_name', :name, false)")
# It is asked to end, and waited for (PostgreSQL 14): until then the lock is still its.
_END_OUR_LAST = sa.text(
    "select pg_terminate_backend(pid, 5000) from pg_locks join pg_stat_activity using (pid)"
    " where locktype = 'advisory' and classid = :space and objid = :number"
    " and application_name = :name"
)


class Duty:
    """On a shared database one process has it; the others wait until its session is gone.

    A database file has one such process anyway (`bot.engine.claim`).
    """

    def __init__(
        self, database: Database, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._database = database
        self._sleep = sleep
        self._session: sa.Connection | None = None
        self._name = f"pachops {os.getpid()} {os.urandom(4).hex()}"
        self.is_ours = database.path is not None
        """Whether this process has it."""

    async def carry_out(self, work: Callable[[], Awaitable[None]]) -> None:
        """Wait for the turn, then do the work until it ends or is cancelled.

        Raises:
            StoppedError: DATABASE_IN_USE where another has taken it meanwhile; the work's own.
        """
        try:
            await self._wait()
            working = asyncio.ensure_future(work())
            watching = asyncio.ensure_future(self._keep())
            both = {working, watching}
            try:
                ended, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in both:
                    each.cancel()
                await asyncio.wait(both)
            for each in ended:
                each.result()
        finally:
            self.is_ours = self._database.path is not None
            await self._close()

    async def look(self) -> None:
        """One look. Errors: DATABASE_UNUSABLE, and nothing is known."""
        if self._database.path is not None:
            return
        if self._session is not None:
            try:
                await self._database.ask(self._session, _still_there)
            except StoppedError:
                await self._close()
                raise
            return
        session = await self._database.session()
        try:
            self.is_ours = await self._database.ask(session, self._take)
        except BaseException:
            await self._database.end(session)
            raise
        if self.is_ours:
            self._session = session
        else:
            await self._database.end(session)

    async def _wait(self) -> None:
        said = False
        while not self.is_ours:
            await self._look_somehow()
            if not self.is_ours:
                if not said:
                    LOG.warning("another `pachops serve` is at work: this one stands by")
                said = True
                await self._sleep(LOOK_SECONDS)
        if said:
            LOG.warning("the other `pachops serve` is gone: this one takes over")

    async def _keep(self) -> None:
        while self.is_ours:
            await self._sleep(LOOK_SECONDS)
            await self._look_somehow()
        fact = "another `pachops serve` took over while the database could not be reached"
        raise StoppedError(Code.DATABASE_IN_USE, fact, where=self._database.name)

    async def _look_somehow(self) -> None:
        try:
            await self.look()
        except StoppedError as stopped:
            # Whoever else wants it cannot reach the database either, or will be seen later.
            LOG.warning("whose turn it is cannot be found out: %s", stopped)

    def _take(self, session: sa.Connection) -> bool:
        for each in _NOTICE_THE_DEAD:
            session.exec_driver_sql(each)
        # A session of ours that the server has not missed yet is no reason to lose it.
        session.execute(_END_OUR_LAST, _KEY | {"name": self._name})
        session.execute(_NAME, {"name": self._name})
        return bool(session.execute(_TAKE, _KEY).scalar_one())

    async def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await self._database.end(session)


def _still_there(session: sa.Connection) -> None:
    session.execute(_ASK)
