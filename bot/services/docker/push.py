"""Pushing an image; a registry's errors come inside the engine's stream."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing
from typing import Any, cast

from docker.errors import APIError

from bot.domain.progress import Progress, Transfer
from bot.services.docker.failures import passes, push_failure
from bot.services.docker.lines import clean
from bot.services.docker.link import Link, unreachable
from bot.services.docker.logins import auth_config, registry_of
from bot.services.docker.wire import SILENCE_TIMEOUT

TRIES = 3
PAUSE = 1.0
"""Seconds before the second try; twice as long before the third."""


class _PushError(Exception):
    """What the registry or the engine said."""


async def push(
    link: Link, image: str, repository: str, tag: str, report: Callable[[Progress], None]
) -> str:
    """Push `repository:tag`; the digest. What may pass is tried again: a push repeats nothing."""
    registry = registry_of(repository)
    login = auth_config(registry, await link.login(registry))
    reference = f"{repository}:{tag}"
    for attempt in range(1, TRIES + 1):
        try:
            return await _push_once(link, repository, tag, login, _Transfers(image, report))
        except _PushError as error:
            message = clean(str(error))
            if attempt == TRIES or not passes(message):
                raise push_failure(reference, message) from error
        await asyncio.sleep(PAUSE * attempt)
    raise AssertionError  # the last try returns or raises


async def _push_once(
    link: Link, repository: str, tag: str, login: dict[str, str], transfers: "_Transfers"
) -> str:
    digest = None
    with link.client(timeout=SILENCE_TIMEOUT) as client:

        def messages() -> Iterator[dict[str, Any]]:
            answer = client.push(repository, tag, stream=True, decode=True, auth_config=login)
            return cast(Iterator[dict[str, Any]], answer)

        try:
            async with aclosing(link.relay(messages, client.cut)) as stream:
                async for message in stream:
                    if error := message.get("error"):
                        raise _PushError(error)
                    transfers.feed(message)
                    digest = (message.get("aux") or {}).get("Digest") or digest
        except APIError as error:
            raise _PushError(str(error.explanation or error)) from error
    if digest is None:
        raise unreachable(link.address, ConnectionError())
    return str(digest)


class _Transfers:
    """The bytes of all layers together; never goes back, as the engine's own counts may."""

    def __init__(self, image: str, report: Callable[[Progress], None]) -> None:
        self._image = image
        self._report = report
        self._layers: dict[str, tuple[int, int]] = {}
        self._last = Transfer(image, 0, 0)

    def feed(self, message: dict[str, Any]) -> None:
        detail = message.get("progressDetail") or {}
        layer = message.get("id")
        if layer is None:
            return
        if message.get("status") == "Pushed" and layer in self._layers:
            total = self._layers[layer][1]
            self._layers[layer] = (total, total)
        elif "current" in detail and "total" in detail:
            current, total = int(detail["current"]), int(detail["total"])
            self._layers[layer] = (min(current, total), total)
        sent = sum(sent for sent, _ in self._layers.values())
        total = sum(total for _, total in self._layers.values())
        now = Transfer(self._image, max(sent, self._last.sent), total)
        if now != self._last and now.total:
            self._last = now
            self._report(now)
