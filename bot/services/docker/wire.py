"""Connections to a Docker Engine: where it is, and a client whose call another thread can cut."""

import socket
import ssl
import struct
import threading
from asyncio import BaseTransport, Protocol, get_running_loop
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from docker import APIClient
from docker.errors import DockerException, TLSParameterError
from docker.tls import TLSConfig
from docker.utils import kwargs_from_env, parse_host
from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from bot.domain.reasons import Code, StoppedError

CONNECT_TIMEOUT = 10.0
CALL_TIMEOUT = 60
SILENCE_TIMEOUT = 24 * 3600
"""How long a stream may say nothing; who started it usually gives up long before."""

_BASE_URL = "tcp://docker:80"
"""Only ever seen in a Host header: connections are made by `Address.dial`."""


@dataclass(frozen=True)
class Address:
    """Where the engine listens: a Unix socket, or a port with or without TLS."""

    text: str
    """As a person writes it in DOCKER_HOST."""
    path: str | None = None
    host: str = ""
    port: int = 0
    tls: ssl.SSLContext | None = None

    @classmethod
    def find(cls, text: str | None) -> Self:
        """Read `text`, else DOCKER_HOST; TLS as docker's own environment variables say.

        Raises StoppedError BAD_SETTINGS.
        """
        try:
            found = kwargs_from_env()
            text = text or found.get("base_url") or "unix:///var/run/docker.sock"
            tls = found.get("tls")
            url = str(parse_host(text, tls=tls is not None))
            if url.startswith("http+unix://"):
                return cls(text, path="/" + url.removeprefix("http+unix://").lstrip("/"))
            parts = urlsplit(url)
            if parts.scheme in {"http", "https"} and parts.hostname and parts.port:
                context = _tls_context(tls) if parts.scheme == "https" else None
                return cls(text, host=parts.hostname, port=parts.port, tls=context)
        except TLSParameterError as error:
            raise StoppedError(Code.BAD_SETTINGS, str(error), where="DOCKER_CERT_PATH") from error
        except OSError as error:
            fact = f"docker's certificates cannot be read: {error.strerror or error}"
            raise StoppedError(Code.BAD_SETTINGS, fact, where="DOCKER_CERT_PATH") from error
        except (DockerException, ValueError) as error:
            raise _bad_host(text) from error
        raise _bad_host(text)

    def dial(self) -> socket.socket:
        """Connect, blocking. Raises OSError."""
        if self.path is None:
            plain = socket.create_connection((self.host, self.port), CONNECT_TIMEOUT)
        else:
            plain = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            if self.path is not None:
                plain.settimeout(CONNECT_TIMEOUT)
                plain.connect(self.path)
            if self.tls is not None:
                return self.tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise
        return plain

    async def open(self, protocol: Callable[[], Protocol]) -> BaseTransport:
        """Connect on the running loop. Raises OSError."""
        loop = get_running_loop()
        if self.path is not None:
            return (await loop.create_unix_connection(protocol, self.path))[0]
        return (await loop.create_connection(protocol, self.host, self.port, ssl=self.tls))[0]


def _bad_host(text: str | None) -> StoppedError:
    return StoppedError(
        Code.BAD_SETTINGS,
        f"'{text}' is not an address of a Docker Engine",
        where="DOCKER_HOST",
        next_step="Write unix:///path/to/docker.sock or tcp://host:port.",
    )


def _tls_context(config: TLSConfig | None) -> ssl.SSLContext:
    if config is None:
        return ssl.create_default_context()
    context = ssl.create_default_context(cafile=config.ca_cert if config.verify else None)
    if not config.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if config.cert:
        context.load_cert_chain(*config.cert)
    return context


class EngineClient(APIClient):
    """The SDK's client for one call; `cut` ends that call from another thread.

    The SDK's own way to end a call, closing its response, waits for the read that it should end.
    """

    def __init__(self, address: Address, version: str, *, timeout: int = CALL_TIMEOUT) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._is_cut = False
        super().__init__(base_url=_BASE_URL, version=version, timeout=timeout)
        self.trust_env = False
        self.mount(self.base_url, _Adapter(self._dial))

    def cut(self) -> None:
        """End the call, whatever it waits for: it then raises or its stream ends."""
        with self._lock:
            self._is_cut = True
            sockets = tuple(self._sockets)
        for one in sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def path(self, path: str) -> str:
        """The URL of a path of the engine's API."""
        return f"{self.base_url}/v{self.api_version}{path}"

    def output(self, container: str) -> Iterator[tuple[int, bytes]]:
        """Attach to a container: what it writes as (1 for stdout or 2 for stderr, bytes).

        It is attached when this returns. The SDK's own `attach` polls the bare socket and so waits
        for bytes that TLS has already read.
        """
        response = self.post(
            self.path(f"/containers/{container}/attach"),
            params={"stream": 1, "stdout": 1, "stderr": 1},
            stream=True,
            timeout=SILENCE_TIMEOUT,
        )
        response.raise_for_status()
        return _frames(response.raw.read)

    def _dial(self) -> socket.socket:
        connection = self._address.dial()
        with self._lock:
            if not self._is_cut:
                self._sockets.append(connection)
                return connection
        connection.close()
        raise ConnectionAbortedError


def _frames(read: Callable[[int], bytes]) -> Iterator[tuple[int, bytes]]:
    while len(head := read(8)) == 8:
        stream, size = struct.unpack(">BxxxL", head)
        yield stream, read(size)


class _Connection(HTTPConnection):
    def __init__(self, *args: Any, dial: Callable[[], socket.socket], **kwargs: Any) -> None:  # noqa: ANN401 - handed through
        super().__init__(*args, **kwargs)
        self._dial = dial

    def connect(self) -> None:
        self.sock = self._dial()
        self.sock.settimeout(self.timeout)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _Adapter(HTTPAdapter):
    """Sends requests over connections that `dial` makes, whatever their URL says."""

    def __init__(self, dial: Callable[[], socket.socket]) -> None:
        super().__init__()
        self._pool = _Pool("docker", dial=dial)

    def get_connection_with_tls_context(
        self,
        request: PreparedRequest,  # noqa: ARG002 - requests' signature
        verify: object,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
        cert: object = None,  # noqa: ARG002
    ) -> HTTPConnectionPool:
        return self._pool

    def close(self) -> None:
        self._pool.close()
        super().close()
