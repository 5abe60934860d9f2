"""A SQLite database as one file, and back."""

import asyncio
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from bot.domain.deployment import Outcome
from bot.domain.reasons import Code, StoppedError
from bot.store.database import Database
from bot.store.deliveries import Deliveries
from bot.store.deployments import Deployments
from bot.store.errors import explained

_PART = ".part"
_NAME_A_PLACE = "Name a new file in a folder that is there and may be written to."
_NAME_A_BACKUP = "Name a file that `pachops backup` has made."


async def back_up(database: Path, to: Path) -> None:
    """Copy the database as it is at this moment into a new file, also while a bot runs.

    Raises:
        StoppedError: BAD_COMMAND where the file is there or the database is not;
            DATABASE_UNUSABLE where the copy is not whole; DISK_FULL.
    """
    await asyncio.to_thread(_back_up, database, to)


async def restore(backup: Path, database: Path) -> Path | None:
    """Put a backup in the database's place; where the old one is now. No bot may run.

    What the backup has as waiting or running is settled as cancelled, and deliveries that waited
    are given up: nobody wants now what was asked for then.

    Raises:
        StoppedError: BAD_COMMAND where there is no such file; DATABASE_UNUSABLE where it is not
            a whole database of pachops, or one of a newer version; DATABASE_IN_USE; DISK_FULL.
    """
    new = database.with_name(f"{database.name}.restoring")
    try:
        await asyncio.to_thread(_take, backup, new)
        await _settle(new)
        return await asyncio.to_thread(_swap, new, database)
    finally:
        await asyncio.to_thread(_remove, new)


def _back_up(database: Path, to: Path) -> None:
    if not database.exists():
        raise StoppedError(Code.BAD_COMMAND, "there is no database yet", where=str(database))
    if to.exists():
        raise StoppedError(
            Code.BAD_COMMAND, "it exists", where=str(to), next_step="Name a new file."
        )
    with explained(str(to), next_step=_NAME_A_PLACE):
        part = _made(to)
    _copy(database, part, to)


def _take(backup: Path, new: Path) -> None:
    if not backup.is_file():
        raise StoppedError(
            Code.BAD_COMMAND, "there is no such file", where=str(backup), next_step=_NAME_A_BACKUP
        )
    with explained(str(new)):
        part = _made(new)
    _copy(backup, part, new, next_step=_NAME_A_BACKUP)


def _made(to: Path) -> Path:
    """An empty file beside it, for its owner alone."""
    part = to.with_name(to.name + _PART)
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    return part


def _copy(source: Path, part: Path, to: Path, *, next_step: str | None = None) -> None:
    try:
        with explained(str(source), next_step=next_step):
            with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(part)) as new:
                old.backup(new)
                # One file, whatever happens to it from here on.
                new.execute("PRAGMA journal_mode=DELETE")
                _check(new, source, next_step)
            _sync(part)
            part.rename(to)
            _sync(to.parent)
    finally:
        part.unlink(missing_ok=True)


def _check(copy: sqlite3.Connection, source: Path, next_step: str | None) -> None:
    problem = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if problem != "ok":
        fact = f"it is damaged: {problem}"
        raise StoppedError(Code.DATABASE_UNUSABLE, fact, where=str(source), next_step=next_step)
    tables = "select count(*) from sqlite_master where name = 'pachops_schema'"
    if not copy.execute(tables).fetchone()[0]:
        raise StoppedError(
            Code.DATABASE_UNUSABLE,
            "it is not a database of pachops",
            where=str(source),
            next_step=next_step,
        )


async def _settle(path: Path) -> None:
    """Opening it also brings it to the current schema, or refuses a newer one."""
    database = await Database.open(f"sqlite:///{path}")
    try:
        deployments = Deployments(database)
        reason = StoppedError(
            Code.CANCELLED, "it had not ended when the backup was made that was restored"
        ).reason
        for identity in await deployments.unfinished():
            await deployments.finish(identity, Outcome.CANCELLED, reason)
        await Deliveries(database).give_up_waiting("a backup was restored")
    finally:
        await database.close()
    await asyncio.to_thread(_into_one_file, path)


def _into_one_file(path: Path) -> None:
    with explained(str(path)), closing(sqlite3.connect(path)) as connection:
        mode = connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
        if mode != "delete":
            raise StoppedError(Code.DATABASE_IN_USE, "another process has it open", where=str(path))


def _swap(new: Path, database: Path) -> Path | None:
    old = None
    if database.exists():
        # Its journal must not be taken for that of the new one.
        _into_one_file(database)
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        old = database.with_name(f"{database.name}.before-restore-{stamp}")
    with explained(str(database)):
        if old:
            database.rename(old)
        new.rename(database)
        _sync(database.parent)
    return old


def _remove(path: Path) -> None:
    """With what SQLite keeps beside it."""
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
