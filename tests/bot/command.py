"""A `pachops` that runs as a process of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

PATIENCE = 60.0


class Command:
    """A `pachops` that runs, and what it said so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def line(self, containing: str) -> str:
        """The next line with this in it."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            async for line in self.process.stdout:
                self.lines.append(line.decode().rstrip("\n"))
                if containing in self.lines[-1]:
                    return self.lines[-1]
        message = f"it ended without {containing!r}: {self.lines}"
        raise AssertionError(message)

    async def listening(self) -> str:
        """The address at which it listens, once it does."""
        line = await self.line("listening at")
        return line.partition("listening at")[2].split()[0].rstrip(",")

    async def rest(self) -> None:
        """Read its lines until it ends, so that it never waits for somebody to do so."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.lines.append(line.decode().rstrip("\n"))

    async def ended(self) -> int:
        """Its exit status; the rest of its lines are read."""
        async with asyncio.timeout(PATIENCE):
            await self.rest()
            return await self.process.wait()


@asynccontextmanager
async def running(environ: Mapping[str, str], *arguments: str) -> AsyncIterator[Command]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from bot.cli import main; main()",
        *arguments,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C is for whoever runs this, who ends it in order
    )
    try:
        yield Command(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
