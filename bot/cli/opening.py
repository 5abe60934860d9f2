"""A bot for a command that looks into a repository and changes no pipeline."""

import asyncio
import os
from typing import TYPE_CHECKING

from bot.cli.ending import explained
from bot.cli.lock_notices import tell_of_locks
from bot.cli.log import keep_a_log
from bot.cli.noting import noted_by
from bot.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    # It takes seconds to import.
    from bot.app import Bot


def with_bot(work: "Callable[[Bot], Coroutine[object, object, None]]") -> None:
    """Run the command with it."""

    async def opened() -> None:
        from bot.app import open_bot  # noqa: PLC0415 - heavy

        settings = load_settings(os.environ)
        keep_a_log(settings)
        async with open_bot(settings) as bot:
            await tell_of_locks(bot.locks)
            async with noted_by(bot):
                await work(bot)

    with explained():
        asyncio.run(opened())
