import asyncio
import base64
import hashlib
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError
from bot.services.logins import Login
from bot.services.registry import Registry
from bot.services.registry import service as registry_service
from bot.services.registry.authorization import challenges
from bot.services.registry.wire import Answer, Place, Request
from tests.real.registry import Registry as RealRegistry

LOGIN = Login("ada", SecretStr("hunter2:$"))
MANIFEST = json.dumps({"schemaVersion": 2, "layers": []}).encode()
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"


def _basic(login: Login) -> str:
    pair = f"{login.username}:{login.password.get_secret_value()}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_service, "PAUSES", (0.0, 0.0, 0.0))


@asynccontextmanager
async def _registry(
    login: Login | None = None, *, seconds: float = 10.0
) -> AsyncIterator[Registry]:
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
            if sent and (self.token_login is None or sent != _basic(self.token_login)):
                return _error(401, "UNAUTHORIZED", f"you sent {sent}")
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
            return _error(401, "UNAUTHORIZED", headers={"WWW-Authenticate": challenge})
        if request.match_info["path"] != "vision/edges":
            return _error(404, "NAME_UNKNOWN")
        return await (self._put(request) if request.method == "PUT" else self._get(request))

    async def _get(self, request: web.Request) -> web.Response:
        reference = request.match_info["reference"]
        digest = self.tags.get(reference, reference)
        if digest not in self.manifests:
            return _error(404, "MANIFEST_UNKNOWN")
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


def _error(
    status: int, code: str, message: str = "no", *, headers: dict[str, str] | None = None
) -> web.Response:
    body = {"errors": [{"code": code, "message": message}]}
    return web.json_response(body, status=status, headers=headers)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server().running() as server:
        yield server


@pytest.fixture
async def bearer_server() -> AsyncIterator[Server]:
    async with Server(bearer=True, token_login=LOGIN).running() as server:
        yield server


@pytest.mark.real
class TestRealRegistry:
    @pytest.fixture
    def with_login(self) -> Iterator[RealRegistry]:
        with RealRegistry(login=True) as registry:
            yield registry

    async def _push(self, real: RealRegistry, repository: str) -> str:
        """An image without layers, in two requests more than a manifest."""
        base = f"http://{real.address}/v2/{repository}"
        config = b"{}"
        config_digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST_TYPE,
                "config": {
                    "mediaType": "application/vnd.oci.image.config.v1+json",
                    "digest": config_digest,
                    "size": len(config),
                },
                "layers": [],
            }
        ).encode()
        headers = {"Authorization": _basic(real.login)} if real.login else {}
        async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as session:
            async with session.post(f"{base}/blobs/uploads/") as begun:
                location = begun.headers["Location"]
            join = "&" if "?" in location else "?"
            octets = {"Content-Type": "application/octet-stream"}
            url = f"{location}{join}digest={config_digest}"
            async with session.put(url, data=config, headers=octets):
                pass
            kind = {"Content-Type": MANIFEST_TYPE}
            async with session.put(f"{base}/manifests/first", data=manifest, headers=kind) as put:
                return put.headers["Docker-Content-Digest"]

    async def test_a_tag_has_its_digest(self, registry: RealRegistry) -> None:
        digest = await self._push(registry, "read")
        async with _registry() as ours:
            assert await ours.digest(f"{registry.address}/read", "first") == digest

    async def test_what_is_not_there_is_none(self, registry: RealRegistry) -> None:
        await self._push(registry, "missing")
        async with _registry() as ours:
            assert await ours.digest(f"{registry.address}/missing", "second") is None
            assert await ours.digest(f"{registry.address}/never/pushed", "first") is None

    async def test_a_tag_is_added_and_moved(self, registry: RealRegistry) -> None:
        repository = f"{registry.address}/tagged"
        digest = await self._push(registry, "tagged")
        async with _registry() as ours:
            for _ in range(2):
                await ours.add_tag(repository, digest, "v1.0_x-y")
            assert await ours.digest(repository, "v1.0_x-y") == digest

    async def test_a_digest_that_is_not_there_gets_no_tag(self, registry: RealRegistry) -> None:
        await self._push(registry, "untagged")
        async with _registry() as ours:
            with pytest.raises(StoppedError) as stopped:
                await ours.add_tag(f"{registry.address}/untagged", f"sha256:{'1' * 64}", "v1")
        assert stopped.value.reason.code is Code.REGISTRY_REFUSED

    async def test_a_login_opens_a_registry_that_wants_one(self, with_login: RealRegistry) -> None:
        repository = f"{with_login.address}/private"
        digest = await self._push(with_login, "private")
        async with _registry(with_login.login) as ours:
            await ours.add_tag(repository, digest, "second")
            assert await ours.digest(repository, "second") == digest

    @pytest.mark.parametrize(
        ("login", "said"),
        [(None, "without a login"), (Login("ada", SecretStr("wrong-one")), "with the login")],
    )
    async def test_a_missing_or_wrong_login_is_refused(
        self, with_login: RealRegistry, login: Login | None, said: str
    ) -> None:
        repository = f"{with_login.address}/private"
        async with _registry(login) as ours:
            with pytest.raises(StoppedError, match=said) as stopped:
                await ours.digest(repository, "first")
        assert stopped.value.reason.code is Code.REGISTRY_REFUSED
        assert repository in stopped.value.reason.fact
        assert "wrong-one" not in str(stopped.value)


class TestToken:
    async def test_an_anonymous_token_is_enough_to_read(self, bearer_server: Server) -> None:
        async with _registry() as ours:
            assert await ours.digest(bearer_server.repository, "old") == DIGEST

    async def test_an_anonymous_token_is_not_enough_to_write(self, bearer_server: Server) -> None:
        async with _registry() as ours:
            with pytest.raises(StoppedError, match=r"push to .* without a login") as stopped:
                await ours.add_tag(bearer_server.repository, DIGEST, "new")
        assert stopped.value.reason.code is Code.REGISTRY_REFUSED

    async def test_a_login_gets_a_token_to_write(self, bearer_server: Server) -> None:
        async with _registry(LOGIN) as ours:
            await ours.add_tag(bearer_server.repository, DIGEST, "new")
        assert bearer_server.tags["new"] == DIGEST

    async def test_the_password_goes_to_the_token_server_only(self, bearer_server: Server) -> None:
        async with _registry(LOGIN) as ours:
            await ours.add_tag(bearer_server.repository, DIGEST, "new")
        sent = {header for _, _, header in bearer_server.asked("/v2/")}
        assert _basic(LOGIN) not in sent

    async def test_an_identity_token_is_exchanged(self, bearer_server: Server) -> None:
        async with _registry(Login("<token>", SecretStr("identity"))) as ours:
            await ours.add_tag(bearer_server.repository, DIGEST, "new")
        assert bearer_server.tags["new"] == DIGEST

    async def test_a_token_is_asked_for_once(self, bearer_server: Server) -> None:
        async with _registry(LOGIN) as ours:
            for _ in range(3):
                await ours.digest(bearer_server.repository, "old")
        assert len(bearer_server.asked("/token")) == 1

    @pytest.mark.parametrize("lifetime", [0, 5])
    async def test_a_token_that_is_too_old_is_not_sent(
        self, bearer_server: Server, lifetime: int
    ) -> None:
        bearer_server.lifetime = lifetime
        async with _registry(LOGIN) as ours:
            for _ in range(3):
                await ours.digest(bearer_server.repository, "old")
        assert len(bearer_server.asked("/token")) == 3

    async def test_a_token_that_the_registry_forgot_is_asked_for_again(
        self, bearer_server: Server
    ) -> None:
        async with _registry(LOGIN) as ours:
            await ours.digest(bearer_server.repository, "old")
            bearer_server._given.clear()
            assert await ours.digest(bearer_server.repository, "old") == DIGEST

    async def test_a_wrong_password_is_refused_without_being_said(
        self, bearer_server: Server
    ) -> None:
        wrong = Login("ada", SecretStr("wrong-one"))
        async with _registry(wrong) as ours:
            with pytest.raises(StoppedError, match="with the login") as stopped:
                await ours.digest(bearer_server.repository, "old")
        assert stopped.value.reason.code is Code.REGISTRY_REFUSED
        assert "you sent" in stopped.value.reason.fact
        assert "***" in stopped.value.reason.fact
        assert _basic(wrong).removeprefix("Basic ") not in stopped.value.reason.fact

    async def test_no_login_goes_to_a_token_server_without_tls(self, bearer_server: Server) -> None:
        bearer_server.realm = "http://token.evil.example/"
        async with _registry(LOGIN) as ours:
            with pytest.raises(StoppedError, match="without TLS") as stopped:
                await ours.digest(bearer_server.repository, "old")
        assert stopped.value.reason.code is Code.REGISTRY_REFUSED


class TestFaults:
    @pytest.mark.parametrize("status", [500, 502, 503])
    async def test_a_server_error_is_asked_again(self, server: Server, status: int) -> None:
        server.faults = [_error(status, "UNKNOWN"), "gone", _error(status, "UNKNOWN")]
        async with _registry() as ours:
            assert await ours.digest(server.repository, "old") == DIGEST

    async def test_a_write_is_repeated_too(self, server: Server) -> None:
        async with _registry() as ours:
            server.manifests[DIGEST] = (MANIFEST_TYPE, MANIFEST)
            server.faults = ["gone", "gone"]
            await ours.add_tag(server.repository, DIGEST, "new")
        assert server.tags["new"] == DIGEST

    async def test_a_server_that_goes_on_failing_is_given_up(self, server: Server) -> None:
        server.faults = [_error(503, "UNAVAILABLE", "out to lunch") for _ in range(10)]
        async with _registry() as ours:
            with pytest.raises(StoppedError) as stopped:
                await ours.digest(server.repository, "old")
        assert stopped.value.reason.code is Code.REGISTRY_UNREACHABLE
        assert len(server.seen) == 4

    async def test_a_registry_that_is_not_there_is_unreachable(self) -> None:
        async with Server().running() as gone:
            repository = gone.repository
        async with _registry() as ours:
            with pytest.raises(StoppedError) as stopped:
                await ours.digest(repository, "old")
        assert stopped.value.reason.code is Code.REGISTRY_UNREACHABLE

    async def test_a_registry_that_never_answers_is_unreachable(self) -> None:
        hang = asyncio.Event()

        async def wait(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await hang.wait()
            writer.close()

        listener = await asyncio.start_server(wait, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        async with listener, _registry(seconds=0.1) as ours:
            with pytest.raises(StoppedError, match=r"no answer within 0\.1 s") as stopped:
                await ours.digest(f"127.0.0.1:{port}/a/b", "old")
            hang.set()
        assert stopped.value.reason.code is Code.REGISTRY_UNREACHABLE

    @pytest.mark.parametrize(
        ("asked", "paused"),
        [("7", 7.0), ("100000", 30.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", 0.0)],
    )
    async def test_a_registry_is_given_the_time_that_it_asks_for(
        self, server: Server, monkeypatch: pytest.MonkeyPatch, asked: str, paused: float
    ) -> None:
        pauses: list[float] = []

        async def pause(seconds: float) -> None:
            pauses.append(seconds)

        monkeypatch.setattr(asyncio, "sleep", pause)
        server.faults = [_error(429, "TOOMANYREQUESTS", headers={"Retry-After": asked})]
        async with _registry() as ours:
            assert await ours.digest(server.repository, "old") == DIGEST
        assert pauses == [paused]

    async def test_a_refusal_is_not_asked_again(self, server: Server) -> None:
        server.faults = [_error(403, "DENIED", "not yours")]
        async with _registry() as ours:
            with pytest.raises(StoppedError) as stopped:
                await ours.digest(server.repository, "old")
        assert stopped.value.reason.code is Code.REGISTRY_REFUSED
        assert len(server.seen) == 1

    async def test_a_tag_that_may_not_change_is_said(self, server: Server) -> None:
        server.tags["fixed"] = f"sha256:{'1' * 64}"
        server.manifests[server.tags["fixed"]] = (MANIFEST_TYPE, b"{}")
        async with _registry() as ours:
            await ours.add_tag(server.repository, DIGEST, "warm-up")
            server.faults = [
                web.Response(headers={"Docker-Content-Digest": server.tags["fixed"]}),
                web.Response(body=MANIFEST, content_type=MANIFEST_TYPE),
                _error(409, "TAG_IMMUTABLE", "tags are\x1b[31m fixed"),
            ]
            with pytest.raises(StoppedError, match=r"`fixed`: 409 TAG_IMMUTABLE") as stopped:
                await ours.add_tag(server.repository, DIGEST, "fixed")
        assert "\x1b" not in str(stopped.value)


class TestManifest:
    async def test_a_digest_that_the_registry_does_not_name_is_worked_out(
        self, server: Server
    ) -> None:
        server.names_digest = False
        async with _registry() as ours:
            assert await ours.digest(server.repository, "old") == DIGEST

    async def test_an_unknown_name_is_none_whatever_its_status(self, server: Server) -> None:
        server.faults = [web.Response(status=400), _error(400, "NAME_UNKNOWN")]
        async with _registry() as ours:
            assert await ours.digest(server.repository, "old") is None

    async def test_another_error_is_not_taken_for_a_missing_tag(self, server: Server) -> None:
        server.faults = [web.Response(status=400), _error(400, "NAME_INVALID")]
        async with _registry() as ours:
            with pytest.raises(StoppedError, match="NAME_INVALID"):
                await ours.digest(server.repository, "old")

    async def test_a_web_page_is_not_taken_for_a_manifest(self, server: Server) -> None:
        server.faults = [
            web.Response(body=b"<html>", content_type="text/html"),
            web.Response(body=b"<html>", content_type="text/html"),
        ]
        async with _registry() as ours:
            with pytest.raises(StoppedError, match="text/html"):
                await ours.digest(server.repository, "old")

    async def test_bytes_and_type_are_kept_as_they_are(self, server: Server) -> None:
        content = b'{ "schemaVersion":2,\n  "manifests" : []}'
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        media_type = "application/vnd.docker.distribution.manifest.list.v2+json"
        server.manifests[digest] = (media_type, content)
        async with _registry() as ours:
            await ours.add_tag(server.repository, digest, "new")
        assert server.tags["new"] == digest
        assert server.manifests[digest] == (media_type, content)

    async def test_bytes_of_another_digest_are_not_tagged(self, server: Server) -> None:
        server.manifests[DIGEST] = (MANIFEST_TYPE, b"{}")
        async with _registry() as ours:
            with pytest.raises(StoppedError, match="is not sha256"):
                await ours.add_tag(server.repository, DIGEST, "new")
        assert "new" not in server.tags

    async def test_a_registry_that_stores_something_else_is_not_believed(
        self, server: Server
    ) -> None:
        other = f"sha256:{'1' * 64}"
        server.faults = [
            _error(404, "MANIFEST_UNKNOWN"),
            web.Response(body=MANIFEST, content_type=MANIFEST_TYPE),
            web.Response(status=201, headers={"Docker-Content-Digest": other}),
        ]
        async with _registry() as ours:
            with pytest.raises(StoppedError, match=other):
                await ours.add_tag(server.repository, DIGEST, "new")

    async def test_a_tag_that_is_there_is_not_written_again(self, server: Server) -> None:
        async with _registry() as ours:
            await ours.add_tag(server.repository, DIGEST, "old")
        assert [method for method, _, _ in server.seen] == ["HEAD"]


class TestRedirect:
    async def test_it_is_followed_without_the_login(self, bearer_server: Server) -> None:
        async with Server().running() as other, _registry(LOGIN) as ours:
            await ours.digest(bearer_server.repository, "old")
            onward = f"http://{other.repository.replace('/', '/v2/', 1)}/manifests/old"
            bearer_server.faults = [web.Response(status=307, headers={"Location": onward})]
            assert await ours.digest(bearer_server.repository, "old") == DIGEST
        assert [header for _, _, header in other.seen] == [None]

    @pytest.mark.parametrize("onward", ["http://evil.example/", "ftp://127.0.0.1/", ""])
    async def test_it_is_not_followed_to_where_it_is_not_safe(
        self, server: Server, onward: str
    ) -> None:
        server.faults = [
            web.Response(status=307, headers={"Location": onward} if onward else {})
            for _ in range(20)
        ]
        async with _registry() as ours:
            with pytest.raises(StoppedError) as stopped:
                await ours.digest(server.repository, "old")
        assert stopped.value.reason.code is Code.REGISTRY_REFUSED


class TestScheme:
    @pytest.mark.parametrize(
        ("repository", "insecure", "url"),
        [
            ("docker.io/ubuntu", (), "https://registry-1.docker.io/v2/library/ubuntu/manifests/t"),
            ("docker.io/acme/a", (), "https://registry-1.docker.io/v2/acme/a/manifests/t"),
            ("ghcr.io/acme/a", (), "https://ghcr.io/v2/acme/a/manifests/t"),
            ("localhost:5000/a", (), "http://localhost:5000/v2/a/manifests/t"),
            ("[::1]:5000/a", (), "http://[::1]:5000/v2/a/manifests/t"),
            ("127.9.9.9/a", (), "http://127.9.9.9/v2/a/manifests/t"),
            ("127.0.0.1.evil.io/a", (), "https://127.0.0.1.evil.io/v2/a/manifests/t"),
            ("in.acme.io:5000/a", ("in.acme.io:5000",), "http://in.acme.io:5000/v2/a/manifests/t"),
        ],
    )
    def test_only_this_machine_and_named_hosts_go_without_tls(
        self, repository: str, insecure: tuple[str, ...], url: str
    ) -> None:
        place = Place.of(repository, insecure)
        assert Request("HEAD", place, "t").url == url

    async def test_a_registry_without_tls_is_explained(
        self, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Place, "of", _as_if_remote)
        async with _registry() as ours:
            with pytest.raises(StoppedError) as stopped:
                await ours.digest(server.repository, "old")
        assert stopped.value.reason.code is Code.REGISTRY_UNREACHABLE
        assert "PACHOPS_INSECURE_REGISTRIES" in stopped.value.reason.next_step


def _as_if_remote(repository: str, _insecure: object) -> Place:
    host, _, path = repository.partition("/")
    return Place(repository, host, f"https://{host}", path)


async def test_the_event_loop_is_not_held_up_by_a_credential_helper(
    bearer_server: Server,
) -> None:
    threads: list[threading.Thread] = []

    def find_login(_host: str) -> Login:
        threads.append(threading.current_thread())
        return LOGIN

    registry = Registry(find_login)
    await registry.digest(bearer_server.repository, "old")
    await registry.close()

    assert threads
    assert threading.main_thread() not in threads


@pytest.mark.parametrize(
    ("header", "offered"),
    [
        ("", {}),
        ("Basic", {"basic": {}}),
        ('Basic realm="a, b"', {"basic": {"realm": "a, b"}}),
        (
            'Bearer realm="https://a/t",service="s",scope="repository:a:pull,push"',
            {"bearer": {"realm": "https://a/t", "service": "s", "scope": "repository:a:pull,push"}},
        ),
        ('Basic realm="a", BEARER Realm=b', {"basic": {"realm": "a"}, "bearer": {"realm": "b"}}),
    ],
)
def test_challenges_are_read_as_the_specification_writes_them(
    header: str, offered: dict[str, dict[str, str]]
) -> None:
    assert challenges(Answer(401, {"WWW-Authenticate": header}, b"")) == offered


async def test_two_ways_to_log_in_may_come_in_two_headers(server: Server) -> None:
    fault = _error(401, "UNAUTHORIZED")
    fault.headers.add("WWW-Authenticate", "Negotiate")
    fault.headers.add("WWW-Authenticate", 'Basic realm="a"')
    server.faults = [fault]
    async with _registry(LOGIN) as ours:
        assert await ours.digest(server.repository, "old") == DIGEST
    assert server.seen[-1][2] == _basic(LOGIN)


async def test_a_401_that_asks_for_nothing_is_refused(server: Server) -> None:
    server.faults = [_error(401, "UNAUTHORIZED")]
    async with _registry(LOGIN) as ours:
        with pytest.raises(StoppedError) as stopped:
            await ours.digest(server.repository, "old")
    assert stopped.value.reason.code is Code.REGISTRY_REFUSED
