"""Which git there is."""

import asyncio
import re
import shutil

from bot.services.processes import begin


async def git_version() -> tuple[int, ...] | None:
    """Its numbers; None where there is none."""
    program = shutil.which("git")
    if program is None:
        return None
    process = await begin(
        program, "--version", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    numbers = re.search(rb"(\d+)\.(\d+)(?:\.(\d+))?", printed)
    return tuple(int(each) for each in numbers.groups() if each) if numbers else None
