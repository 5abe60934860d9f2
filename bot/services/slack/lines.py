"""How Slack reaches the bot: over sockets that the bot opens, or by signed requests.

Bolt speaks both; what it hands over is written down before it is acknowledged, and nothing is
done in its listeners, whose acknowledgements can be lost.
"""

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aiohttp import web
from pydantic import SecretStr
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.reasons import StoppedError
from bot.services.proxy import proxy_for
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
        self, token: SecretStr, take: Take, *, secrets: Sequence[SecretStr] = (), base_url: str
    ) -> None:
        for name in _BOLT_LOGGERS:
            # Below that they write whole bodies.
            logging.getLogger(name).setLevel(logging.WARNING)
        self._take = take
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
        """Keep a socket open until cancelled; it is opened again whenever it breaks."""
        handler = AsyncSocketModeHandler(
            self._app,
            app_token.get_secret_value(),
            web_client=self._client,
            ping_interval=_PING_SECONDS,
        )
        try:
            await handler.connect_async()  # type: ignore[no-untyped-call]
            await asyncio.Event().wait()
        finally:
            await handler.close_async()  # type: ignore[no-untyped-call]

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


async def _read(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(LONGEST_READ):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise _RefusedError(413, "the body is too large") from None
    except TimeoutError:
        raise _RefusedError(408, "the body does not come") from None


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
