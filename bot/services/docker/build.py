"""Building one image: the context streams in, the progress streams out."""

import asyncio
import base64
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, aclosing, suppress
from typing import IO, Any, BinaryIO, Protocol, cast

from docker import auth
from docker.errors import APIError
from requests import PreparedRequest, Request

from bot.domain.progress import Progress, Warned
from bot.domain.reasons import Code, StoppedError
from bot.services.docker.failures import BuildEnd, build_failure
from bot.services.docker.legacy import LegacyOutput
from bot.services.docker.lines import Mask, clean
from bot.services.docker.link import Link, unreachable
from bot.services.docker.logins import auth_config, registry_of
from bot.services.docker.messages import StatusResponse
from bot.services.docker.orders import BuildOrder
from bot.services.docker.session import Session, SessionRefusedError
from bot.services.docker.trace import FailedStep, Trace
from bot.services.docker.wire import SILENCE_TIMEOUT, Address, EngineClient
from bot.services.logins import Login

BLOCK = 1 << 18
_CANCEL_TIMEOUT = 2
_LEGACY = "1"
_BUILDKIT = "2"

Report = Callable[[Progress], None]
OpenContext = Callable[[], AbstractContextManager[BinaryIO]]


async def build_with_buildkit(
    link: Link, order: BuildOrder, open_context: OpenContext, report: Report
) -> str:
    """Build with BuildKit, which asks for logins and secrets through a session; the image's id."""
    session = Session(_nobody if order.no_logins else link.login, order.secrets)
    query = {"version": _BUILDKIT, "buildid": uuid.uuid4().hex}
    output = _BuildKitOutput(order, report, session, link.mask(order.secrets.values()))
    try:
        try:
            await session.open(link.address, link.api_version)
            query["session"] = session.id
        except SessionRefusedError:
            if order.secrets:
                raise _no_secrets(order) from None
        except OSError as error:
            raise unreachable(link.address, error) from error
        return await _Build(link, order, query, output, {}).run(open_context)
    finally:
        await session.close()


async def build_legacy(
    link: Link, order: BuildOrder, open_context: OpenContext, report: Report
) -> str:
    """Build with the builder that engines had before BuildKit; the image's id."""
    if order.secrets:
        raise _no_secrets(order)
    logins = {}
    names = () if order.no_logins else (*order.bases, *order.tags)
    for registry in sorted({registry_of(name) for name in names}):
        if login := await link.login(registry):
            address = auth.INDEX_URL if registry == auth.INDEX_NAME else registry
            logins[address] = auth_config(address, login)
    output = _LegacyBuildOutput(order, report, link.mask())
    return await _Build(link, order, {"version": _LEGACY}, output, logins).run(open_context)


async def _nobody(_registry: str) -> Login | None:
    return None


def _no_secrets(order: BuildOrder) -> StoppedError:
    return StoppedError(
        Code.ENGINE_LACKS,
        f"the build of {order.image} needs secrets, which this engine cannot give to a build",
    )


class _Output(Protocol):
    """What a builder says: messages in, events out, and at the end why it failed."""

    def feed(self, message: Mapping[str, Any]) -> None: ...

    def failure(self, error: str) -> StoppedError: ...

    def end(self) -> None: ...


class _BuildKitOutput:
    def __init__(self, order: BuildOrder, report: Report, session: Session, mask: Mask) -> None:
        self._order = order
        self._report = report
        self._session = session
        self._hide = mask.hide
        self._trace = Trace(order.image, report, mask)

    def feed(self, message: Mapping[str, Any]) -> None:
        if message.get("id") == "moby.buildkit.trace":
            self._trace.feed(StatusResponse().parse(base64.b64decode(message["aux"])))

    def failure(self, error: str) -> StoppedError:
        self._trace.end()
        missing = frozenset(self._session.asked_in_vain)
        end = BuildEnd(self._order, self._hide(clean_error(error)), self._trace.failed, missing)
        return self._session.problem or build_failure(end)

    def end(self) -> None:
        self._trace.end()
        for name in sorted(self._session.asked_in_vain):
            self._report(
                Warned(f"The build of {self._order.image} did without the secret '{name}'.")
            )


class _LegacyBuildOutput:
    def __init__(self, order: BuildOrder, report: Report, mask: Mask) -> None:
        self._order = order
        self._output = LegacyOutput(order.image, report, mask)

    def feed(self, message: Mapping[str, Any]) -> None:
        self._output.feed(message.get("stream", ""))

    def failure(self, error: str) -> StoppedError:
        text = clean_error(error)
        failed: FailedStep | None = self._output.end(text)
        return build_failure(BuildEnd(self._order, text, failed))

    def end(self) -> None:
        self._output.end(None)


def clean_error(text: str) -> str:
    """An error's lines, cleaned one by one."""
    return "\n".join(clean(line) for line in text.splitlines())


class _Build:
    """One call of /build, from its first byte to its image."""

    def __init__(
        self,
        link: Link,
        order: BuildOrder,
        query: dict[str, str],
        output: _Output,
        logins: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._link = link
        self._order = order
        self._query = query
        self._output = output
        self._logins = logins

    async def run(self, open_context: OpenContext) -> str:
        query: dict[str, str | tuple[str, ...]] = {**self._query, "t": self._order.tags}
        client = _BuildClient(self._link.address, self._link.api_version, query, self._logins)
        upload = _Upload(open_context)

        def cut() -> None:
            client.cut()
            upload.close()

        image = None
        try:
            stream = self._link.relay(lambda: self._call(client, upload), cut)
            async with aclosing(stream) as messages:
                async for message in messages:
                    if error := message.get("error"):
                        raise self._output.failure(error)
                    image = _image_id(message) or image
                    self._output.feed(message)
        except APIError as error:
            raise self._output.failure(str(error.explanation or error)) from error
        except asyncio.CancelledError:
            await asyncio.shield(self._cancel())
            raise
        finally:
            client.close()
        self._output.end()
        if image is None:
            raise unreachable(self._link.address, ConnectionError())
        return image

    def _call(self, client: EngineClient, upload: "_Upload") -> Iterator[dict[str, Any]]:
        order = self._order
        return client.build(
            fileobj=cast(IO[bytes], upload),  # requests streams whatever can be iterated
            custom_context=True,
            dockerfile=order.dockerfile,
            target=order.target,
            buildargs=dict(order.build_args),
            labels=dict(order.labels),
            network_mode="none" if order.no_network else None,
            nocache=order.no_cache,
            # A proxy's address may hold a login.
            use_config_proxy=not order.no_logins,
            rm=True,
            forcerm=True,
            timeout=SILENCE_TIMEOUT,
            decode=True,
        )

    async def _cancel(self) -> None:
        """Tell BuildKit, too: a proxy may keep the connection that we have cut."""
        build = self._query.get("buildid")
        if build is None:
            return
        with suppress(StoppedError, APIError):
            await self._link.call(
                lambda client: client.post(
                    client.path("/build/cancel"), params={"id": build}, timeout=_CANCEL_TIMEOUT
                ),
                timeout=_CANCEL_TIMEOUT,
            )


def _image_id(message: Mapping[str, Any]) -> str | None:
    aux = message.get("aux")
    return aux.get("ID") if isinstance(aux, dict) else None


class _BuildClient(EngineClient):
    """Adds to the SDK's build what it has no parameter for."""

    def __init__(
        self,
        address: Address,
        version: str,
        query: Mapping[str, str | tuple[str, ...]],
        logins: Mapping[str, Mapping[str, str]],
    ) -> None:
        super().__init__(address, version)
        self._query = query
        self._logins = logins

    def prepare_request(self, request: Request) -> PreparedRequest:
        request.params = {**request.params, **self._query}
        return super().prepare_request(request)

    def _set_auth_headers(self, headers: dict[str, str | bytes]) -> None:
        """Send these logins; the SDK would ask docker's credential helpers for all they have."""
        headers["X-Registry-Config"] = auth.encode_header(self._logins)


class _Upload:
    """The context on its way into the engine, in blocks; `close` ends it from another thread."""

    def __init__(self, open_context: OpenContext) -> None:
        self._open_context = open_context
        self._opened = ExitStack()
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        with self._opened:
            context = self._opened.enter_context(self._open_context())
            while not self._closed.is_set() and (block := context.read(BLOCK)):
                yield block
        if self._closed.is_set():
            # The end of the body would tell the engine to build what it has.
            raise ConnectionAbortedError

    def close(self) -> None:
        self._closed.set()
        self._opened.close()
