"""Somebody who sends webhooks, with everything right but what a test says otherwise."""

import hmac
import io
import json
from dataclasses import dataclass, field

import aiohttp

from bot.store.deliveries import Deliveries
from tests.standins.github.webhooks import sign

SECRET, PREVIOUS = "a current secret", "a previous secret"
PUSH = {"ref": "refs/heads/main", "repository": {"full_name": "acme/edges"}}
BODY = json.dumps(PUSH).encode()


def signed_with(algorithm: str, secret: str = SECRET, body: bytes = BODY) -> str:
    """What a header says that another algorithm made."""
    return f"{algorithm}=" + hmac.new(secret.encode(), body, algorithm).hexdigest()


@dataclass
class Caller:
    """Somebody who sends webhooks."""

    session: aiohttp.ClientSession
    url: str
    deliveries: Deliveries
    woken: list[None] = field(default_factory=list)

    async def send(self, body: bytes = BODY, **headers: str | None) -> int:
        """With everything right but what is said otherwise; the status."""
        given = {
            "X-Hub-Signature-256": sign(SECRET, body),
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": "guid-1",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in given.items() if value is not None}
        async with self.session.post(self.url, data=io.BytesIO(body), headers=sent) as answer:
            await answer.read()
            return answer.status

    async def stored(self) -> int:
        return await self.deliveries.count_waiting()
