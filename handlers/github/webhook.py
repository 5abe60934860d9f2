"""GitHub's webhook: who sent it is proven, it is written down, and only then answered."""

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from aiohttp import web
from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError
from bot.store.deliveries import Deliveries, Taken
from bot.store.names import Numbers
from handlers.github.bodies import Bodies, RefusedError

LOG = logging.getLogger(__name__)

SIGNATURE = "X-Hub-Signature-256"
DELIVERY = "X-GitHub-Delivery"
EVENT = "X-GitHub-Event"

_SIGNED = re.compile(r"sha256=[0-9a-f]{64}")
_NAMES = "repository"
"""The event that tells of a new name, which may be an old one."""
_LARGEST = 2**63 - 1
"""What a database takes for a number."""
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_NAME = re.compile(r"[a-z0-9_]{1,64}")
_FULL_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}/[A-Za-z0-9_.-]{1,100}")


class Webhook:
    """Takes deliveries.

    Args:
        secrets: the current webhook secret, and while it is being changed the previous one.
        wanted: the actions (or states) of each event that are handled; None: it has none.
        deliveries: where they are kept.
        taken: called when there is a new one.

    Raises:
        StoppedError: BAD_SETTINGS without a secret: nobody could be told from a forger.
    """

    def __init__(
        self,
        secrets: Sequence[SecretStr],
        wanted: Mapping[str, Collection[str] | None],
        deliveries: Deliveries,
        taken: Callable[[], None],
    ) -> None:
        self._secrets = [each.get_secret_value().encode() for each in secrets]
        if not self._secrets or not all(self._secrets):
            raise StoppedError(
                Code.BAD_SETTINGS,
                "GitHub's webhooks need a secret, or anybody could send them",
                where="PACHOPS_GITHUB_WEBHOOK_SECRETS",
                next_step="Set it to the secret that the App's or the webhook's page has.",
            )
        self._wanted = wanted
        self._deliveries = deliveries
        self._taken = taken
        self._bodies = Bodies()

    async def answer(self, request: web.Request) -> web.Response:
        """Answer 202 to what is on disk or not ours, and 4xx or 503 to all else."""
        try:
            text = await self._take(request)
        except RefusedError as refused:
            LOG.warning(
                "webhook from %s refused: %s %s", request.remote, refused.status, refused.why
            )
            return web.Response(status=refused.status, text=f"{refused.why}\n")
        return web.Response(status=202, text=f"{text}\n")

    async def _take(self, request: web.Request) -> str:
        signature = request.headers.get(SIGNATURE, "")
        if _SIGNED.fullmatch(signature) is None:
            # Before anything else is read: whoever has no secret takes no memory.
            raise RefusedError(401, "the signature is " + ("wrong" if signature else "missing"))
        async with self._bodies.of(request) as body:
            self._check_signature(signature, body)
            identity = _header(request, DELIVERY, _ID)
            event = _header(request, EVENT, _NAME)
            payload = _parse(body)
            if not self._is_wanted(event, payload):
                return "not for us"
            return await self._keep(identity, event, payload, body)

    async def _keep(
        self, identity: str, event: str, payload: Mapping[str, Any], body: bytes
    ) -> str:
        # What is signed is the body: its id may be anything. As another event it would be in the way.
        digest = hashlib.sha256(f"{event}\n".encode() + body).hexdigest()
        try:
            taken = await self._deliveries.take(
                identity,
                event,
                _repository(payload),
                body.decode(),
                _numbers(event, payload),
                digest,
            )
        except StoppedError as stopped:
            raise RefusedError(503, f"it cannot be written: {stopped.reason.code}") from stopped
        if taken is Taken.FULL:
            raise RefusedError(503, "too many deliveries wait")
        if taken is Taken.NEW:
            self._taken()
        return taken.value

    def _check_signature(self, given: str, body: bytes) -> None:
        is_good = False
        for secret in self._secrets:
            expected = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
            # All are tried, so that the time does not tell which one it was.
            is_good |= hmac.compare_digest(expected.encode(), given.encode())
        if not is_good:
            raise RefusedError(401, "the signature is wrong")

    def _is_wanted(self, event: str, payload: Mapping[str, Any]) -> bool:
        if event not in self._wanted:
            return False
        actions, action = self._wanted[event], payload.get("action", payload.get("state"))
        return actions is None or (isinstance(action, str) and action in actions)


def _header(request: web.Request, name: str, form: re.Pattern[str]) -> str:
    value = request.headers.get(name, "")
    if form.fullmatch(value) is None:
        raise RefusedError(400, f"the header {name} is missing or wrong")
    return value


def _parse(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise RefusedError(
            400, "the body is not JSON; set the webhook's content type to application/json"
        ) from None
    if not isinstance(payload, dict):
        raise RefusedError(400, "the body is not a JSON object")
    return payload


def _repository(payload: Mapping[str, Any]) -> str:
    """Where it happened; what is no name of a repository has a queue of its own."""
    match payload.get("repository"):
        case {"full_name": str(name)} if _FULL_NAME.fullmatch(name):
            return name
    return ""


def _numbers(event: str, payload: Mapping[str, Any]) -> Numbers | None:
    """By which it is known under every name; None where it has the one that is told."""
    if event == _NAMES:
        return None
    match payload.get("repository"):
        case {
            "id": int(repository),
            "name": str(),
            "clone_url": str(),
            "owner": {"id": int(owner), "login": str()},
        } if max(repository, owner) <= _LARGEST:
            return Numbers(repository, owner)
    return None
