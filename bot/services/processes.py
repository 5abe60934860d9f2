"""Programs that we start, each as the leader of a group of its own."""

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress

LONGEST_LINE = 64 * 1024
"""Bytes of a line that is read from one, as asyncio has it."""


async def begin(
    *command: str,
    env: Mapping[str, str] | None = None,
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
    limit: int = LONGEST_LINE,
) -> asyncio.subprocess.Process:
    """Start one; a start that is cancelled ends it. Errors: FileNotFoundError.

    Asyncio's own waits for ever where it is cancelled before the pipes are connected (measured: CPython
    3.11, `BaseSubprocessTransport._wait`), so it is not, but by the end of the loop.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *command,
            env=env,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            limit=limit,
            start_new_session=True,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await _end(starting)
        raise


async def _end(starting: asyncio.Future[asyncio.subprocess.Process]) -> None:
    while not starting.done():
        # Whoever cancels twice wants it all the more ended.
        with suppress(asyncio.CancelledError):
            await asyncio.wait({starting})
    if starting.cancelled() or starting.exception() is not None:
        return
    process = starting.result()
    kill_group(process.pid)
    await process.wait()


def kill_group(pid: int) -> None:
    """Kill a process that leads its group, and all it started."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
