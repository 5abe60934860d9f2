"""The pages: what runs where, and each deployment with its log."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import hdrs, web

from bot.domain.deployment import Deployment, State
from bot.domain.plan_summary import PLAN, PlanSummary, plan_from_json
from bot.domain.reasons import Code, StoppedError
from bot.store.database import Database
from bot.store.deployments import Deployments
from bot.store.log import Line, LogReader
from bot.store.overview import Filter, Overview, Standing
from bot.store.progress import ProgressLog
from bot.store.queue import Queue
from handlers.reports.board import Board
from handlers.reports.text import one_line
from handlers.web import words
from handlers.web.access import (
    ALL_VIEW,
    EVERYTHING,
    SEAL,
    VIEW,
    Access,
    Links,
    Visitor,
    place_of,
)
from handlers.web.cookies import set_cookie
from handlers.web.rendering import HAS_LOGIN, fragment, message_page, page
from handlers.web.seal import Purpose, Seals
from handlers.web.view import LogView, SearchView, View, badge, hits

FIRST_LINES = 200
"""Of the log, on the page as it comes first."""
MORE_LINES = 500
"""That scrolling brings at a time."""
MOST_FOUND = 200
PER_PAGE = 50
_BATCH = 5000
_LONGEST_SEARCH = 200
_ID = re.compile(r"[0-9a-z]{1,64}")


@dataclass(frozen=True)
class Stores:
    """What the pages read."""

    deployments: Deployments
    progress: ProgressLog
    log: LogReader
    overview: Overview
    queue: Queue

    @classmethod
    def of(cls, database: Database) -> "Stores":
        """Those of a database."""
        return cls(
            Deployments(database),
            ProgressLog(database),
            LogReader(database),
            Overview(database),
            Queue(database),
        )


class Pages:
    """The routes of the pages."""

    def __init__(
        self, stores: Stores, access: Access, links: Links, seals: Seals, *, github_url: str | None
    ) -> None:
        """`github_url` is the GitHub that commits are shown at."""
        self._stores = stores
        self._access = access
        self._links = links
        self._seals = seals
        self._github_url = github_url
        self._searching = asyncio.Semaphore(2)

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add them."""
        router.add_get("/", self._index)
        router.add_get("/goodbye", _goodbye)
        router.add_get("/deployments/{id}", self._deployment)
        router.add_get("/deployments/{id}/log", self._log)
        router.add_get("/deployments/{id}/log.txt", self._whole_log)

    async def find(self, request: web.Request) -> tuple[Visitor, Deployment]:
        """The request's deployment; HTTPNotFound where there is none for whoever asks."""
        visitor = self._access.visitor(request)
        if visitor.is_nobody:
            raise web.HTTPNotFound
        identity = request.match_info["id"]
        if not _ID.fullmatch(identity):
            raise web.HTTPNotFound
        try:
            deployment = await self._stores.deployments.get(identity)
        except StoppedError as stopped:
            # A part of several ids is none.
            if stopped.reason.code is Code.DEPLOYMENT_UNKNOWN:
                raise web.HTTPNotFound from stopped
            raise
        if deployment is None or deployment.id != identity:
            raise web.HTTPNotFound
        repository = deployment.request.repository
        if not await self._access.may_see(visitor, identity, repository):
            raise web.HTTPNotFound
        return visitor, deployment

    async def view(self, deployment: Deployment, board: Board) -> View:
        """What the page shows of it now."""
        stored = await self._stores.deployments.load(deployment.id, PLAN)
        now, place = time.time(), None
        if deployment.state is State.WAITING:
            place = await self._stores.queue.place(deployment, now)
        return View(deployment, board, _plan(stored), now, self._commit_url(deployment), place)

    async def _index(self, request: web.Request) -> web.StreamResponse:
        if SEAL in request.query:
            return self._let_in(request, EVERYTHING)
        visitor = self._access.visitor(request)
        if visitor.is_nobody:
            return self._to_login(request)
        overview = self._stores.overview
        readable = await self._access.readable(visitor, await overview.repositories())
        wanted = _filter(request, readable)
        before = _word(request, "before") or None
        found = await overview.deployments(wanted, before=before, limit=PER_PAGE + 1)
        places = await overview.places(readable)
        context = {
            "places": places,
            "kept": await overview.kept(places, time.time()),
            "deployments": found[:PER_PAGE],
            "older": found[PER_PAGE - 1].id if len(found) > PER_PAGE else None,
            "is_first": before is None,
            "wanted": wanted,
            "environments": await overview.environments(readable),
            "standings": tuple(Standing),
            "badge": badge,
        }
        return page(request, "index.html", context, visitor=visitor)

    async def _deployment(self, request: web.Request) -> web.StreamResponse:
        if SEAL in request.query:
            return self._let_in(request, request.match_info["id"])
        if self._access.visitor(request).is_nobody:
            return self._to_login(request)
        visitor, deployment = await self.find(request)
        board = Board()
        for _, at, event in await self._stores.progress.told(deployment.id):
            board = board.after(at, event)
        context = {
            "view": await self.view(deployment, board),
            "log": await self._part(request, deployment.id, FIRST_LINES),
            "search": await self._search(request, deployment.id),
        }
        return page(request, "deployment.html", context, visitor=visitor)

    async def _log(self, request: web.Request) -> web.StreamResponse:
        """A part of the log, or what a search finds, for a page that is there already."""
        _, deployment = await self.find(request)
        if "q" in request.query:
            search = await self._search(request, deployment.id)
            text = fragment(request, "found.html", {"search": search, "deployment": deployment})
            return web.Response(text=text, content_type="text/html")
        log = await self._part(request, deployment.id, MORE_LINES)
        text = fragment(request, "lines.html", {"log": log, "deployment": deployment})
        headers = {
            "X-Older": "yes" if log.has_older else "no",
            "X-End": "yes" if log.is_end else "no",
        }
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def _whole_log(self, request: web.Request) -> web.StreamResponse:
        _, deployment = await self.find(request)
        headers = {
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{deployment.id}.log"',
        }
        answer = web.StreamResponse(headers=headers)
        await answer.prepare(request)
        if request.method == hdrs.METH_HEAD:
            # aiohttp would send what is written, which the next answer would be taken for.
            return answer
        async for lines in self._all_lines(deployment.id):
            text = "".join(f"{line.subject}: {one_line(line.text)}\n" for line in lines)
            await answer.write(text.encode(errors="replace"))
        await answer.write_eof()
        return answer

    async def _all_lines(self, identity: str) -> AsyncIterator[tuple[Line, ...]]:
        after = 0
        while lines := await self._stores.log.after(identity, after, _BATCH):
            yield lines
            after = lines[-1].number

    async def _part(self, request: web.Request, identity: str, limit: int) -> LogView:
        """The part that the request asks for; the end of the log where it does not say."""
        log = self._stores.log
        before, after, at = (_number(request, name) for name in ("before", "after", "line"))
        count = await log.count(identity)
        if at is not None:
            after = max(at - limit // 2 - 1, 0)
        if after is not None:
            # One more than is shown: whether there is one.
            lines = await log.after(identity, after, limit + 1)
            is_end = len(lines) <= limit
            has_older = bool(await log.before(identity, after + 1, 1))
            return LogView(lines[:limit], has_older, is_end, count, at)
        lines = await log.before(identity, before, limit + 1)
        return LogView(lines[-limit:], len(lines) > limit, before is None, count)

    async def _search(self, request: web.Request, identity: str) -> SearchView:
        text = _word(request, "q")
        if not text:
            return SearchView("")
        # It looks through much: others' pages come first.
        async with self._searching:
            found = await self._stores.log.search(
                identity, text, after=_number(request, "from") or 0, limit=MOST_FOUND
            )
        return hits(text, found, [one_line(line.text) for line in found.lines])

    def _let_in(self, request: web.Request, subject: str) -> web.StreamResponse:
        """What the link proves goes into a cookie, and the link out of the address."""
        proven = self._access.by_link(request, subject)
        if proven is None:
            raise web.HTTPNotFound
        view, until = proven
        path = "/" if view == EVERYTHING else f"/deployments/{view}"
        rest = request.rel_url.without_query_params(SEAL)
        answer = web.Response(status=303, headers={"Location": self._links.path(str(rest))})
        set_cookie(
            answer,
            ALL_VIEW if view == EVERYTHING else VIEW,
            self._seals.sign(Purpose.VIEW, {"sub": view}, until=until),
            self._links,
            path=path,
            seconds=until - self._seals.now(),
        )
        return answer

    def _to_login(self, request: web.Request) -> web.StreamResponse:
        if not request.app[HAS_LOGIN]:
            raise web.HTTPNotFound
        to = f"{self._links.path('/login')}?{urlencode({'to': str(request.rel_url)})}"
        return web.Response(status=303, headers={"Location": to})

    def _commit_url(self, deployment: Deployment) -> str | None:
        if not self._github_url:
            return None
        host = self._github_url.partition("://")[2]
        place = place_of(deployment.request.repository, host)
        sha = deployment.request.commit.sha
        if place is None or not sha:
            return None
        return f"{self._github_url}/{place[0]}/{place[1]}/commit/{sha}"


async def _goodbye(request: web.Request) -> web.StreamResponse:
    return message_page(request, words.GOODBYE_TITLE, words.GOODBYE, status=200, again=True)


def _plan(stored: object) -> PlanSummary | None:
    if stored is None:
        return None
    try:
        return plan_from_json(stored)
    except ValueError:
        # Written by another version: the page is there without its picture.
        return None


def _filter(request: web.Request, readable: frozenset[str] | None) -> Filter:
    try:
        standing = Standing(request.query.get("standing", ""))
    except ValueError:
        standing = None
    return Filter(
        readable,
        environment=_word(request, "environment") or None,
        repository=_word(request, "repository") or None,
        standing=standing,
        text=_word(request, "q"),
    )


def _word(request: web.Request, name: str) -> str:
    """What was asked for, without what no text of ours has and a database may refuse."""
    text = request.query.get(name, "").strip()[:_LONGEST_SEARCH]
    return "".join(each for each in text if each.isprintable())


def _number(request: web.Request, name: str) -> int | None:
    text = request.query.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None
