"""The bodies of webhooks, read so that all that come at once fit into memory, whoever sends them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

LONGEST_READ = 30.0
"""Seconds for a body to come; GitHub gives up after ten."""
MOST_AT_ONCE = 128 * 1024**2
"""Bytes of all bodies that are held; each is twice in memory for a moment."""
SMALL = 1024**2
"""Bytes of a body for which there is room when the large ones have taken half of it. GitHub's are
mostly under 30 kB."""


@dataclass(eq=False)
class RefusedError(Exception):
    """What is answered in place of 202."""

    status: int
    why: str


class Bodies:
    """Bodies that are held at the same time: what has come of them counts, not what is announced."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._most = most
        self._held = 0

    @asynccontextmanager
    async def of(self, request: web.Request) -> AsyncIterator[bytes]:
        """The request's body, for as long as it is held. Errors: RefusedError."""
        if (request.content_length or 0) > request.client_max_size:
            raise _too_large()
        body = bytearray()
        try:
            await self._read(request, body)
            yield bytes(body)
        finally:
            self._held -= len(body)

    async def _read(self, request: web.Request, body: bytearray) -> None:
        try:
            async with asyncio.timeout(LONGEST_READ):
                while piece := await request.content.readany():
                    self._take(piece, body, request.client_max_size)
        except TimeoutError:
            raise RefusedError(408, "the body does not come") from None
        except (web.RequestPayloadError, OSError):
            raise RefusedError(400, "the body is broken off, or packed in another way") from None

    def _take(self, piece: bytes, body: bytearray, largest: int) -> None:
        size = len(body) + len(piece)
        if size > largest:
            raise _too_large()
        if self._held + len(piece) > (self._most if size <= SMALL else self._most // 2):
            raise RefusedError(503, "too many bodies come at once")
        body += piece
        self._held += len(piece)


def _too_large() -> RefusedError:
    return RefusedError(413, "the body is too large")
