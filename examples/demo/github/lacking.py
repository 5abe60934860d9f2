"""What the emulator does not have: reactions, deployments, and who pushed when.

Kept as it was sent, with what GitHub adds to it. Whoever asks must be somebody to whom the emulator
shows the repository.
"""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.real.github_road import API, Road, token_of

Kept = dict[str, Any]
Answer = Callable[[web.Request], Awaitable[web.Response]]


@dataclass
class Lacking:
    """It, and its part of the API."""

    road: Road
    author: str
    """Who reacts and deploys: only the bot does."""
    reactions: dict[int, list[Kept]] = field(default_factory=dict)
    """By comment."""
    deployments: dict[int, Kept] = field(default_factory=dict)
    """Oldest first."""
    statuses: dict[int, list[Kept]] = field(default_factory=dict)
    """By deployment, oldest first."""
    pushes: list[Kept] = field(default_factory=list)
    """Oldest first."""
    ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def add_to(self, app: web.Application) -> None:
        """Its routes."""
        root = API + self.road.path
        for method, path, answer in (
            ("POST", r"/issues/comments/{comment:\d+}/reactions", self._react),
            ("GET", "/deployments", self._list_deployments),
            ("POST", "/deployments", self._deploy),
            ("GET", r"/deployments/{deployment:\d+}/statuses", self._list_statuses),
            ("POST", r"/deployments/{deployment:\d+}/statuses", self._say),
            ("GET", "/activity", self._list_pushes),
        ):
            app.router.add_route(method, root + path, self._for_readers(answer))

    def pushed(self, ref: str, before: str, after: str, by: str) -> None:
        """A branch has moved."""
        self.pushes.append(
            {"id": next(self.ids), "ref": ref, "before": before, "after": after}
            | {"actor": {"login": by}, "activity_type": "push", "timestamp": now()}
        )

    def state(self, deployment: Kept) -> Kept:
        """A deployment's newest status."""
        return (self.statuses[deployment["id"]] or [{"state": "pending"}])[-1]

    def _for_readers(self, answer: Answer) -> Answer:
        async def handle(request: web.Request) -> web.Response:
            status, _ = await self.road.ask("GET", self.road.path, token=token_of(request))
            if status != web.HTTPOk.status_code:
                return web.json_response({"message": "Not Found"}, status=status)
            return await answer(request)

        return handle

    async def _react(self, request: web.Request) -> web.Response:
        kept = self.reactions.setdefault(int(request.match_info["comment"]), [])
        content = (await request.json())["content"]
        for each in kept:
            if each["content"] == content:
                return web.json_response(each)
        return self._keep(kept, {"content": content})

    async def _list_deployments(self, request: web.Request) -> web.Response:
        wanted = {
            name: request.query[name] for name in ("sha", "environment") if name in request.query
        }
        return web.json_response(
            [each for each in reversed(self.deployments.values()) if wanted.items() <= each.items()]
        )

    async def _deploy(self, request: web.Request) -> web.Response:
        asked = await request.json()
        made: list[Kept] = []
        answer = self._keep(made, asked | {"sha": asked["ref"]})
        self.deployments[made[0]["id"]] = made[0]
        self.statuses[made[0]["id"]] = []
        return answer

    async def _list_statuses(self, request: web.Request) -> web.Response:
        return web.json_response(self._statuses(request)[::-1])

    async def _say(self, request: web.Request) -> web.Response:
        return self._keep(self._statuses(request), await request.json())

    async def _list_pushes(self, request: web.Request) -> web.Response:
        ref = request.query.get("ref")
        return web.json_response([each for each in self.pushes[::-1] if ref in {None, each["ref"]}])

    def _statuses(self, request: web.Request) -> list[Kept]:
        found = self.statuses.get(int(request.match_info["deployment"]))
        if found is None:
            raise web.HTTPNotFound
        return found

    def _keep(self, where: list[Kept], what: Kept) -> web.Response:
        user = {"login": self.author, "type": "Bot"}
        made = what | {"id": next(self.ids), "user": user, "creator": user, "created_at": now()}
        where.append(made)
        return web.json_response(made, status=201)


def now() -> str:
    """As GitHub says it, without parts of a second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
