"""A deployment while it runs, as server-sent events: its state, and the lines of its log.

The id of an event is the number of the last line that was sent. A browser says it when it comes
back, also to a bot that was started anew, and goes on there.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from bot.domain.deployment import Deployment
from bot.domain.reasons import StoppedError
from bot.store.log import Line
from handlers.reports.board import Board
from handlers.web.pages import Pages, Stores
from handlers.web.rendering import fragment
from handlers.web.view import LogView

LOOK_SECONDS = 1.0
MOST_AT_ONCE = 1000
"""Lines. Who is further behind than that gets the last ones, and scrolls for the others."""
STREAM_SECONDS = 600.0
"""Then the browser has to come again, and is asked again who it is."""
MOST_STREAMS = 500
RETRY = 2000
"""Milliseconds after which a browser comes back."""


class Live:
    """The route of the events; `stopping` ends them all."""

    def __init__(
        self,
        pages: Pages,
        stores: Stores,
        stopping: asyncio.Event,
        *,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._pages = pages
        self._stores = stores
        self._stopping = stopping
        self._look_seconds = look_seconds
        self._streams = 0

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add it."""
        router.add_get("/deployments/{id}/events", self._events)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        _, deployment = await self._pages.find(request)
        if self._stopping.is_set() or self._streams >= MOST_STREAMS:
            return web.Response(status=503, headers={"Retry-After": "5"})
        self._streams += 1
        try:
            async with sse_response(request) as answer:
                stream = _Stream(self._pages, self._stores, request, answer, deployment)
                # The browser may go at any time.
                with suppress(ConnectionError):
                    await self._follow(stream)
        finally:
            self._streams -= 1
        return cast(web.StreamResponse, answer)

    async def _follow(self, stream: "_Stream") -> None:
        end = time.monotonic() + STREAM_SECONDS
        while not self._stopping.is_set() and time.monotonic() < end:
            try:
                has_ended = await stream.step()
            except StoppedError:
                # The database does not answer; the browser comes back.
                return
            if has_ended:
                return
            try:
                async with asyncio.timeout(self._look_seconds):
                    await self._stopping.wait()
            except TimeoutError:
                continue


@dataclass
class _Stream:
    """One browser."""

    pages: Pages
    stores: Stores
    request: web.Request
    answer: EventSourceResponse
    deployment: Deployment
    board: Board = field(default_factory=Board)
    told_to: int = 0
    sent_to: int | None = None

    async def step(self) -> bool:
        """Send what is new; whether nothing more will come."""
        is_first = self.sent_to is None
        if self.sent_to is None:
            self.sent_to = _last_seen(self.request)
        has_news = await self._hear()
        # The end is the last thing that is written: what is read after it is all that there is.
        await self._send_log(self.sent_to)
        if has_news or is_first:
            await self._send_state(is_first=is_first)
        if self.board.finished is None:
            return False
        await self.answer.send("", event="end")
        return True

    async def _hear(self) -> bool:
        news = await self.stores.progress.told(self.deployment.id, self.told_to)
        for number, at, event in news:
            self.board = self.board.after(at, event)
            self.told_to = number
        return bool(news)

    async def _send_state(self, *, is_first: bool) -> None:
        found = await self.stores.deployments.get(self.deployment.id)
        view = await self.pages.view(found or self.deployment, self.board)
        text = fragment(self.request, "state.html", {"view": view})
        await self.answer.send(text, event="state", retry=RETRY if is_first else None)

    async def _send_log(self, after: int) -> None:
        identity = self.deployment.id
        lines = await self.stores.log.after(identity, after, MOST_AT_ONCE + 1)
        if not lines:
            return
        is_behind = len(lines) > MOST_AT_ONCE
        if is_behind:
            lines = await self.stores.log.before(identity, None, MOST_AT_ONCE)
        self.sent_to = lines[-1].number
        await self.answer.send(
            self._rendered(lines), event="tail" if is_behind else "log", id=str(self.sent_to)
        )

    def _rendered(self, lines: tuple[Line, ...]) -> str:
        log = LogView(lines, has_older=True, is_end=True)
        return fragment(self.request, "lines.html", {"log": log, "deployment": self.deployment})


def _last_seen(request: web.Request) -> int:
    text = request.headers.get("Last-Event-ID") or request.query.get("after", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0
