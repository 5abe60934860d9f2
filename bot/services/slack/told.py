"""What Slack tells the bot, as it comes over either way."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What happened."""

    COMMAND = "command"
    """A slash command was typed."""
    ACTION = "action"
    """A button or a select was used."""
    VIEW = "view"
    """A modal was sent off."""
    EVENT = "event"
    """A mention, a direct message, a Home that was opened."""


@dataclass(frozen=True)
class Told:
    """One thing, the same however often Slack tells it."""

    kind: Kind
    identity: str
    """The same in every attempt."""
    team: str
    user: str
    payload: Mapping[str, Any]


_INTERACTIONS = {"block_actions": Kind.ACTION, "view_submission": Kind.VIEW}


def read_told(body: Mapping[str, Any]) -> Told | None:
    """What a request's body tells; None where it is nothing that the bot acts on."""
    kind = _kind(body)
    user = _user(body)
    if kind is None or not user:
        return None
    team = body.get("team_id") or (body.get("team") or {}).get("id") or ""
    # Slack's old proof that it is Slack, which the signature has replaced: nobody needs it.
    payload = {key: value for key, value in body.items() if key != "token"}
    return Told(kind, _identity(kind, body), str(team), user, payload)


def _kind(body: Mapping[str, Any]) -> Kind | None:
    if isinstance(body.get("command"), str):
        return Kind.COMMAND
    if body.get("type") == "event_callback":
        return Kind.EVENT if _is_of_a_person(body.get("event") or {}) else None
    return _INTERACTIONS.get(str(body.get("type")))


def _is_of_a_person(event: Mapping[str, Any]) -> bool:
    """Not our own messages, nor edits and other news of messages."""
    return not (event.get("bot_id") or event.get("subtype"))


def _user(body: Mapping[str, Any]) -> str:
    found = body.get("user_id") or body.get("user") or (body.get("event") or {}).get("user")
    if isinstance(found, Mapping):
        found = found.get("id")
    return found if isinstance(found, str) else ""


def _identity(kind: Kind, body: Mapping[str, Any]) -> str:
    own = body["event_id" if kind is Kind.EVENT else "trigger_id"]
    if not own:
        # Two without it would be taken for one.
        msg = "it cannot be told from another"
        raise ValueError(msg)
    return hashlib.sha256(f"{kind} {own}".encode()).hexdigest()[:48]
