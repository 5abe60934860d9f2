"""The bodies of webhooks, read so that all that come at once fit into memory, whoever sends them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

LONGEST_READ = 10.0
"""Seconds for a body to come: GitHub waits no longer for an answer."""
MOST_AT_ONCE = 128 * 1024**2
"""Bytes of all bodies that are held; each is twice in memory for a moment."""
MOST_COMING = 400
"""Small ones, and large ones, that come at the same time: each has a connection."""
SMALL = 1024**2
"""Bytes of a body that has its room beside the large ones. GitHub's are mostly under 30 kB."""


@dataclass(eq=False)
class RefusedError(Exception):
    """What is answered in place of 202."""

    status: int
    why: str


@dataclass(eq=False)
class _Body:
    """What has come of a body, and the room that it takes."""

    room: "_Room"
    ending: asyncio.Timeout
    data: bytearray = field(default_factory=bytearray)
    has_given_way: bool = False

    def give_way(self) -> None:
        """It takes no room from now on, and its sender is told so soon."""
        self.has_given_way = True
        self.room.leave(self)
        self.data.clear()
        if not self.ending.expired():
            self.ending.reschedule(0)


class _Room:
    """Room for bodies, of which those that have been coming for longest give way.

    Nobody knows yet who may send. Whoever may takes a moment, and others can hold all of it no
    longer than that.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._coming: dict[_Body, None] = {}

    def enter(self, body: _Body) -> None:
        """With what it has already."""
        body.room = self
        self._coming[body] = None
        self.take(body, len(body.data))

    def take(self, body: _Body, size: int) -> None:
        """More of a body. Errors: RefusedError where all others have come and it alone is left."""
        self._held += size
        while self._held > self._most or len(self._coming) > MOST_COMING:
            oldest = next(iter(self._coming))
            oldest.give_way()
            if oldest is body:
                raise _crowded()

    def has_come(self, body: _Body) -> None:
        """It is held until it is answered."""
        del self._coming[body]

    def leave(self, body: _Body) -> None:
        """It is held no more."""
        self._coming.pop(body, None)
        self._held -= len(body.data)


class Bodies:
    """Bodies that are held at the same time: what has come of them counts, not what is announced."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._small, self._large = _Room(most // 2), _Room(most // 2)

    @asynccontextmanager
    async def of(self, request: web.Request) -> AsyncIterator[bytes]:
        """The request's body, for as long as it is held. Errors: RefusedError."""
        if (request.content_length or 0) > request.client_max_size:
            raise _too_large()
        body = _Body(self._small, asyncio.timeout(LONGEST_READ))
        try:
            await self._read(request, body)
            yield bytes(body.data)
        finally:
            body.room.leave(body)

    async def _read(self, request: web.Request, body: _Body) -> None:
        try:
            async with body.ending:
                self._small.enter(body)
                while piece := await request.content.readany():
                    self._take(piece, body, request.client_max_size)
                self._check_has_room(body)
                body.room.has_come(body)
        except TimeoutError:
            raise _crowded() if body.has_given_way else _late() from None
        except (web.RequestPayloadError, OSError):
            raise RefusedError(400, "the body is broken off, or packed in another way") from None

    def _take(self, piece: bytes, body: _Body, largest: int) -> None:
        self._check_has_room(body)
        size = len(body.data) + len(piece)
        if size > largest:
            raise _too_large()
        if size > SMALL and body.room is self._small:
            self._small.leave(body)
            self._large.enter(body)
        body.data += piece
        body.room.take(body, len(piece))

    def _check_has_room(self, body: _Body) -> None:
        """It may go on for a moment before it is ended."""
        if body.has_given_way:
            raise _crowded()


def _too_large() -> RefusedError:
    return RefusedError(413, "the body is too large")


def _crowded() -> RefusedError:
    return RefusedError(503, "too many bodies come at once")


def _late() -> RefusedError:
    return RefusedError(408, "the body does not come")
