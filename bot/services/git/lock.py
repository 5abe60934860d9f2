"""One at a time, between processes too: a lock that ends with whoever holds it."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

_PAUSE = 0.05
"""Seconds between two tries: waiting inside flock could not be cancelled."""


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """Hold the lock file; the kernel lets go of it when the process dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        await _acquire(descriptor)
        yield
    finally:
        os.close(descriptor)


async def _acquire(descriptor: int) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await asyncio.sleep(_PAUSE)
        else:
            return
