"""Calls as one login: repeated where that is safe, limits waited out, errors as reasons."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from github import Github, GithubException
from github.Auth import Auth, Token
from pydantic import SecretStr

from bot.redact import Redactor
from bot.services.calls import UNCOUNTED, Calls, counted
from bot.services.clock import Clock
from bot.services.github.errors import (
    RAISED,
    Limited,
    Refusal,
    Silence,
    Trouble,
    limited,
    refused,
    trouble_in,
    unreachable,
)
from bot.services.github.threads import Threads
from bot.services.github.tokens import InstallationAuth

T = TypeVar("T")
Work = Callable[[Github], T]

PAUSES = (0.5, 2.0, 5.0)
"""Seconds before each repeat of a call that was not answered."""
LONGEST_PAUSE = 60.0
"""Seconds that a Retry-After of a broken server can make us wait."""
LONGEST_WAIT = 3700.0
"""Seconds that a call waits for limits in all; a primary limit ends within an hour."""
LONGEST_CALL = 60.0
"""Seconds for a try, which may read several pages."""
AT_ONCE = 5
"""Calls under way as one login: fewer than there are threads, so that others have some too."""

MISSING = frozenset({404})
"""Not there, or nothing that we may know of."""
HIDDEN = frozenset({403, 404})
"""Not ours to see."""

LOG = logging.getLogger(__name__)


class Connection:
    """What one login (the App, an installation of it, a token) asks of GitHub.

    `call` says in a few words what is asked, for errors. Errors, from every method:
    github_unreachable, github_refused, github_login_refused, github_limited.
    """

    def __init__(
        self,
        threads: Threads,
        auth: Auth | None,
        *,
        host: str,
        clock: Clock,
        calls: Calls = UNCOUNTED,
    ) -> None:
        self._calls = calls
        self._threads = threads
        self._auth = auth
        self._host = host
        self._clock = clock
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._limited_until = 0.0
        self._limit = ""

    async def renew(self) -> None:
        """See to it that the token is fresh; every call does."""
        if isinstance(self._auth, InstallationAuth):
            await self._auth.renew()

    async def ask(self, call: str, work: Work[T]) -> T:
        """Do what may be done twice: a question, a change to a value that is given."""
        return await self._persist(call, lambda: self._once(work))

    async def find(
        self, call: str, work: Work[T], *, none_for: Collection[int] = MISSING
    ) -> T | None:
        """As `ask`; None where GitHub answers with one of these statuses."""

        def or_none(github: Github) -> T | None:
            try:
                return work(github)
            except GithubException as error:
                if error.status not in none_for or isinstance(trouble_in(error), Limited):
                    raise
                return None

        return await self.ask(call, or_none)

    async def try_once(self, call: str, work: Work[T]) -> T:
        """Do what must not be done twice and cannot be looked for: what fails may have been done."""
        return await self._persist(call, lambda: self._once(work), pauses=())

    async def create(self, call: str, work: Work[T], find: Work[T | None]) -> T:
        """Do what must not be done twice; `find` looks for it where an answer was lost."""
        is_asked = False

        async def attempt() -> T:
            nonlocal is_asked
            if is_asked and (found := await self._once(find)) is not None:
                return found
            is_asked = True
            return await self._once(work)

        return await self._persist(call, attempt)

    async def _persist(
        self,
        call: str,
        attempt: Callable[[], Awaitable[T]],
        pauses: Iterable[float] = PAUSES,
    ) -> T:
        left = iter(pauses)
        end = self._clock.now() + LONGEST_WAIT
        renewals = 1
        while True:
            await self._wait_out_limit(call, end)
            try:
                return await attempt()
            except RAISED as error:
                cause, trouble = error, self._cleaned(trouble_in(error))
            match trouble:
                case Limited(wait, fact):
                    self._note_limit(call, wait, fact)
                case Silence(fact, asked):
                    pause = next(left, None)
                    if pause is None:
                        raise unreachable(self._host, call, fact) from cause
                    await self._clock.sleep(max(pause, min(asked, LONGEST_PAUSE)))
                case Refusal(status=401) if isinstance(self._auth, InstallationAuth) and renewals:
                    renewals -= 1
                    self._auth.forget()
                case Refusal():
                    raise refused(self._host, call, trouble) from cause

    async def _once(self, work: Work[T]) -> T:
        await self.renew()
        async with self._slots, asyncio.timeout(LONGEST_CALL):
            with counted(self._calls, "github"):
                answer, left = await self._threads.run(self._auth, partial(_watched, work))
        if left >= 0:
            self._calls.left("github", left)
        return answer

    async def _wait_out_limit(self, call: str, end: float) -> None:
        """Wait until calls are taken again; no thread is held, and other logins go on."""
        while (wait := self._limited_until - self._clock.now()) > 0:
            if self._limited_until > end:
                raise limited(self._host, call, self._limit, wait)
            await self._clock.sleep(wait)

    def _note_limit(self, call: str, wait: float, fact: str) -> None:
        self._calls.limited("github")
        until = self._clock.now() + max(wait, 1.0)
        if until > self._limited_until:
            LOG.warning("%s limits us for %.0f s, at %s: %s", self._host, wait, call, fact)
            self._limited_until, self._limit = until, fact

    def _cleaned(self, trouble: Trouble) -> Trouble:
        """Without our token, should somebody repeat it."""
        if not isinstance(self._auth, Token | InstallationAuth):
            return trouble
        redactor = Redactor([SecretStr(self._auth.token)])
        return replace(trouble, fact=redactor.clean(trouble.fact))


def _watched(work: Work[T], github: Github) -> tuple[T, int]:
    """The answer, and how many calls GitHub still takes; -1 where it has not said."""
    answer = work(github)
    return answer, github.requester.rate_limiting[0]
