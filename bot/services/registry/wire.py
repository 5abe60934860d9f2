"""Requests to a registry and what comes back, whatever server it is."""

import hashlib
import ipaddress
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import aiohttp

from bot.services.calls import UNCOUNTED, Calls, counted
from bot.services.proxy import proxy_for

MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
LARGEST_ANSWER = 8 * 1024 * 1024
LONGEST_PAUSE = 30.0
"""Seconds that a server's Retry-After can make us wait."""

_HUB = "docker.io"
_HUB_ORIGIN = "https://registry-1.docker.io"
_DIGEST = re.compile(r"[a-z0-9+._-]+:[0-9a-fA-F]{32,}")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\U0010ffff]")
_LONGEST_WORDS = 200


@dataclass(frozen=True)
class Place:
    """A repository and the registry that it is in."""

    repository: str
    """As it was given: `host/path`."""
    host: str
    origin: str
    """Scheme and host that are really asked."""
    path: str

    @classmethod
    def of(cls, repository: str, insecure: Collection[str]) -> "Place":
        """Where `host/path` is; Docker Hub is at a host of another name."""
        host, _, path = repository.partition("/")
        if host == _HUB:
            return cls(repository, host, _HUB_ORIGIN, path if "/" in path else f"library/{path}")
        scheme = "http" if may_be_plain(host, insecure) else "https"
        return cls(repository, host, f"{scheme}://{host}", path)


@dataclass(frozen=True)
class Request:
    """A question about one manifest."""

    method: str
    place: Place
    reference: str
    """Tag or digest."""
    writes: bool = False
    """Whether the right to push is asked for too."""
    body: bytes | None = None
    content_type: str | None = None

    @property
    def url(self) -> str:
        """Where the manifest is."""
        reference = quote(self.reference, safe=":")
        return f"{self.place.origin}/v2/{quote(self.place.path)}/manifests/{reference}"

    @property
    def headers(self) -> dict[str, str]:
        """Without a login."""
        content = {"Content-Type": self.content_type} if self.content_type else {}
        return {"Accept": ", ".join(MANIFEST_TYPES), **content}

    @property
    def scope(self) -> str:
        """The rights that it needs, as token servers write them."""
        return f"repository:{self.place.path}:{'pull,push' if self.writes else 'pull'}"


@dataclass(frozen=True)
class Greeting(Request):
    """A question about nothing: whether the registry answers, and takes the login."""

    @property
    def url(self) -> str:
        """Where every registry answers."""
        return f"{self.place.origin}/v2/"

    @property
    def scope(self) -> str:
        """No rights."""
        return ""


@dataclass(frozen=True)
class Upload(Request):
    """The beginning of an upload."""

    @property
    def url(self) -> str:
        """Where uploads begin."""
        return f"{self.place.origin}/v2/{quote(self.place.path)}/blobs/uploads/"


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def digest(self) -> str | None:
        """The digest that the registry names; None where it names none."""
        named = self.headers.get("Docker-Content-Digest", "")
        return named if _DIGEST.fullmatch(named) else None

    @property
    def content_type(self) -> str:
        """The media type, without its parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip()

    @property
    def error(self) -> tuple[str, str]:
        """Code and message of the first error in the body; empty where there is none."""
        match self.json():
            case {"errors": [{"code": str(code), **rest}, *_]}:
                return code, str(rest.get("message", ""))
        return "", ""

    def json(self) -> object:
        """The body's JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def __str__(self) -> str:
        code, message = self.error
        phrase = " ".join(filter(None, (str(self.status), code, message)))
        return _UNPRINTABLE.sub("?", phrase)[:_LONGEST_WORDS]


class TryAgainError(Exception):
    """What failed may work in a moment; `pause` are the seconds that the server asks for."""

    def __init__(self, fact: str, pause: float = 0.0) -> None:
        self.fact = fact
        self.pause = pause
        super().__init__(fact)


class UntrustedError(Exception):
    """TLS could not be agreed on, or the certificate is not trusted."""


class Wire:
    """The connections, made when they are first needed. `timeout` in seconds is for a request."""

    def __init__(self, timeout: float, calls: Calls = UNCOUNTED) -> None:
        self._calls = calls
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        *,
        params: Mapping[str, str] | None = None,
        data: bytes | Mapping[str, str] | None = None,
    ) -> Answer:
        """One request and its answer; no redirect is followed.

        Errors: TryAgainError, UntrustedError.
        """
        try:
            with counted(self._calls, "registry"):
                answer = await self._exchange(method, url, headers, params, data)
        except TimeoutError as error:
            fact = f"no answer within {self._timeout:g} s"
            raise TryAgainError(fact) from error
        except aiohttp.ClientSSLError as error:
            raise UntrustedError(str(error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise TryAgainError(str(error) or type(error).__name__) from error
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._calls.limited("registry")
            fact = f"it asks us to slow down: {answer}"
            raise TryAgainError(fact, _retry_after(answer))
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            fact = f"it answers {answer}"
            raise TryAgainError(fact, _retry_after(answer))
        return answer

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    async def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None,
        data: bytes | Mapping[str, str] | None,
    ) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        async with self._session.request(
            method,
            url,
            headers=headers,
            params=params,
            data=data,
            allow_redirects=False,
            proxy=_proxy(url),
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise aiohttp.ClientPayloadError("the answer is too large")
            received = response.headers.copy()
            if offered := received.getall("WWW-Authenticate", None):
                received["WWW-Authenticate"] = ", ".join(offered)
            return Answer(response.status, received, bytes(body))


def may_be_plain(host: str, insecure: Collection[str]) -> bool:
    """Whether a host may be spoken to without TLS: this machine, or the operator says so."""
    name = urlsplit(f"//{host}").hostname or ""
    if host in insecure or name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_safe(url: str, insecure: Collection[str]) -> bool:
    """Whether a server may send us to this URL."""
    parts = urlsplit(url)
    if parts.scheme == "http":
        return may_be_plain(parts.netloc, insecure)
    return parts.scheme == "https"


def sha256(content: bytes) -> str:
    """The digest of content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _proxy(url: str) -> str | None:
    return None if may_be_plain(urlsplit(url).netloc, ()) else proxy_for(url)


def _retry_after(answer: Answer) -> float:
    asked = answer.headers.get("Retry-After", "")
    if asked.isdecimal():
        return min(float(asked), LONGEST_PAUSE)
    try:
        seconds = (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return 0.0
    return min(max(seconds, 0.0), LONGEST_PAUSE)
