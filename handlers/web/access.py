"""Who may see what: by a signed link, or as whoever can read the repository on GitHub."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from bot.domain.deployment import asked_at
from bot.domain.github import Permission
from bot.domain.reasons import Code, StoppedError
from handlers.web.seal import Purpose, Seals

SESSION = "pachops_session"
VIEW = "pachops_view"
ALL_VIEW = "pachops_view_all"
EVERYTHING = "*"
SEAL = "seal"
"""The parameter of a link that has its seal."""
SESSION_SECONDS = 12 * 3600.0
DAY = 86_400.0
REMEMBERED = 300.0
"""Seconds that GitHub's answer, who can read what, is good for."""
LONGEST_ASKING = 15.0
"""Seconds for one question."""
AT_ONCE = 8
MOST_REMEMBERED = 10_000

_PLACE = re.compile(r"/?([^/]+)/([^/]+?)(?:\.git)?/?")

Readers = Callable[[str, str, str], Awaitable[Permission]]
"""Owner, name and login: what the person may do in the repository."""


@dataclass(frozen=True)
class Visitor:
    """Whoever asks for a page."""

    login: str | None = None
    """On GitHub."""
    view: str | None = None
    """The deployment that a link led to; `EVERYTHING`: all of them."""

    @property
    def is_nobody(self) -> bool:
        """Whether nothing is known of them."""
        return self.login is None and self.view is None


NOBODY = Visitor()


class Links:
    """Makes the addresses of pages."""

    def __init__(self, seals: Seals, base: str, *, days: int, login: bool) -> None:
        """`base` is where people reach us; with a `login`, nothing else has to be in a link."""
        self.base = base.rstrip("/")
        self.root = urlsplit(self.base).path
        """What stands before every path."""
        self.is_secure = self.base.startswith("https:")
        self._seals = seals
        self._days = days
        self._login = login

    def report(self, deployment: str) -> str:
        """For a report: the same whenever it is asked for."""
        if self._login:
            return f"{self.base}/deployments/{deployment}"
        asked = asked_at(deployment) or self._seals.now()
        return self.signed(deployment, until=asked + self._days * DAY)

    def signed(self, deployment: str, *, until: float) -> str:
        """Good for whoever has it, until then; of `EVERYTHING` for all pages."""
        seal = self._seals.sign(Purpose.LINK, {"sub": deployment}, until=until)
        path = "/" if deployment == EVERYTHING else f"/deployments/{deployment}"
        return f"{self.base}{path}?{SEAL}={seal}"

    def path(self, path: str) -> str:
        """A page's path as browsers have to ask for it."""
        return f"{self.root}{path}"


class Access:
    """Decides; a Visitor is what the request's cookies prove."""

    def __init__(
        self,
        seals: Seals,
        *,
        github: str | None = None,
        readers: Readers | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`github` is the host whose repositories `readers` knows of."""
        self._seals = seals
        self._github = github
        self._readers = readers
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, bool]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    def visitor(self, request: web.Request) -> Visitor:
        """Whoever asks."""
        session = self._claims(request, SESSION, Purpose.SESSION)
        for name in (ALL_VIEW, VIEW):
            if view := self._claims(request, name, Purpose.VIEW):
                return Visitor(session, view)
        return Visitor(session)

    def by_link(self, request: web.Request, subject: str) -> tuple[str, float] | None:
        """What the request's link is for and until when; None where it is not for this."""
        claims = self._seals.read(Purpose.LINK, request.query.get(SEAL, ""))
        if claims is None or claims.get("sub") not in {subject, EVERYTHING}:
            return None
        return str(claims["sub"]), float(claims["exp"])

    async def may_see(self, visitor: Visitor, deployment: str, repository: str) -> bool:
        """Whether they may see this deployment of this repository.

        Errors: those of asking GitHub; nobody is let in because it does not answer.
        """
        if visitor.view in {EVERYTHING, deployment}:
            return True
        return visitor.login is not None and await self._may_read(visitor.login, repository)

    async def readable(
        self, visitor: Visitor, repositories: Collection[str]
    ) -> frozenset[str] | None:
        """Of these, those that they may see; None: all. Errors: as `may_see`."""
        if visitor.view == EVERYTHING:
            return None
        login = visitor.login
        if login is None:
            return frozenset()
        answers = await asyncio.gather(*(self._may_read(login, each) for each in repositories))
        return frozenset(each for each, may in zip(repositories, answers, strict=True) if may)

    async def _may_read(self, login: str, repository: str) -> bool:
        place = place_of(repository, self._github or "")
        if place is None or self._readers is None:
            return False
        key = (login, "/".join(place).lower())
        async with self._slots:
            until, may = self._known.get(key, (0.0, False))
            if self._clock() < until:
                return may
            try:
                async with asyncio.timeout(LONGEST_ASKING):
                    may = await self._readers(*place, login) >= Permission.READ
            except TimeoutError:
                # It waits for GitHub's limits; whoever looks at a page does not.
                fact = "it does not say in time who can read what"
                raise StoppedError(Code.GITHUB_UNREACHABLE, fact) from None
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = (self._clock() + REMEMBERED, may)
            return may

    def _claims(self, request: web.Request, cookie: str, purpose: Purpose) -> str | None:
        claims = self._seals.read(purpose, request.cookies.get(cookie, ""))
        return str(claims["sub"]) if claims and "sub" in claims else None


def place_of(repository: str, host: str) -> tuple[str, str] | None:
    """Owner and name of a repository that is on this host."""
    if "://" in repository:
        url = urlsplit(repository)
        found, path = url.netloc.rpartition("@")[2].lower(), url.path
    else:
        before, _, path = repository.partition(":")
        found = before.rpartition("@")[2].lower()
    match = _PLACE.fullmatch(path)
    if not host or found != host.lower() or match is None:
        return None
    return match[1], match[2]
