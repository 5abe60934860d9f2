"""GitHub as an App, or with a token."""

from typing import Self
from urllib.parse import quote

from github.Auth import Auth, Token
from pydantic import SecretStr

from bot.domain.reasons import GITHUB_PASSES, StoppedError
from bot.services.calls import UNCOUNTED, Calls
from bot.services.clock import Clock
from bot.services.github.access import Access
from bot.services.github.deliveries import Hook
from bot.services.github.new_app import NewApp
from bot.services.github.raw import get, post
from bot.services.github.repository import RepositoryClient
from bot.services.github.standing import (
    AppView,
    app_view,
    hook_url,
    installation_permissions,
    token_scopes,
)
from bot.services.github.tokens import Learn, app_auth, forget_at_once

CLOUD_API = "https://api.github.com"
TIMEOUT = 15
"""Seconds for one request."""


class GitHub:
    """One GitHub and our login there; used on one event loop, closed at its end.

    `base_url` is the API's (see `api_url`). Errors, from every method: github_unreachable,
    github_refused, github_login_refused, github_limited.
    """

    def __init__(
        self,
        auth: Auth | None,
        *,
        base_url: str = CLOUD_API,
        clock: Clock | None = None,
        timeout: int = TIMEOUT,
        learn: Learn = forget_at_once,
        calls: Calls = UNCOUNTED,
    ) -> None:
        self._access = Access(auth, base_url, clock or Clock(), timeout, learn, calls)

    @classmethod
    def as_app(
        cls,
        app_id: int | str,
        private_key: SecretStr,
        *,
        base_url: str = CLOUD_API,
        clock: Clock | None = None,
        timeout: int = TIMEOUT,
        learn: Learn = forget_at_once,
        calls: Calls = UNCOUNTED,
    ) -> Self:
        """As a GitHub App; BAD_SETTINGS where the key is not one.

        `learn` is told of each token that it gets.
        """
        auth = app_auth(app_id, private_key)
        return cls(auth, base_url=base_url, clock=clock, timeout=timeout, learn=learn, calls=calls)

    @classmethod
    def with_token(
        cls,
        token: SecretStr,
        *,
        base_url: str = CLOUD_API,
        clock: Clock | None = None,
        timeout: int = TIMEOUT,
        calls: Calls = UNCOUNTED,
    ) -> Self:
        """As the token's user. GitHub lets nobody but Apps write checks."""
        auth = Token(token.get_secret_value())
        return cls(auth, base_url=base_url, clock=clock, timeout=timeout, calls=calls)

    @property
    def is_app(self) -> bool:
        """Whether this is an App: it can write checks, and has one webhook for all."""
        return self._access.is_app

    def name_checks(self, beginning: str) -> None:
        """All names of our checks begin so: where a branch requires one, nobody waits for it."""
        self._access.checks_begin = beginning

    def for_repository(
        self, owner: str, name: str, installation: int | None = None
    ) -> RepositoryClient:
        """A repository; an App that is not told its installation there asks for it."""
        if installation is not None:
            self._access.remember(f"{owner}/{name}", installation)
        return RepositoryClient(self._access, owner, name, installation)

    async def author(self) -> str:
        """Our login, as it stands on our comments."""
        return await self._access.author()

    async def is_away(self) -> bool:
        """Whether it does not answer, or not us, whatever is asked."""
        try:
            path = "/app" if self.is_app else "/user"
            await self._access.own.ask("asking who we are", lambda github: get(github, path))
        except StoppedError as stopped:
            return stopped.reason.code in GITHUB_PASSES
        return False

    async def prefetch(self) -> int:
        """Fetch what first calls would wait for: our name and the installations' tokens; how many."""
        return await self._access.prefetch()

    def app_hook(self) -> Hook:
        """The App's own webhook; repositories have theirs (see `RepositoryClient.our_hook`)."""
        return Hook(self._access.own, "/app/hook", "the App")

    async def app(self) -> AppView:
        """The App that we are."""
        return await app_view(self._access.own)

    async def installation_permissions(self) -> dict[str, dict[str, str]]:
        """What each account that has installed the App has granted."""
        return await installation_permissions(self._access.own)

    async def hook_url(self) -> str | None:
        """Where the App's webhooks go; None where it has none."""
        return await hook_url(self._access.own)

    async def token_scopes(self) -> tuple[str, ...] | None:
        """A classic token's scopes; None for another token."""
        return await token_scopes(self._access.own)

    async def close(self) -> None:
        """End the threads and their connections, after the requests under way."""
        await self._access.close()


async def app_from_manifest(code: str, *, base_url: str = CLOUD_API) -> NewApp:
    """The App that a person has just made from our manifest; a code is good for an hour.

    Errors: those of GitHub.
    """
    access = Access(None, base_url, Clock(), TIMEOUT)
    path = f"/app-manifests/{quote(code, safe='')}/conversions"
    try:
        return await access.own.ask(
            "fetching the new App",
            lambda github: NewApp.model_validate(post(github, path)),
        )
    finally:
        await access.close()
