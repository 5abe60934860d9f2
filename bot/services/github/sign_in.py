"""Who somebody is on GitHub: the App's web flow, with PKCE. Their token is given back at once."""

import asyncio
import base64
import hashlib
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError
from bot.services.github.address import api_url

TIMEOUT = 15.0
"""Seconds for each of its calls."""
_LARGEST = 1_000_000


class SignIn:
    """The App's login for people on one GitHub. Errors: github_unreachable, github_refused."""

    def __init__(self, base_url: str, client_id: str, client_secret: SecretStr) -> None:
        """`base_url` is what people open."""
        self._url = base_url.rstrip("/")
        self._api = api_url(base_url)
        self._client_id = client_id
        self._client_secret = client_secret

    @property
    def host(self) -> str:
        """Whose repositories people are asked about."""
        return urlsplit(self._url).netloc.lower()

    def address(self, *, callback: str, state: str, verifier: str) -> str:
        """Where to send a person; GitHub sends them back to `callback` with a code."""
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "client_id": self._client_id,
            "redirect_uri": callback,
            "state": state,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "allow_signup": "false",
        }
        return f"{self._url}/login/oauth/authorize?{urlencode(query)}"

    async def who(self, code: str, *, callback: str, verifier: str) -> str:
        """The login of whoever came back with this code; it is good once."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        async with aiohttp.ClientSession(
            timeout=timeout, headers={"Accept": "application/json", "User-Agent": "pachops"}
        ) as session:
            token = await self._exchange(session, code, callback, verifier)
            try:
                headers = {"Authorization": f"Bearer {token}"}
                user = await self._call(session, "GET", f"{self._api}/user", headers=headers)
                return _text(user, "login")
            finally:
                await self._give_back(session, token)

    async def _exchange(
        self, session: aiohttp.ClientSession, code: str, callback: str, verifier: str
    ) -> str:
        answer = await self._call(
            session,
            "POST",
            f"{self._url}/login/oauth/access_token",
            data={
                "client_id": self._client_id,
                "client_secret": self._client_secret.get_secret_value(),
                "code": code,
                "redirect_uri": callback,
                "code_verifier": verifier,
            },
        )
        # Its refusals come with status 200.
        if error := answer.get("error"):
            msg = f"it gives no token: {str(error)[:100]}"
            raise _refused(msg)
        return _text(answer, "access_token")

    async def _give_back(self, session: aiohttp.ClientSession, token: str) -> None:
        login = f"{self._client_id}:{self._client_secret.get_secret_value()}"
        headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
        url = f"{self._api}/applications/{self._client_id}/token"
        try:
            async with session.delete(url, json={"access_token": token}, headers=headers):
                return
        except (aiohttp.ClientError, TimeoutError):
            # It ends by itself within hours, and nobody has it.
            return

    async def _call(
        self,
        session: aiohttp.ClientSession,
        method: str,
        url: str,
        **more: Any,  # noqa: ANN401 - of aiohttp
    ) -> dict[str, Any]:
        host = urlsplit(url).netloc
        try:
            async with session.request(method, url, allow_redirects=False, **more) as answer:
                body = await answer.content.read(_LARGEST)
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError) as error:
            fact = f"{host}: {str(error) or type(error).__name__}"
            raise StoppedError(Code.GITHUB_UNREACHABLE, fact) from error
        if status != 200:
            msg = f"{host} answers {status}"
            raise _refused(msg)
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            msg = f"{host} answers with something else than JSON"
            raise _refused(msg)
        return found


def _text(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not value:
        msg = f"there is no {key} in its answer"
        raise _refused(msg)
    return value


def _refused(fact: str) -> StoppedError:
    return StoppedError(
        Code.GITHUB_REFUSED,
        f"logging in: {fact}",
        next_step="Log in again. Where it goes on, check PACHOPS_GITHUB_CLIENT_ID and "
        "PACHOPS_GITHUB_CLIENT_SECRET.",
    )
