"""The connections of a web server, of which those that only wait give way to others."""

import asyncio
import logging
import resource
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

LOG = logging.getLogger(__name__)

LONGEST_SILENCE = 10.0
"""Seconds until the first request's headers have come: there is no proxy that does without."""
_LOOKED_AT_EVERY = 0.25
_MOST = 2000


class Connections:
    """Keeps a server from having more than `most`, and from waiting for what does not come.

    Each is a file, and where those are used up the bot can do nothing at all. What is being answered,
    such as a live page, is left alone.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = _most_by_files() if most is None else most
        self._answering: set[web.RequestHandler] = set()
        self._have_asked: set[web.RequestHandler] = set()
        self._since: dict[web.RequestHandler, float] = {}

    @web.middleware
    async def middleware(self, request: web.Request, handler: "Handler") -> web.StreamResponse:
        """Who asks something is known to do so."""
        connection = request.protocol
        self._answering.add(connection)
        self._have_asked.add(connection)
        try:
            return await handler(request)
        finally:
            self._answering.discard(connection)

    async def watch(self, runner: web.AppRunner) -> None:
        """Close what is too much, until this is cancelled."""
        while True:
            if runner.server is not None:
                self.close_some(runner.server.connections, time.monotonic())
            await asyncio.sleep(_LOOKED_AT_EVERY)

    def close_some(self, connections: Sequence[web.RequestHandler], now: float) -> None:
        """Those that have asked nothing in time; and where there are too many, who waits for longest."""
        self._have_asked.intersection_update(connections)
        self._since = {each: self._since.get(each, now) for each in connections}
        silent = {
            each
            for each, since in self._since.items()
            if each not in self._have_asked and now - since > LONGEST_SILENCE
        }
        waiting = [each for each in connections if each not in self._answering | silent]
        excess = max(0, len(connections) - len(silent) - self._most)
        if excess:
            LOG.warning("more than %d connections: the oldest that wait are closed", self._most)
        for each in (*silent, *waiting[:excess]):
            each.force_close()


def _most_by_files() -> int:
    """Half of the files that this process may have open are left to all else."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(_MOST, soft // 2) if soft > 0 else _MOST
