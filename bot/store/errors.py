"""What a database's error means to the person who reads it."""

import errno
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

import sqlalchemy as sa

from bot.domain.reasons import Code, StoppedError

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_FREE_SPACE = "Free space on the disk that the database is on, then start again."
_CHECK_FILE = "Check PACHOPS_DATA_DIR, or PACHOPS_DATABASE_URL where that is set."
_POSTGRES_BUSY = {"55P03", "57014"}
_POSTGRES_FULL = "53100"


@contextmanager
def explained(where: str, *, next_step: str | None = None) -> Generator[None]:
    """Errors of the database at `where` (a path or a URL without its password) as reasons.

    `next_step` is for where it cannot be used and its settings are not to blame.

    Raises:
        StoppedError: DATABASE_IN_USE, DISK_FULL or DATABASE_UNUSABLE.
    """
    try:
        yield
    except sa.exc.IntegrityError:
        raise
    except sa.exc.DBAPIError as error:
        raise _explain(error.orig or error, where, next_step) from error
    except sqlite3.Error as error:
        raise _explain(error, where, next_step) from error
    except OSError as error:
        raise unusable_file(error, where, next_step) from error


def unusable_file(error: OSError, where: str, next_step: str | None = None) -> StoppedError:
    """Why the database's file or folder cannot be used."""
    if error.errno in _NO_SPACE:
        return StoppedError(
            Code.DISK_FULL, "no space for the database", where=where, next_step=_FREE_SPACE
        )
    fact = (error.strerror or str(error)).lower()
    return StoppedError(
        Code.DATABASE_UNUSABLE, fact, where=where, next_step=next_step or _CHECK_FILE
    )


def _explain(error: BaseException, where: str, next_step: str | None) -> StoppedError:
    # Never the statement and its values, which SQLAlchemy's own text has.
    fact = (str(error).splitlines() or [type(error).__name__])[0]
    code = _code(error)
    steps = {Code.DISK_FULL: _FREE_SPACE, Code.DATABASE_UNUSABLE: next_step}
    return StoppedError(code, fact, where=where, next_step=steps.get(code))


def _code(error: BaseException) -> Code:
    # SQLite's extended codes have the plain one in their last byte.
    plain = getattr(error, "sqlite_errorcode", 0) & 0xFF
    state = getattr(error, "sqlstate", None)
    if plain in _BUSY or state in _POSTGRES_BUSY:
        return Code.DATABASE_IN_USE
    if plain == sqlite3.SQLITE_FULL or state == _POSTGRES_FULL:
        return Code.DISK_FULL
    return Code.DATABASE_UNUSABLE
