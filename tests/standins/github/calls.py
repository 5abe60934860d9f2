"""What a handler is given, what it answers, and which routes there are."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from bot.domain.github import Permission
from tests.standins.github.auth import Caller
from tests.standins.github.errors import ApiError, malformed, not_found
from tests.standins.github.fields import Fields
from tests.standins.github.state import Repo
from tests.standins.github.webhooks import Webhooks
from tests.standins.github.world import World

MOST_PER_PAGE = 100


@dataclass(frozen=True)
class Answer:
    """What is sent back as JSON."""

    data: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """A request, its caller known and let in."""

    world: World
    webhooks: Webhooks
    caller: Caller
    path: str
    match: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    @property
    def repo(self) -> Repo:
        """The repository that the path names."""
        return self.world.repo(f"{self.match['owner']}/{self.match['repo']}")

    def number(self, name: str) -> int:
        """A number in the path."""
        if not self.match[name].isdecimal():
            raise not_found()
        return int(self.match[name])

    def json(self) -> dict[str, Any]:
        """The body, which is an object; empty where nothing was sent."""
        if not self.body:
            return {}
        try:
            found = json.loads(self.body)
        except ValueError:
            raise ApiError(400, "Problems parsing JSON") from None
        if not isinstance(found, dict):
            raise ApiError(400, "Body should be a JSON object")
        return found

    def fields(self, resource: str) -> Fields:
        """The body, to be read strictly."""
        return Fields(resource, self.json())

    def page(
        self, found: Sequence[Any], shape: Callable[[Any], Any], *, inside: str = ""
    ) -> Answer:
        """One page of a list, with links to the others; `inside` names it in an object."""
        per_page, page = self._whole("per_page", 30, MOST_PER_PAGE), self._whole("page", 1)
        last = max(-(-len(found) // per_page), 1)
        shown = [shape(each) for each in found[(page - 1) * per_page : page * per_page]]
        wanted: dict[str, int] = {}
        if page < last:
            wanted |= {"next": page + 1, "last": last}
        if page > 1:
            wanted |= {"prev": page - 1, "first": 1}
        links = [self.link(rel, page=number) for rel, number in wanted.items()]
        headers = {"Link": ", ".join(links)} if links else {}
        data = {"total_count": len(found), inside: shown} if inside else shown
        return Answer(data, headers=headers)

    def link(self, rel: str, **changes: object) -> str:
        """One part of a Link header."""
        query = urlencode({**self.query, **changes})
        return f'<{self.world.api}{self.path}?{query}>; rel="{rel}"'

    def _whole(self, name: str, default: int, most: int | None = None) -> int:
        text = self.query.get(name, str(default))
        if not text.isdecimal() or not int(text):
            message = f"{name} must be a positive integer"
            raise malformed(message)
        return int(text) if most is None else min(int(text), most)


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """A method and a path, who is let in, and what answers."""

    method: str
    path: str
    accepted: tuple[str, ...]
    role: Permission
    handler: Handler

    def answer(self, call: Call) -> Answer:
        """The answer, or ApiError."""
        if "repo" in call.match:
            call.caller.require(call.repo, self.accepted, self.role)
        return self.handler(call)


class Routes:
    """The routes of one part of the API."""

    def __init__(self) -> None:
        self.all: list[Route] = []

    def add(
        self, method: str, path: str, *accepted: str, role: Permission = Permission.READ
    ) -> Callable[[Handler], Handler]:
        """A route: installations need one of the permissions in `accepted`, people the role."""

        def added(handler: Handler) -> Handler:
            self.all.append(Route(method, path, accepted, role, handler))
            return handler

        return added
