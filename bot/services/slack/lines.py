"""How Slack reaches the bot: over sockets that the bot opens, or by signed requests.

Bolt speaks both; what it hands over is written down before it is acknowledged, and nothing is
done in its listeners, whose acknowledgements can be lost.
"""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Self

from aiohttp import web
from pydantic import SecretStr
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient as BaseClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.reasons import StoppedError
from bot.services.clock import Clock
from bot.services.proxy import proxy_for
from bot.services.slack.connection import Connection
from bot.services.slack.errors import RAISED
from bot.services.slack.told import Told, read_told

LOG = logging.getLogger(__name__)

LONGEST_READ = 30.0
"""Seconds for a request's body to come; Slack gives up after three."""
_PING_SECONDS = 5.0
"""How soon a socket that broke is noticed."""
_TIMESTAMP = "X-Slack-Request-Timestamp"
_SIGNATURE = "X-Slack-Signature"
_NOT_OF_SLACK = (ValueError, LookupError, AttributeError, TypeError, RecursionError)
"""What reading a body raises that has another form."""
_BOLT_LOGGERS = ("slack_bolt", "slack_sdk")
_QUIET = logging.getLogger("slack_sdk.socket_mode.quiet")
_OPEN_SECONDS = 20.0
_WATCH_SECONDS = 10.0
_MOST_MISSES = 3
"""After so many looks a socket that is away is given up."""
_DRAIN_SECONDS = 3.0
"""How long a socket that is to be closed waits for its last acknowledgements."""
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0
"""Seconds after a socket that did not open."""

Take = Callable[[Told], Awaitable[None]]
"""Writes it down; StoppedError where that cannot be."""


class _RefusedError(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Lines:
    """Both ways to the bot.

    Args:
        token: the bot's.
        take: called for each thing that Slack tells.
        secrets: the current signing secret, and while it is being changed the previous one;
            without any, no request is believed.
        base_url: the API's, for opening sockets.
    """

    def __init__(
        self,
        token: SecretStr,
        take: Take,
        *,
        secrets: Sequence[SecretStr] = (),
        base_url: str,
        clock: Clock | None = None,
    ) -> None:
        _QUIET.setLevel(logging.CRITICAL)
        for name in _BOLT_LOGGERS:
            # Below that they write whole bodies.
            logging.getLogger(name).setLevel(logging.WARNING)
        self._take = take
        self._base_url = base_url
        self._clock = clock or Clock()
        self._verifiers = [SignatureVerifier(each.get_secret_value()) for each in secrets]
        self._client = AsyncWebClient(token.get_secret_value(), base_url=base_url)
        self._client.proxy = proxy_for(base_url)
        with _without_slack_variables():
            self._app = AsyncApp(
                client=self._client,
                # Who sent it is proven by us, with more than one secret.
                request_verification_enabled=False,
                before_authorize=self._hear,
            )

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a request: 200 once it is on disk, 4xx where it is not Slack's, else 503."""
        try:
            body = await _read(request)
            self._check_signature(request, body)
            return await to_aiohttp_response(await self._app.async_dispatch(await _parsed(request)))
        except _RefusedError as refused:
            LOG.warning(
                "request of Slack from %s refused: %d %s", request.remote, refused.status, refused
            )
            return web.Response(status=refused.status, text=f"{refused}\n")

    async def hold(self, app_token: SecretStr) -> None:
        """Keep a socket open until cancelled; it is opened again whenever it breaks.

        A token that Slack refuses, and a Slack that is away, are logged and tried again.
        """
        opening = Connection(app_token, self._base_url, self._clock)
        pause = _FIRST_PAUSE
        try:
            while True:
                try:
                    url = str((await opening.ask("apps.connections.open", {}))["url"])
                    async with _Socket.opened(self._app, self._client, app_token, url) as socket:
                        LOG.info("connected to Slack")
                        pause = _FIRST_PAUSE
                        await socket.lost(self._clock)
                    LOG.warning("the socket to Slack is lost, a new one is opened")
                except (StoppedError, TimeoutError, *RAISED) as error:
                    why = error if isinstance(error, StoppedError) else type(error).__name__
                    LOG.warning("no socket to Slack, next try in %.0f s: %s", pause, why)
                    await self._clock.sleep(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE)
        finally:
            await opening.close()

    async def _hear(self, request: AsyncBoltRequest) -> BoltResponse:
        body: dict[str, Any] = request.body
        if body.get("type") == "url_verification":
            challenge = str(body.get("challenge", ""))
            return BoltResponse(status=200, body=json.dumps({"challenge": challenge}))
        try:
            told = read_told(body)
        except _NOT_OF_SLACK:
            return BoltResponse(status=400, body="the body is not what Slack sends")
        if told is not None:
            try:
                await self._take(told)
            except StoppedError as stopped:
                LOG.warning("what Slack tells cannot be written: %s", stopped.reason.code)
                return BoltResponse(status=503, body="it cannot be written")
        return BoltResponse(status=200, body="")

    def _check_signature(self, request: web.Request, body: bytes) -> None:
        at, given = request.headers.get(_TIMESTAMP, ""), request.headers.get(_SIGNATURE, "")
        # Anything else the verifier would raise for.
        if not (at.isascii() and at.isdigit() and given.isascii()):
            raise _RefusedError(401, "the signature is missing or wrong")
        if not any(each.is_valid(body, at, given) for each in self._verifiers):
            raise _RefusedError(401, "the signature is missing, wrong or old")


class _Socket(AsyncSocketModeHandler):
    """A socket whose last acknowledgements are sent before it closes.

    The SDK opens it again by itself where it breaks, but for ever with an address that is good for
    once: a socket that stays away is given up, for a new one.
    """

    def __init__(self, app: AsyncApp, client: AsyncWebClient, token: SecretStr) -> None:
        super().__init__(
            app,
            token.get_secret_value(),
            # Each failed attempt would be written with its traceback, every few seconds.
            logger=_QUIET,
            web_client=client,
            ping_interval=_PING_SECONDS,
        )
        self.client.socket_mode_request_listeners[:] = [self._take]
        self._under_way: set[asyncio.Task[Any]] = set()

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, app: AsyncApp, client: AsyncWebClient, token: SecretStr, url: str
    ) -> AsyncIterator[Self]:
        """At the address that Slack gave. Errors: TimeoutError."""
        socket = cls(app, client, token)
        try:
            socket.client.wss_uri = url
            async with asyncio.timeout(_OPEN_SECONDS):
                await socket.connect_async()  # type: ignore[no-untyped-call]
            yield socket
        finally:
            if socket._under_way:
                await asyncio.wait(socket._under_way, timeout=_DRAIN_SECONDS)
            await socket.close_async()  # type: ignore[no-untyped-call]

    async def lost(self, clock: Clock) -> None:
        """Wait until it is away for longer than the SDK needs to open it again."""
        misses = 0
        while misses < _MOST_MISSES:
            await clock.sleep(_WATCH_SECONDS)
            misses = 0 if await self.client.is_connected() else misses + 1

    async def _take(self, client: BaseClient, request: SocketModeRequest) -> None:
        """Let the app hear it, and acknowledge it."""
        task = asyncio.current_task()
        if task is not None:
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        try:
            await self.handle(client, request)  # type: ignore[arg-type]
        except Exception:
            # Not acknowledged, so that Slack tells it again.
            LOG.exception("what Slack told over its socket was not taken")


async def _read(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(LONGEST_READ):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise _RefusedError(413, "the body is too large") from None
    except TimeoutError:
        raise _RefusedError(408, "the body does not come") from None
    except (web.RequestPayloadError, OSError):
        raise _RefusedError(400, "the body is broken off, or packed in another way") from None


async def _parsed(request: web.Request) -> AsyncBoltRequest:
    try:
        parsed = await to_bolt_request(request)
    except _NOT_OF_SLACK:
        raise _RefusedError(400, "the body is not what Slack sends") from None
    if not parsed.body:
        raise _RefusedError(400, "the body is not what Slack sends")
    return parsed


@contextmanager
def _without_slack_variables() -> Iterator[None]:
    """Bolt would take secrets, and another way to log in, from the environment."""
    hidden = {name: os.environ.pop(name) for name in tuple(os.environ) if name.startswith("SLACK_")}
    try:
        yield
    finally:
        os.environ.update(hidden)
