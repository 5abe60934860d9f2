"""Who we are on a GitHub: an App with its installations, a token's user, or nobody yet."""

from typing import Any
from urllib.parse import urlsplit

from github.Auth import AppAuth, Auth, Token
from pydantic import SecretStr

from bot.services.calls import UNCOUNTED, Calls
from bot.services.clock import Clock
from bot.services.github.checks import OwnChecks
from bot.services.github.connection import HIDDEN, Connection, Work
from bot.services.github.lack import Lack
from bot.services.github.nodes import Nodes
from bot.services.github.raw import get, post
from bot.services.github.threads import Threads
from bot.services.github.tokens import (
    HeldToken,
    InstallationAuth,
    Issued,
    Learn,
    forget_at_once,
)
from bot.services.logins import Login
from bot.services.once import Once
from bot.services.together import both, together

THREADS = 8
PREFETCHED = 30
"""Installations whose tokens are fetched at the start."""

_ACTIONS_BOT = "github-actions[bot]"
_GIT_USER = "x-access-token"


class Access:
    """The connections of one login, made when they are first needed.

    Errors, from every method: github_unreachable, github_refused, github_login_refused, github_limited.
    """

    def __init__(
        self,
        auth: Auth | None,
        base_url: str,
        clock: Clock,
        timeout: int,
        learn: Learn = forget_at_once,
        calls: Calls = UNCOUNTED,
    ) -> None:
        self._calls = calls
        self._host = urlsplit(base_url).netloc
        self._threads = Threads(base_url, count=THREADS, timeout=timeout)
        self._clock = clock
        self._auth = auth
        self._learn = learn
        self.own = self._connection(auth)
        """As the App itself, or as the token's user."""
        self.nodes = Nodes()
        self.checks_begin = ""
        """The names of our checks, where that is known."""
        self.no_graphql = Lack(clock)
        self.no_rulesets = Lack(clock)
        """Where its GraphQL is so old that it does not know the word."""
        self.no_further = Lack(clock)
        """Where it is so old that it cannot be asked for more than the first look."""
        self.leaves_writing_to_rest: set[str] = set()
        """Owners where it has turned out that we may write nothing with it."""
        self._slug = Once(self._ask_slug)
        self._user = Once(self._ask_user)
        self._installed: dict[str, Once[int]] = {}
        self._told: dict[str, int] = {}
        self._installations: dict[int, Connection] = {}
        self._git_tokens: dict[str, HeldToken] = {}

    @property
    def is_app(self) -> bool:
        """Whether this is an App."""
        return isinstance(self._auth, AppAuth)

    async def slug(self) -> str | None:
        """The App's name in URLs; None without an App."""
        return await self._slug.get() if self.is_app else None

    async def own_checks(self) -> OwnChecks:
        """How our checks are known."""
        return OwnChecks(await self.slug(), self.checks_begin)

    async def author(self) -> str:
        """Our login, as it stands on our comments."""
        if self.is_app:
            return f"{await self._slug.get()}[bot]"
        return await self._user.get()

    def remember(self, full_name: str, installation: int) -> None:
        """Which installation a repository has, as a webhook said it."""
        self._told[full_name.lower()] = installation

    async def connection(self, full_name: str, installation: int | None) -> Connection:
        """To a repository; an App that is not told its installation there asks for it."""
        if not self.is_app:
            return self.own
        return self._connection_of(installation or await self._installation_of(full_name))

    async def prefetch(self) -> int:
        """Fetch our name and every installation's token, so that no first call waits for them.

        How many tokens there are then.
        """
        numbers, _ = await both(self._active_installations(), self.author())
        await together(self._connection_of(number).renew() for number in numbers)
        return len(numbers)

    async def git_login(self, full_name: str, *, refused: Login | None = None) -> Login | None:
        """For fetching this repository, and with an App for nothing else.

        None where the App is not installed there, or where there is none but the refused one.
        """
        if isinstance(self._auth, Token):
            return None if refused else Login(_GIT_USER, SecretStr(self._auth.token))
        held = self._git_tokens.setdefault(
            full_name.lower(), HeldToken(lambda: self._issue_for_git(full_name))
        )
        if refused is not None:
            held.forget(refused.password)
        try:
            return Login(_GIT_USER, await held.fresh())
        except _NotInstalledError:
            return None

    async def close(self) -> None:
        """End the threads and their connections, after the requests under way."""
        await self._threads.close()

    def _connection_of(self, installation: int) -> Connection:
        if installation not in self._installations:
            held = HeldToken(lambda: self._issue(installation, {}))
            self._installations[installation] = self._connection(InstallationAuth(held))
        return self._installations[installation]

    async def _active_installations(self) -> tuple[int, ...]:
        """As many as are on one page: the others' tokens are fetched when they are needed."""
        if not self.is_app:
            return ()
        found = await self.own.ask(
            "listing the App's installations",
            lambda github: get(github, "/app/installations", per_page=PREFETCHED),
        )
        return tuple(int(each["id"]) for each in found if not each.get("suspended_at"))

    def _connection(self, auth: Auth | None) -> Connection:
        return Connection(
            self._threads, auth, host=self._host, clock=self._clock, calls=self._calls
        )

    async def _installation_of(self, full_name: str) -> int:
        if told := self._told.get(full_name.lower()):
            return told
        asking = self._installed.setdefault(
            full_name, Once(lambda: self._ask_installation(full_name))
        )
        return await asking.get()

    async def _ask_installation(self, full_name: str) -> int:
        return await self.own.ask(*_looking(full_name))

    async def _issue_for_git(self, full_name: str) -> Issued:
        """A token that reads the files of this one repository, and does nothing else."""
        narrowed = {
            "repositories": [full_name.partition("/")[2]],
            "permissions": {"contents": "read"},
        }
        told = self._told.get(full_name.lower())
        if told and (issued := await self.own.find(*_issuing(told, narrowed))):
            return self._learned(issued)
        # Not told, or the App was taken off the account and installed again since then.
        found = await self.own.find(*_looking(full_name))
        if found is None:
            raise _NotInstalledError
        self.remember(full_name, found)
        return await self._issue(found, narrowed)

    async def _ask_slug(self) -> str:
        return await self.own.ask(
            "reading the App", lambda github: str(get(github, "/app")["slug"])
        )

    async def _ask_user(self) -> str:
        user = await self.own.find(
            "reading our user", lambda github: str(get(github, "/user")["login"]), none_for=HIDDEN
        )
        # A workflow's own token may not ask this.
        return user or _ACTIONS_BOT

    async def _issue(self, installation: int, narrowed: dict[str, Any]) -> Issued:
        return self._learned(await self.own.ask(*_issuing(installation, narrowed)))

    def _learned(self, issued: Issued) -> Issued:
        self._learn(issued.token, issued.expires_at.timestamp())
        return issued


class _NotInstalledError(Exception):
    """The App is not on the repository."""


def _looking(full_name: str) -> tuple[str, Work[int]]:
    return (
        f"looking for the App's installation on {full_name}",
        lambda github: int(get(github, f"/repos/{full_name}/installation")["id"]),
    )


def _issuing(installation: int, narrowed: dict[str, Any]) -> tuple[str, Work[Issued]]:
    path = f"/app/installations/{installation}/access_tokens"
    return (
        f"fetching a token of installation {installation}",
        lambda github: Issued.model_validate(post(github, path, narrowed)),
    )
