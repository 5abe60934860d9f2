"""What a registry wants before it answers: a password, or a token from a server it names."""

import base64
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from bot.services.logins import Login
from bot.services.registry.wire import Answer, Request, Wire

IDENTITY_TOKEN = "<token>"  # noqa: S105 - docker's user name for a password that is a token
_LIFETIME = 60.0
"""Seconds that a token is good for where its server does not say; the specification's number."""
_MARGIN = 10.0
_SCHEME = re.compile(r"(?:^|,)\s*(?P<scheme>[A-Za-z]+)(?=\s+[A-Za-z_]+\s*=|\s*(?:,|$))")
_PARAMETER = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')


@dataclass(frozen=True)
class Authorization:
    """The header that a registry accepts."""

    header: str = field(repr=False)
    until: float
    """On the monotonic clock."""
    with_login: bool

    @property
    def is_fresh(self) -> bool:
        """Whether it can still be used."""
        return self.until > time.monotonic()


class NoTokenError(Exception):
    """The token server did not give a token; the text says what it gave."""


def challenges(answer: Answer) -> Mapping[str, Mapping[str, str]]:
    """The ways to log in that a 401 offers: scheme in lower case -> its parameters."""
    text = answer.headers.get("WWW-Authenticate", "")
    begins = [*_SCHEME.finditer(text)]
    ends = [*(begin.start() for begin in begins), len(text)][1:]
    return {
        begin["scheme"].lower(): {
            name.lower(): quoted or plain
            for name, quoted, plain in _PARAMETER.findall(text[begin.end() : end])
        }
        for begin, end in zip(begins, ends, strict=False)
    }


def password(login: Login) -> Authorization:
    """The login itself, for a registry that wants just that."""
    return Authorization(_basic(login), math.inf, with_login=True)


async def fetch_token(
    wire: Wire, request: Request, challenge: Mapping[str, str], login: Login | None
) -> Authorization:
    """A token from the server that the challenge names; an anonymous one without a login.

    Errors: NoTokenError, TryAgainError.
    """
    realm = challenge["realm"]
    asked = {"scope": request.scope} if request.scope else {}
    if service := challenge.get("service"):
        asked["service"] = service
    if login and login.username == IDENTITY_TOKEN:
        secret = login.password.get_secret_value()
        form = {"grant_type": "refresh_token", "refresh_token": secret, "client_id": "pachops"}
        answer = await wire.send("POST", realm, {}, data=asked | form)
    else:
        headers = {"Authorization": _basic(login)} if login else {}
        answer = await wire.send("GET", realm, headers, params=asked)
    return _read(answer, with_login=login is not None)


def _read(answer: Answer, *, with_login: bool) -> Authorization:
    if answer.status != HTTPStatus.OK:
        raise NoTokenError(str(answer))
    content = answer.json()
    if not isinstance(content, dict):
        raise NoTokenError("an answer that is not JSON")
    token = content.get("token") or content.get("access_token")
    if not isinstance(token, str) or re.search(r"\s", token):
        raise NoTokenError("an answer without a token")
    lasts = content.get("expires_in")
    seconds = float(lasts) if isinstance(lasts, int | float) else _LIFETIME
    return Authorization(
        f"Bearer {token}", time.monotonic() + max(seconds - _MARGIN, 0.0), with_login=with_login
    )


def _basic(login: Login) -> str:
    pair = f"{login.username}:{login.password.get_secret_value()}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
