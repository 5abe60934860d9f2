"""Webhooks on their way: signed, remembered with every attempt, held back or forged on demand."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp

from tests.standins.github.world import World

TIMEOUT = 10.0
"""Seconds that GitHub waits for an answer."""


@dataclass(frozen=True)
class Attempt:
    """One try to deliver."""

    id: int
    at: datetime
    status: int
    """0 where nobody answered."""
    again: bool

    @property
    def has_arrived(self) -> bool:
        """Whether it was taken."""
        return 200 <= self.status < 300


@dataclass(eq=False)
class Delivery:
    """Something that happened, as it is told."""

    guid: str
    event: str
    action: str | None
    body: bytes = field(repr=False)
    installation: int | None
    repository: int | None
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def payload(self) -> Any:
        """Its JSON."""
        return json.loads(self.body)


class Webhooks:
    """All deliveries, in the order in which things happened."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._session: aiohttp.ClientSession | None = None
        self._under_way: set[asyncio.Task[int]] = set()
        self.url = ""
        """Where they go; nowhere while this is empty."""
        self.secret = world.app.webhook_secret
        self.is_held = False
        """Remember only: the test delivers by hand, in the order that it likes."""
        self.all: list[Delivery] = []

    async def tell(self, event: str, payload: dict[str, Any]) -> Delivery:
        """Something happened: deliver it, where that is wanted, and wait for the answer."""
        told = self._note(event, payload)
        if self.url and not self.is_held:
            await self.deliver(told)
        return told

    def tell_soon(self, event: str, payload: dict[str, Any]) -> None:
        """As `tell`, for what the API's callers do: they are answered first."""
        told = self._note(event, payload)
        if self.url and not self.is_held:
            self._begin(self.deliver(told))

    async def deliver(self, delivery: Delivery, *, again: bool = False) -> int:
        """One attempt; the status that came back, 0 where none did."""
        at = self._world.clock.tick()
        status = await self.post(delivery, signature=sign(self.secret, delivery.body))
        delivery.attempts.append(Attempt(self._world.new_id(), at, status, again))
        await self._world.tell()
        return status

    async def post(self, delivery: Delivery, *, signature: str | None) -> int:
        """Send it with any signature, unremembered: this is how others would forge one."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/0000000",
            "X-GitHub-Delivery": delivery.guid,
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Hook-ID": "1",
        }
        if signature is not None:
            headers["X-Hub-Signature-256"] = signature
        try:
            async with self._open().post(
                self.url, data=delivery.body, headers=headers, allow_redirects=False
            ) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0

    def redeliver_soon(self, delivery: Delivery) -> None:
        """What the API's redelivery does: it is answered before the attempt is made."""
        self._begin(self.deliver(delivery, again=True))

    def by_attempt(self, attempt: int) -> Delivery | None:
        """The delivery that an attempt was of."""
        return next(
            (each for each in self.all if any(one.id == attempt for one in each.attempts)), None
        )

    async def close(self) -> None:
        """Stop delivering."""
        for task in tuple(self._under_way):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._session is not None:
            await self._session.close()

    def _note(self, event: str, payload: dict[str, Any]) -> Delivery:
        told = Delivery(
            str(uuid.uuid4()),
            event,
            payload.get("action"),
            json.dumps(payload).encode(),
            payload.get("installation", {}).get("id"),
            payload.get("repository", {}).get("id"),
        )
        self.all.append(told)
        return told

    def _begin(self, work: Coroutine[object, object, int]) -> None:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(TIMEOUT))
        return self._session


def sign(secret: str, body: bytes) -> str:
    """What X-Hub-Signature-256 says."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
