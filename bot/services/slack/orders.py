"""What Slack is asked to show, and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Block = Mapping[str, Any]


@dataclass(frozen=True)
class Message:
    """Blocks, and the plain text for notices and for those who cannot see blocks."""

    text: str
    blocks: Sequence[Block] = ()


@dataclass(frozen=True)
class Posted:
    """Where a message is."""

    channel: str
    """Its id, also where it was posted by the channel's name."""
    ts: str


@dataclass(frozen=True)
class Person:
    """Somebody in the workspace."""

    id: str
    name: str
    email: str | None
    """None without the scope users:read.email."""
    is_confirmed: bool
    """Whether they have shown that the address is theirs."""
    is_active: bool
    """Neither a bot nor somebody who has left."""
    team: str
    """Their own workspace: in a channel that is shared, another's."""


@dataclass(frozen=True)
class Login:
    """Who the bot is, and what it may do."""

    user: str
    bot: str
    name: str
    team: str
    team_name: str
    url: str
    scopes: frozenset[str] | None
    """None where Slack, or what stands before it, does not say."""
