"""The bodies of webhooks, read so that all that come at once fit into memory, whoever sends them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import hdrs, web

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
    """Bodies that are held at the same time."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._most = most
        self._held = 0

    @asynccontextmanager
    async def of(self, request: web.Request) -> AsyncIterator[bytes]:
        """The request's body, for as long as it is held. Errors: RefusedError."""
        size = _most_bytes(request)
        if size > request.client_max_size:
            raise RefusedError(413, "the body is too large")
        room = self._most if size <= SMALL else self._most // 2
        if self._held + size > room:
            raise RefusedError(503, "too many bodies come at once")
        self._held += size
        try:
            yield await _read(request)
        finally:
            self._held -= size


def _most_bytes(request: web.Request) -> int:
    """How large the body is, or may become where its head does not say it."""
    length = request.content_length
    is_packed = hdrs.CONTENT_ENCODING in request.headers
    return request.client_max_size if length is None or is_packed else length


async def _read(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(LONGEST_READ):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise RefusedError(413, "the body is too large") from None
    except TimeoutError:
        raise RefusedError(408, "the body does not come") from None
    except (web.RequestPayloadError, OSError):
        raise RefusedError(400, "the body is broken off, or packed in another way") from None
