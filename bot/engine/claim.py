"""One engine at a time on a database file."""

import fcntl
import os
from pathlib import Path

from bot.domain.reasons import Code, StoppedError
from bot.store.errors import unusable_file


class Claim:
    """Holds a database file for this process; the kernel lets go when the process ends."""

    def __init__(self, database: Path) -> None:
        """Take it.

        Raises:
            StoppedError: DATABASE_IN_USE, naming the process that holds it.
        """
        path = database.with_name(database.name + ".lock")
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise unusable_file(error, str(path)) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._file, 20, 0).decode("ascii", "replace").strip()
            os.close(self._file)
            fact = f"process {holder or 'unknown'} runs deployments from it"
            raise StoppedError(Code.DATABASE_IN_USE, fact, where=str(database)) from error
        # The file stays when the claim ends: removing it would let two hold "the" file.
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Let the next one have it."""
        os.close(self._file)


def is_claimed(database: Path) -> bool:
    """Whether a process runs deployments from this file now."""
    path = database.with_name(database.name + ".lock")
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
