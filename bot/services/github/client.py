"""GitHub as an App, or with a token."""

from datetime import datetime
from typing import Self
from urllib.parse import quote

from github.Auth import Auth, Token
from pydantic import SecretStr

from bot.services.calls import UNCOUNTED, Calls
from bot.services.clock import Clock
from bot.services.github.access import Access
from bot.services.github.deliveries import FailedDelivery, list_attempts, never_arrived
from bot.services.github.new_app import NewApp
from bot.services.github.raw import post
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
    github_refused, github_limited.
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
        """Whether this is an App: it can write checks and list its deliveries."""
        return self._access.is_app

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

    async def prefetch(self) -> int:
        """Fetch what first calls would wait for: our name and the installations' tokens; how many."""
        return await self._access.prefetch()

    async def failed_deliveries(self, since: datetime) -> tuple[FailedDelivery, ...]:
        """The App's webhooks since then of which no attempt arrived, oldest first.

        None without an App: a token does not say which of a repository's hooks is ours.
        """
        if not self.is_app:
            return ()
        return never_arrived(await list_attempts(self._access.own, since))

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

    async def redeliver(self, delivery: int) -> None:
        """Ask for one more attempt; a second one is harmless, for its guid is the same."""
        path = f"/app/hook/deliveries/{delivery}/attempts"
        await self._access.own.ask("asking for a webhook again", lambda github: post(github, path))

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
