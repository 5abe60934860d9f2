"""The session of a build: BuildKit asks for logins and secrets while it builds.

The engine's POST /session turns a connection around: after the upgrade the engine is the client of
a gRPC server that is ours. It drops a session that does not answer its health checks.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, cast

import betterproto
from grpclib.config import Configuration
from grpclib.const import Status
from grpclib.exceptions import GRPCError
from grpclib.protocol import AbstractHandler, H2Protocol, Stream
from h2.config import H2Configuration
from pydantic import SecretStr

from bot.domain.reasons import StoppedError
from bot.services.docker.logins import HUB, HUB_HOSTS, IDENTITY_TOKEN
from bot.services.docker.messages import (
    CredentialsRequest,
    CredentialsResponse,
    GetSecretRequest,
    GetSecretResponse,
    HealthCheckResponse,
)
from bot.services.docker.wire import CONNECT_TIMEOUT, Address
from bot.services.logins import Login

Answer = Callable[[bytes], Awaitable[betterproto.Message]]

_SERVING = 1
_LARGEST_REQUEST = 1 << 16


class SessionRefusedError(Exception):
    """The engine has no /session."""


class Session:
    """Answers what BuildKit asks during one build.

    `asked_in_vain` are the ids of the secrets that it asked for and that the build does not have;
    `problem` is what kept a login from being found.
    """

    def __init__(
        self,
        find_login: Callable[[str], Awaitable[Login | None]],
        secrets: Mapping[str, SecretStr],
    ) -> None:
        self.id = uuid.uuid4().hex
        self.asked_in_vain: set[str] = set()
        self.problem: StoppedError | None = None
        self._find_login = find_login
        self._secrets = secrets
        self._transport: asyncio.BaseTransport | None = None
        self._calls = _Calls(
            {
                "/grpc.health.v1.Health/Check": self._check,
                "/moby.filesync.v1.Auth/Credentials": self._credentials,
                "/moby.buildkit.secrets.v1.Secrets/GetSecret": self._secret,
            }
        )

    async def open(self, address: Address, api_version: str) -> None:
        """Connect. Raises SessionRefusedError, or OSError where the engine does not answer."""
        upgraded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        request = _upgrade_request(api_version, self.id, self._calls.methods)
        async with asyncio.timeout(CONNECT_TIMEOUT):
            self._transport = await address.open(
                lambda: _Upgrade(request, lambda: _grpc_server(self._calls), upgraded)
            )
            try:
                await upgraded
            except BaseException:
                self._transport.close()
                raise

    async def close(self) -> None:
        """End it, with what is being answered."""
        if self._transport is not None:
            self._transport.close()
        await self._calls.end()

    async def _check(self, _request: bytes) -> HealthCheckResponse:
        return HealthCheckResponse(status=_SERVING)

    async def _credentials(self, request: bytes) -> CredentialsResponse:
        host = CredentialsRequest().parse(request).host
        try:
            login = await self._find_login(HUB if host in HUB_HOSTS else host)
        except StoppedError as error:
            self.problem = error
            raise GRPCError(Status.INTERNAL, "the login could not be read") from error
        if login is None:
            return CredentialsResponse()
        name = "" if login.username == IDENTITY_TOKEN else login.username
        return CredentialsResponse(username=name, secret=login.password.get_secret_value())

    async def _secret(self, request: bytes) -> GetSecretResponse:
        name = GetSecretRequest().parse(request).id
        secret = self._secrets.get(name)
        if secret is None:
            self.asked_in_vain.add(name)
            raise GRPCError(Status.NOT_FOUND, f"secret {name}: not found")
        return GetSecretResponse(data=secret.get_secret_value().encode())


def _upgrade_request(api_version: str, session: str, methods: list[str]) -> bytes:
    lines = [
        f"POST /v{api_version}/session HTTP/1.1",
        "Host: docker",
        "Connection: Upgrade",
        "Upgrade: h2c",
        "Content-Length: 0",
        f"X-Docker-Expose-Session-Uuid: {session}",
        "X-Docker-Expose-Session-Name: pachops",
        *(f"X-Docker-Expose-Session-Grpc-Method: {method}" for method in methods),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class _Upgrade(asyncio.Protocol):
    """Asks for the upgrade, then hands the connection to its successor."""

    def __init__(
        self,
        request: bytes,
        successor: Callable[[], asyncio.Protocol],
        upgraded: asyncio.Future[None],
    ) -> None:
        self._request = request
        self._successor = successor
        self._upgraded = upgraded
        self._answer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, end, rest = self._answer.partition(b"\r\n\r\n")
        if not end or self._transport is None or self._upgraded.done():
            return
        if b" 101 " not in head.partition(b"\r\n")[0]:
            self._upgraded.set_exception(SessionRefusedError())
            self._transport.close()
            return
        successor = self._successor()
        self._transport.set_protocol(successor)
        successor.connection_made(self._transport)
        if rest:
            successor.data_received(rest)
        self._upgraded.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if not self._upgraded.done():
            self._upgraded.set_exception(SessionRefusedError())


def _grpc_server(calls: "_Calls") -> H2Protocol:
    return H2Protocol(
        calls,
        Configuration(_keepalive_time=None),
        H2Configuration(client_side=False, header_encoding="utf-8", validate_inbound_headers=False),
    )


class _Release(Protocol):
    def __call__(self) -> None: ...


class _Calls(AbstractHandler):
    """Unary gRPC calls, answered by coroutines.

    grpclib's own server leaves the content type out where it answers that a method is unknown.
    BuildKit asks for methods that we do not have, to fall back to others: only with a content type
    does it take that answer for one.
    """

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = answers
        self._tasks: dict[Stream, asyncio.Task[None]] = {}

    @property
    def methods(self) -> list[str]:
        """The paths that are answered."""
        return list(self._answers)

    def accept(
        self, stream: Stream, headers: list[tuple[str, str]], release_stream: _Release
    ) -> None:
        """Answer a call in a task of its own."""
        task = asyncio.get_running_loop().create_task(
            self._serve(stream, dict(headers)[":path"], release_stream)
        )
        self._tasks[stream] = task
        task.add_done_callback(lambda done: self._forget(stream, done))

    def cancel(self, stream: Stream) -> None:
        """The engine gave a call up."""
        if task := self._tasks.get(stream):
            task.cancel()

    def close(self) -> None:
        """The connection is gone."""
        for task in self._tasks.values():
            task.cancel()

    async def end(self) -> None:
        """Cancel what is being answered, and wait for it."""
        self.close()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _forget(self, stream: Stream, task: asyncio.Task[None]) -> None:
        del self._tasks[stream]
        if not task.cancelled():
            task.exception()  # the engine hung up while it was being answered

    async def _serve(self, stream: Stream, path: str, release: _Release) -> None:
        try:
            answer = self._answers.get(path, _unknown)
            message = bytes(await answer(await _request(stream)))
        except GRPCError as error:
            await _send(stream, None, error)
        else:
            await _send(stream, message, GRPCError(Status.OK))
        finally:
            release()


async def _unknown(_request: bytes) -> betterproto.Message:
    raise GRPCError(Status.UNIMPLEMENTED, "unknown method")


async def _request(stream: Stream) -> bytes:
    head = await stream.recv_data(5)
    size = int.from_bytes(head[1:5], "big")
    if len(head) < 5 or head[0] or size > _LARGEST_REQUEST:
        raise GRPCError(Status.INTERNAL, "malformed request")
    return await stream.recv_data(size)


async def _send(stream: Stream, message: bytes | None, result: GRPCError) -> None:
    await stream.send_headers([(":status", "200"), ("content-type", "application/grpc")])
    if message is not None:
        await stream.send_data(b"\0" + len(message).to_bytes(4, "big") + message)
    trailers = [("grpc-status", str(result.status.value))]
    if result.message:
        trailers.append(("grpc-message", result.message))
    await stream.send_headers(trailers, end_stream=True)
