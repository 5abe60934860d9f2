"""GitHub's web flow for people who log in to an App: strict with codes, PKCE and secrets."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlencode

from aiohttp import web


@dataclass(frozen=True)
class _Code:
    login: str
    redirect_uri: str
    challenge: str


@dataclass
class SignInServer:
    """`async with SignInServer() as github:`; who sits at the browser is `github.user`."""

    user: str = "ada"
    client_id: str = "Iv1.0123456789abcdef"
    client_secret: str = "a client's secret"
    callback: str = ""
    """The only one that is registered; any where it is empty."""
    url: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    """Those that are out, by whom."""
    denied: bool = False
    """Whether the person says no."""
    broken: bool = False
    _codes: dict[str, _Code] = field(default_factory=dict)
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/login/oauth/authorize", self._authorize)
        app.router.add_post("/login/oauth/access_token", self._token)
        app.router.add_get("/api/v3/user", self._user)
        app.router.add_delete("/api/v3/applications/{client}/token", self._revoke)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _authorize(self, request: web.Request) -> web.StreamResponse:
        asked = request.query
        if asked.get("client_id") != self.client_id:
            raise web.HTTPNotFound
        if self.callback and asked["redirect_uri"] != self.callback:
            raise web.HTTPBadRequest(
                text="The redirect_uri is not associated with this application"
            )
        back = {"state": asked["state"]}
        if self.denied:
            back["error"] = "access_denied"
        else:
            if asked["code_challenge_method"] != "S256":
                raise web.HTTPBadRequest
            back["code"] = secrets.token_hex(10)
            self._codes[back["code"]] = _Code(
                self.user, asked["redirect_uri"], asked["code_challenge"]
            )
        msg = f"{asked['redirect_uri']}?{urlencode(back)}"
        raise web.HTTPFound(msg)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        if self.broken:
            raise web.HTTPBadGateway
        form = await request.post()
        if (form.get("client_id"), form.get("client_secret")) != (
            self.client_id,
            self.client_secret,
        ):
            return web.json_response({"error": "incorrect_client_credentials"})
        code = self._codes.pop(str(form.get("code")), None)
        digest = hashlib.sha256(str(form.get("code_verifier")).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if code is None or code.challenge != challenge:
            return web.json_response({"error": "bad_verification_code"})
        if code.redirect_uri != form.get("redirect_uri"):
            return web.json_response({"error": "redirect_uri_mismatch"})
        token = f"ghu_{secrets.token_urlsafe(30)}"
        self.tokens[token] = code.login
        return web.json_response({"access_token": token, "token_type": "bearer", "scope": ""})

    async def _user(self, request: web.Request) -> web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            raise web.HTTPUnauthorized
        return web.json_response({"login": self.tokens[token], "id": 1})

    async def _revoke(self, request: web.Request) -> web.StreamResponse:
        login = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {login}":
            raise web.HTTPNotFound
        self.tokens.pop((await request.json())["access_token"], None)
        return web.Response(status=204)
