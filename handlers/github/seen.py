"""The reaction by which a comment is seen to have been read."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.domain.reasons import Code, StoppedError
from handlers.github.desk import Client

LOG = logging.getLogger(__name__)

SOON_SECONDS = 0.6
"""What is accepted or answered by then needs no reaction before."""


class Seen:
    """It is put there once: when the command is accepted, or soon where that takes long."""

    def __init__(self, client: Client, comment: int, *, is_shown: bool = False) -> None:
        self._client = client
        self._comment = comment
        self._is_shown = is_shown
        self._showing = asyncio.Lock()

    async def show(self) -> bool:
        """Put it there; False where GitHub does not take it.

        Errors: what passes, such as github_unreachable.
        """
        async with self._showing:
            if not self._is_shown:
                self._is_shown = await self._react()
            return self._is_shown

    @asynccontextmanager
    async def soon(self) -> AsyncIterator[None]:
        """What is done meanwhile may take its time."""
        showing = asyncio.create_task(self._show_soon())
        try:
            yield
        finally:
            showing.cancel()
            await asyncio.wait({showing})

    async def _show_soon(self) -> None:
        await asyncio.sleep(SOON_SECONDS)
        try:
            await self.show()
        except StoppedError as stopped:
            # It is tried again where the command is accepted.
            LOG.info("the command's comment gets no reaction yet: %s", stopped)
        except Exception:
            LOG.exception("the command's comment gets no reaction yet")

    async def _react(self) -> bool:
        try:
            await self._client.react(self._comment, "eyes")
        except StoppedError as stopped:
            if stopped.reason.code is not Code.GITHUB_REFUSED:
                raise
            # The comment was deleted meanwhile; what it asked for is on its way.
            LOG.warning("the command's comment gets no reaction: %s", stopped)
            return False
        return True
