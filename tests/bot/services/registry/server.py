"""A registry that can be told to misbehave, and our client of it."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import SecretStr

from bot.services.logins import Login
from bot.services.registry import Registry

LOGIN = Login("ada", SecretStr("hunter2:$"))


MANIFEST = json.dumps({"schemaVersion": 2, "layers": []}).encode()


MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"


def basic(login: Login) -> str:
    pair = f"{login.username}:{login.password.get_secret_value()}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


@asynccontextmanager
async def opened(login: Login | None = None, *, seconds: float = 10.0) -> AsyncIterator[Registry]:
    registry = Registry(lambda _host: login, timeout=seconds)
    try:
        yield registry
    finally:
        await registry.close()


@dataclass
class Server:
    """A registry of one repository, strict about tokens, that can be told to misbehave."""

    token_login: Login | None = None
    """Whom the token server knows; None gives anonymous tokens that may only pull."""
    bearer: bool = False
    faults: list[web.Response | str] = field(default_factory=list)
    """Given, in order, instead of what is right; a string closes the connection."""
    tags: dict[str, str] = field(default_factory=lambda: {"old": DIGEST})
    manifests: dict[str, tuple[str, bytes]] = field(
        default_factory=lambda: {DIGEST: (MANIFEST_TYPE, MANIFEST)}
    )
    names_digest: bool = True
    realm: str | None = None
    lifetime: int | None = 300
    seen: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Method, path and Authorization of every request."""
    port: int = 0
    _given: dict[str, str] = field(default_factory=dict)

    @property
    def repository(self) -> str:
        return f"127.0.0.1:{self.port}/vision/edges"

    def asked(self, path: str) -> list[tuple[str, str, str | None]]:
        return [request for request in self.seen if request[1].startswith(path)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Server"]:
        app = web.Application()
        app.router.add_route("*", "/v2/{path:.+}/manifests/{reference}", self._manifest)
        app.router.add_route("*", "/token", self._token)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    def _note(self, request: web.Request) -> None:
        self.seen.append((request.method, request.path, request.headers.get("Authorization")))

    async def _token(self, request: web.Request) -> web.Response:
        self._note(request)
        if request.method == "POST":
            form = await request.post()
            assert form["grant_type"] == "refresh_token"
            assert form["refresh_token"] == "identity"
            scope, service, allowed = str(form["scope"]), form["service"], "pull,push"
        else:
            scope, service = request.query["scope"], request.query["service"]
            sent = request.headers.get("Authorization")
            if sent and (self.token_login is None or sent != basic(self.token_login)):
                return error(401, "UNAUTHORIZED", f"you sent {sent}")
            allowed = "pull,push" if sent else "pull"
        assert service == "tests"
        name, _, rights = scope.rpartition(":")
        assert name == "repository:vision/edges"
        granted = ",".join(right for right in rights.split(",") if right in allowed.split(","))
        token = f"token-{len(self._given)}"
        self._given[token] = granted
        lifetime = {} if self.lifetime is None else {"expires_in": self.lifetime}
        return web.json_response({"token": token, **lifetime})

    async def _manifest(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, web.Response):
                return fault
            assert request.transport
            request.transport.close()
            return web.Response()
        right = "push" if request.method == "PUT" else "pull"
        sent = request.headers.get("Authorization", "")
        if self.bearer and right not in self._given.get(sent.removeprefix("Bearer "), "").split(
            ","
        ):
            realm = self.realm or f"http://127.0.0.1:{self.port}/token"
            challenge = f'Bearer realm="{realm}",service="tests",scope="ignored",error="x"'
            return error(401, "UNAUTHORIZED", headers={"WWW-Authenticate": challenge})
        if request.match_info["path"] != "vision/edges":
            return error(404, "NAME_UNKNOWN")
        return await (self._put(request) if request.method == "PUT" else self._get(request))

    async def _get(self, request: web.Request) -> web.Response:
        reference = request.match_info["reference"]
        digest = self.tags.get(reference, reference)
        if digest not in self.manifests:
            return error(404, "MANIFEST_UNKNOWN")
        media_type, content = self.manifests[digest]
        assert media_type in request.headers["Accept"]
        headers = {"Docker-Content-Digest": digest} if self.names_digest else {}
        return web.Response(body=content, headers={**headers, "Content-Type": media_type})

    async def _put(self, request: web.Request) -> web.Response:
        content = await request.read()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.manifests[digest] = (request.headers["Content-Type"], content)
        self.tags[request.match_info["reference"]] = digest
        return web.Response(status=201, headers={"Docker-Content-Digest": digest})


def error(
    status: int, code: str, message: str = "no", *, headers: dict[str, str] | None = None
) -> web.Response:
    body = {"errors": [{"code": code, "message": message}]}
    return web.json_response(body, status=status, headers=headers)
