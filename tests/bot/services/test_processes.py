"""A program that is started, however its start ends."""

import asyncio
import os
from pathlib import Path

import pytest

from bot.services.processes import begin


@pytest.mark.parametrize("turns", range(12))
async def test_a_start_that_is_cancelled_ends_with_its_program(tmp_path: Path, turns: int) -> None:
    """At whatever turn of the loop: asyncio's own start waits for ever in some of them."""
    told = tmp_path / "pid"
    starting = asyncio.create_task(
        begin("sh", "-c", f"echo $$ > {told}; exec sleep 600", stdout=asyncio.subprocess.PIPE)
    )
    for _ in range(turns):
        await asyncio.sleep(0)
    starting.cancel()
    async with asyncio.timeout(20):
        await asyncio.wait({starting})
    if not starting.cancelled():
        # It was done before.
        process = starting.result()
        process.kill()
        await process.communicate()
    pid = told.read_text().strip() if told.exists() else ""
    if pid:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


async def test_a_program_that_is_not_there_is_said() -> None:
    with pytest.raises(FileNotFoundError):
        await begin("no-such-program")
