"""The database: opened, migrated, and asked on a few threads of its own."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import sqlalchemy as sa

from bot.domain.reasons import Code, StoppedError
from bot.store import schema
from bot.store.errors import explained, unusable_file
from bot.store.writer import Writer

T = TypeVar("T")

LONG = 10.0
"""Seconds that a command waits for others who write."""
_THREADS = 4
_CONNECT_TIMEOUT = 10
_PAUSE = 0.05
"""Seconds between two attempts at what SQLite does not wait for."""
_OUTAGE = 10.0
"""Seconds of a server's absence that nobody notices, such as a restart."""
_OUTAGE_PAUSE = 0.25
_WRITES = "pachops_writes"


class Database:
    """An open database with the current schema. Its errors are StoppedErrors.

    `url` is as it was given, with a password where it has one; `name` is for people;
    `path` is None where the database is not a file.
    """

    def __init__(self, url: sa.URL, *, busy_timeout: float, outage: float = _OUTAGE) -> None:
        self.url = url.render_as_string(hide_password=False)
        self.path = Path(url.database) if url.drivername == "sqlite" and url.database else None
        self.name = str(self.path) if self.path else url.render_as_string(hide_password=True)
        self._outage = outage
        self._engine = _engine(url, busy_timeout)
        self._writer = self._engine.execution_options(**{_WRITES: True})
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="pachops-store")
        self._file_writer = Writer(self._begin_writing) if self.path else None

    @classmethod
    async def open(cls, url: str, *, busy_timeout: float = LONG) -> "Database":
        """Open and migrate, creating the file (mode 0600) where there is none.

        `url` is sqlite:///PATH or postgresql://...; `busy_timeout` is in seconds.

        Raises:
            StoppedError: DATABASE_UNUSABLE, DATABASE_IN_USE or DISK_FULL.
        """
        database = cls(_parse(url), busy_timeout=busy_timeout)
        try:
            await database._call(database._prepare)
        except BaseException:
            await database.close()
            raise
        return database

    @classmethod
    def unprepared(cls, url: str, *, busy_timeout: float = 5.0) -> "Database":
        """One as it is: nothing is made or migrated, for who only looks.

        A server that is away is waited for as long as others who write.

        Raises:
            StoppedError: DATABASE_UNUSABLE.
        """
        return cls(_parse(url), busy_timeout=busy_timeout, outage=busy_timeout)

    async def close(self) -> None:
        """Close every connection; what is being written still is. Harmless when done twice."""
        self._threads.shutdown(wait=False)
        if self._file_writer:
            self._file_writer.close()
        self._engine.dispose()

    async def read(self, query: Callable[[sa.Connection], T]) -> T:
        """What `query` answers, in a transaction of its own, on another thread."""

        def transaction() -> T:
            with self._connect(self._engine) as connection, connection.begin():
                return query(connection)

        return await self._call(transaction)

    async def write(self, change: Callable[[sa.Connection], T]) -> T:
        """What `change` answers, once it is on disk; nothing of it where it raises.

        It may be run twice, so it does nothing but ask and tell the connection.
        """
        if self._file_writer:
            return cast("T", await asyncio.wrap_future(self._file_writer.put(change)))

        def transaction() -> T:
            with self._connect(self._writer) as connection, connection.begin():
                return change(connection)

        return await self._call(transaction)

    async def session(self) -> sa.Connection:
        """A connection of the asker's own, which commits each statement; `end` ends it."""

        def connect() -> sa.Connection:
            connection = self._connect(self._engine)
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            # What a session holds must not come back with the pool to somebody else.
            connection.detach()
            return connection

        return await self._call(connect)

    async def ask(self, session: sa.Connection, query: Callable[[sa.Connection], T]) -> T:
        """What `query` answers; one at a time for each session."""
        return await self._call(lambda: query(session))

    async def end(self, session: sa.Connection) -> None:
        """End it, whatever became of its connection."""
        with suppress(sa.exc.DBAPIError):
            await asyncio.get_running_loop().run_in_executor(self._threads, session.close)

    @contextmanager
    def _begin_writing(self) -> Iterator[sa.Connection]:
        with explained(self.name), self._writer.begin() as connection:
            yield connection

    async def _call(self, work: Callable[[], T]) -> T:
        def explain() -> T:
            with explained(self.name):
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._threads, explain)

    def _prepare(self) -> None:
        if self.path:
            _create_file(self.path)
        with self._engine.begin() as connection:
            schema.refuse_other_encodings(connection)
            if schema.is_current(connection):
                return
        with self._writer.begin() as connection:
            schema.upgrade(connection)

    def _connect(self, engine: sa.Engine) -> sa.Connection:
        """A connection, also where a server that was there is gone for a moment.

        Nothing has been asked yet, so to try again is harmless.
        """
        deadline = time.monotonic() + self._outage
        while True:
            try:
                return engine.connect()
            except sa.exc.OperationalError:
                if self.path or time.monotonic() > deadline:
                    raise
                time.sleep(_OUTAGE_PAUSE)


def _parse(text: str) -> sa.URL:
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError as error:
        raise StoppedError(Code.DATABASE_UNUSABLE, "it is not a URL", next_step=_EXAMPLE) from error
    if url.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
        return url.set(drivername="postgresql")
    if url.drivername != "sqlite":
        raise StoppedError(
            Code.DATABASE_UNUSABLE,
            f"`{url.drivername}` is not a database that pachops knows",
            next_step=_EXAMPLE,
        )
    if not url.database or url.database == ":memory:":
        raise StoppedError(
            Code.DATABASE_UNUSABLE, "the URL names no file", where=text, next_step=_EXAMPLE
        )
    return url


_EXAMPLE = "Write sqlite:////var/lib/pachops/pachops.db or postgresql://user@host/name."


def _engine(url: sa.URL, busy_timeout: float) -> sa.Engine:
    if url.drivername == "sqlite":
        return _sqlite_engine(url, busy_timeout)
    return sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=_THREADS,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": _CONNECT_TIMEOUT,
            # Without it, text comes as bytes where the database has no encoding (SQL_ASCII).
            "client_encoding": "UTF8",
            # A network that is cut says nothing; the kernel would wait a quarter of an hour.
            "tcp_user_timeout": _CONNECT_TIMEOUT * 1000,
            "keepalives_idle": _CONNECT_TIMEOUT,
            "keepalives_interval": 3,
            "keepalives_count": 3,
            "options": f"-c lock_timeout={int(busy_timeout * 1000)} -c statement_timeout=60000",
        },
    )


def _sqlite_engine(url: sa.URL, busy_timeout: float) -> sa.Engine:
    engine = sa.create_engine(url, pool_size=_THREADS + 1)

    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's own type
        # The driver would begin only at the first change, too late for one view of the data.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={int(busy_timeout * 1000)}")
        connection.execute("PRAGMA foreign_keys=ON")
        keep_a_write_ahead_log(connection, busy_timeout)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A transaction that reads and then writes fails at once beside another writer,
        # without waiting, unless it took the right to write at its start.
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _create_file(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise unusable_file(error, str(path)) from error


def keep_a_write_ahead_log(connection: sqlite3.Connection, timeout: float) -> None:
    """Stays with the file, so the connections of the workflow engine have it too.

    SQLite does not always wait for its turn to change the mode, whatever its busy timeout:
    of several that open a new file at once, one may be told that it is locked.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return
