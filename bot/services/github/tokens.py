"""Who we are to GitHub: the App by its key, an installation by a token that the App asks for."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from github.Auth import AppAuth, Auth
from pydantic import AwareDatetime, BaseModel, ConfigDict, SecretStr

from bot.domain.reasons import Code, StoppedError

MARGIN = timedelta(minutes=5)
"""A token that ends sooner is not used for anything new."""


Learn = Callable[[SecretStr, float], None]
"""Told of each token and when it ends, in seconds since the epoch, so that nobody shows it."""


def forget_at_once(_token: SecretStr, _until: float) -> None:
    """For whoever shows nothing."""


class Issued(BaseModel):
    """A token and its end."""

    model_config = ConfigDict(frozen=True)

    token: SecretStr
    expires_at: AwareDatetime

    @property
    def is_fresh(self) -> bool:
        """Whether it is good for what begins now."""
        return datetime.now(UTC) + MARGIN < self.expires_at


class HeldToken:
    """A token fetched once for all who ask, and again shortly before its end."""

    def __init__(self, fetch: Callable[[], Awaitable[Issued]]) -> None:
        self._fetch = fetch
        self._fetching = asyncio.Lock()
        self._issued: Issued | None = None

    async def fresh(self) -> SecretStr:
        """The token; errors are those of fetching it."""
        async with self._fetching:
            if self._issued is None or not self._issued.is_fresh:
                self._issued = await self._fetch()
            return self._issued.token

    def forget(self, token: SecretStr | None = None) -> None:
        """Fetch another next time: GitHub does not take this one any more.

        With a token only that one is forgotten: somebody else may have fetched another since.
        """
        if token is None or (self._issued and self._issued.token == token):
            self._issued = None


class InstallationAuth(Auth):
    """What every thread's client of an installation sends: the token that is held just now."""

    # PyGithub's own would fetch a token in each thread at once, with one connection for all.
    def __init__(self, held: HeldToken) -> None:
        self._held = held
        self._token = SecretStr("")

    async def renew(self) -> None:
        """See to it that the token is fresh; errors are those of fetching it."""
        self._token = await self._held.fresh()

    def forget(self) -> None:
        """Fetch another next time: GitHub does not take this one any more."""
        self._held.forget()

    @property
    def token_type(self) -> str:
        """As GitHub's header begins."""
        return "token"

    @property
    def token(self) -> str:
        """For the header."""
        return self._token.get_secret_value()


def app_auth(app_id: int | str, private_key: SecretStr) -> AppAuth:
    """The App's own login; BAD_SETTINGS where the key is not one."""
    try:
        key = load_pem_private_key(private_key.get_secret_value().encode(), password=None)
    except (ValueError, TypeError) as error:
        raise _bad_key() from error
    if not isinstance(key, RSAPrivateKey):
        raise _bad_key()
    signing = key

    # Given the text, PyGithub would parse the key for each call, which takes 50 ms and more.
    def sign(claims: Mapping[str, Any]) -> str:
        return jwt.encode(dict(claims), signing, algorithm="RS256")

    return AppAuth(app_id, sign_func=sign)


def _bad_key() -> StoppedError:
    return StoppedError(
        Code.BAD_SETTINGS,
        "the GitHub App's private key is not an RSA key in PEM form without a passphrase",
        next_step="Make a new key on the App's page under Private keys, and set it.",
    )
