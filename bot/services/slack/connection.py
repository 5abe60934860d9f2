"""Calls with one token: limits kept, repeats where they are harmless, errors as reasons."""

import asyncio
import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import aiohttp
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.services.calls import UNCOUNTED, Calls, counted
from bot.services.clock import Clock
from bot.services.proxy import proxy_for
from bot.services.slack.errors import (
    RAISED,
    Limited,
    Refusal,
    Silence,
    limited,
    refused,
    trouble_in,
    unreachable,
)
from bot.services.slack.limits import Limiter

TIMEOUT = 10
"""Seconds for one call."""
UPLOAD_TIMEOUT = 60.0
PAUSES = (0.5, 2.0)
"""Seconds before each repeat of a call that was not answered."""
LONGEST_PAUSE = 30.0
"""Seconds that a Retry-After of a broken Slack can make us wait."""
PATIENCE = 60.0
"""Seconds that a call waits for the limits."""

LOG = logging.getLogger(__name__)


class Connection:
    """The Web API with one token.

    No variable of the environment changes anything but HTTPS_PROXY and NO_PROXY. Errors, from
    every method: slack_unreachable, slack_refused, slack_limited.
    """

    def __init__(
        self, token: SecretStr, base_url: str, clock: Clock, calls: Calls = UNCOUNTED
    ) -> None:
        self._calls = calls
        self._base_url = base_url
        self._clock = clock
        self.limiter = Limiter(clock)
        # Sessions belong to a running loop, which there is not when everything is put together.
        self._session: aiohttp.ClientSession | None = None
        self._client = AsyncWebClient(
            token.get_secret_value(), base_url=base_url, timeout=TIMEOUT, retry_handlers=[]
        )
        # The client looks for a proxy by itself, but does not know NO_PROXY.
        self._client.proxy = proxy_for(base_url)

    async def ask(
        self,
        method: str,
        arguments: Mapping[str, object],
        *,
        channel: str = "",
        repeats: bool = True,
        reserved: bool = False,
    ) -> AsyncSlackResponse:
        """Call a method.

        Args:
            method: its name.
            arguments: None is left out.
            channel: whose limit is kept for a new message.
            repeats: whether a second call is harmless where the first was perhaps done.
            reserved: its place under the limits was taken before; then nothing is waited for, and
                whoever took it tries again.
        """
        pauses = iter(() if reserved else PAUSES)
        while True:
            if not reserved:
                await self._wait_for_turn(method, channel)
            try:
                return await self._once(method, arguments)
            except RAISED as error:
                cause, trouble = error, trouble_in(error)
            match trouble:
                case Refusal():
                    raise refused(method, trouble) from cause
                case Limited(wait):
                    LOG.warning("Slack limits %s %s for %.0f s", method, channel, wait)
                    self._calls.limited("slack")
                    self.limiter.pause(method, channel, wait)
                    if reserved:
                        raise limited(method, wait) from cause
                case Silence(fact, asked, is_done):
                    pause = next(pauses, None)
                    if pause is None or (is_done and not repeats):
                        raise unreachable(method, fact) from cause
                    await self._clock.sleep(max(pause, min(asked, LONGEST_PAUSE)))

    async def upload(self, url: str, content: bytes) -> None:
        """The bytes of a file, to the address that Slack gave for them; a repeat is harmless."""
        timeout = aiohttp.ClientTimeout(total=UPLOAD_TIMEOUT)
        try:
            async with self._open().post(
                url, data=content, proxy=proxy_for(url), timeout=timeout
            ) as answer:
                status = answer.status
        except RAISED as error:
            raise unreachable("upload", "the connection failed") from error
        if status != HTTPStatus.OK:
            raise unreachable("upload", f"it answers {status}")

    async def close(self) -> None:
        """End the connections."""
        if self._session is not None:
            await self._session.close()

    async def _wait_for_turn(self, method: str, channel: str) -> None:
        left = await self.limiter.wait(method, channel, PATIENCE)
        if left > 0:
            raise limited(method, left)

    async def _once(self, method: str, arguments: Mapping[str, object]) -> AsyncSlackResponse:
        self._client.session = self._open()
        # Every method takes a form, not every one JSON.
        form = {key: _written(value) for key, value in arguments.items() if value is not None}
        with counted(self._calls, "slack"):
            async with asyncio.timeout(TIMEOUT):
                return await self._client.api_call(method, data=form)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT, connect=TIMEOUT / 2)
            self._session = aiohttp.ClientSession(timeout=timeout, trust_env=False)
        return self._session


def _written(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:  # noqa: ANN401 - any mapping or sequence
    return dict(value) if isinstance(value, Mapping) else list(value)
