"""How Slack reaches the app: signed requests, or envelopes over its sockets."""

import asyncio
import hashlib
import hmac
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import WSMsgType, web

from tests.standins.slack.world import World
from tests.standins.waiting import PATIENCE

COMMAND, INTERACTION, EVENT = "slash_commands", "interactive", "events_api"
MOST_SOCKETS = 10


@dataclass(frozen=True)
class Ack:
    """What the app answered at once; no status where it did not answer."""

    status: int = 0
    body: Any = None
    """JSON, or text; None where it is empty."""

    @property
    def is_ok(self) -> bool:
        """Whether Slack takes it as acknowledged."""
        return self.status == 200


@dataclass(eq=False)
class Envelope:
    """Something that Slack tells the app, as often as it takes."""

    kind: str
    payload: dict[str, Any]
    identity: str
    attempts: int = 0
    reason: str = ""
    """Why it is told again."""
    ack: Ack = Ack()


@dataclass(eq=False)
class Lines:
    """All ways to the app. `url` is for HTTP; without it, sockets are used."""

    world: World
    url: str = ""
    patience: float = PATIENCE
    """Seconds that an answer may take; Slack gives three."""
    envelopes: list[Envelope] = field(default_factory=list)
    """All that was told, oldest first."""
    sockets: list[web.WebSocketResponse] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._acks: dict[str, asyncio.Future[Any]] = {}
        self._turn = itertools.count()
        self._session: aiohttp.ClientSession | None = None

    async def tell(self, kind: str, payload: dict[str, Any]) -> Ack:
        """Tell the app something new; its answer."""
        envelope = Envelope(kind, payload, self.world.new_id("envelope"))
        self.envelopes.append(envelope)
        return await self.deliver(envelope)

    async def deliver(self, envelope: Envelope, reason: str = "") -> Ack:
        """Tell it, or tell it again because of `reason`."""
        envelope.reason = reason
        if self.url:
            envelope.ack = await self._post(envelope)
        else:
            envelope.ack = await self._send(envelope)
        envelope.attempts += 1
        await self.world.tell()
        return envelope.ack

    def unacknowledged(self) -> list[Envelope]:
        """Those that Slack tells again: it does so with events only."""
        return [each for each in self.envelopes if each.kind == EVENT and not each.ack.is_ok]

    async def close(self) -> None:
        """Hang up."""
        for socket in tuple(self.sockets):
            await socket.close()
        if self._session is not None:
            await self._session.close()

    # over HTTP

    async def _post(self, envelope: Envelope) -> Ack:
        body, headers = self.signed(envelope)
        return await self.send_raw(body, headers)

    def signed(self, envelope: Envelope) -> tuple[bytes, dict[str, str]]:
        """The request's body and headers."""
        if envelope.kind == EVENT:
            body, content = json.dumps(envelope.payload).encode(), "application/json"
        else:
            form: Mapping[str, Any] = (
                envelope.payload
                if envelope.kind == COMMAND
                else {"payload": json.dumps(envelope.payload)}
            )
            body, content = urlencode(form).encode(), "application/x-www-form-urlencoded"
        headers = {"Content-Type": content} | self.signature(body)
        if envelope.attempts:
            headers |= {
                "X-Slack-Retry-Num": str(envelope.attempts),
                "X-Slack-Retry-Reason": envelope.reason,
            }
        return body, headers

    def signature(
        self, body: bytes, *, at: float | None = None, secret: str = ""
    ) -> dict[str, str]:
        """The headers that prove a request to be Slack's."""
        time = str(int(at if at is not None else self.world.clock.now()))
        key = (secret or self.world.app.signing_secret).encode()
        digest = hmac.new(key, b"v0:" + time.encode() + b":" + body, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": time, "X-Slack-Signature": f"v0={digest}"}

    async def send_raw(self, body: bytes, headers: Mapping[str, str]) -> Ack:
        """Any request to the app's address."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        timeout = aiohttp.ClientTimeout(total=self.patience)
        try:
            async with self._session.post(
                self.url, data=body, headers=headers, timeout=timeout
            ) as answer:
                return Ack(answer.status, _parsed(await answer.text()))
        except (aiohttp.ClientError, TimeoutError):
            return Ack()

    # over sockets

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """Somebody connects with the address that apps.connections.open gave."""
        ticket = request.query.get("ticket", "")
        if ticket not in self.world.tickets or len(self.sockets) >= MOST_SOCKETS:
            return web.Response(status=404)
        self.world.tickets.remove(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self.sockets),
                "debug_info": {"host": "applink", "approximate_connection_time": 18060},
                "connection_info": {"app_id": self.world.app.id},
            }
        )
        await self.world.tell()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._take(json.loads(message.data))
        finally:
            self.sockets.remove(socket)
            await self.world.tell()
        return socket

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask all to connect anew, then hang up: `warning`, `refresh_requested`, `link_disabled`."""
        for socket in tuple(self.sockets):
            await socket.send_json(
                {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink"}}
            )
            if reason != "warning":
                await socket.close()

    def drop(self) -> None:
        """All sockets break off."""
        for socket in tuple(self.sockets):
            if (writer := socket._writer) is not None and writer.transport is not None:
                writer.transport.abort()

    async def _send(self, envelope: Envelope) -> Ack:
        if not self.sockets:
            return Ack()
        # Each envelope goes to one connection.
        socket = self.sockets[next(self._turn) % len(self.sockets)]
        answered = asyncio.get_running_loop().create_future()
        self._acks[envelope.identity] = answered
        sent: dict[str, Any] = {
            "envelope_id": envelope.identity,
            "type": envelope.kind,
            "payload": envelope.payload,
            "accepts_response_payload": envelope.kind != EVENT,
        }
        if envelope.kind == EVENT:
            sent |= {"retry_attempt": envelope.attempts, "retry_reason": envelope.reason}
        try:
            await socket.send_json(sent)
            async with asyncio.timeout(self.patience):
                return Ack(200, await answered)
        except (TimeoutError, ConnectionError):
            return Ack()
        finally:
            del self._acks[envelope.identity]

    def _take(self, answer: dict[str, Any]) -> None:
        waiting = self._acks.get(answer.get("envelope_id", ""))
        if waiting is not None and not waiting.done():
            waiting.set_result(answer.get("payload") or None)


def _parsed(text: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
