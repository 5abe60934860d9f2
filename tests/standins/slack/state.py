"""What Slack keeps."""

from dataclasses import dataclass, field
from typing import Any

Block = dict[str, Any]


@dataclass(eq=False)
class User:
    """A person or a bot."""

    id: str
    name: str
    email: str
    is_bot: bool = False
    deleted: bool = False
    confirmed: bool = False
    """Whether they have followed the link that was sent to their address."""
    team: str = ""
    """Their own workspace, where it is another: they share a channel."""


@dataclass(eq=False)
class Channel:
    """A channel, or the direct messages of the bot with one person."""

    id: str
    name: str
    private: bool = False
    archived: bool = False
    members: set[str] = field(default_factory=set)
    """Ids."""
    direct: User | None = None


@dataclass(eq=False)
class Message:
    """A message, with all that it ever showed."""

    channel: Channel
    ts: str
    user: str
    text: str
    blocks: list[Block] = field(default_factory=list)
    thread: str | None = None
    broadcast: bool = False
    client_id: str = ""
    metadata: dict[str, Any] | None = None
    files: list["File"] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    """How it was to be written: unfurl_links, parse and the like."""
    history: list[str] = field(default_factory=list)
    """Every version as people saw it, the first first."""
    changed_at: list[float] = field(default_factory=list)
    """When each version came, by Slack's clock."""
    edited: bool = False
    """Whether people see `(edited)`."""
    deleted: bool = False
    reactions: dict[str, set[str]] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """What people read in it."""
        return self.history[-1]

    def __str__(self) -> str:
        where = f"{self.channel.name} in thread" if self.thread else self.channel.name
        return f"#{where}: {self.shown!r}"


@dataclass(eq=False)
class Ephemeral:
    """What only one person sees."""

    channel: Channel
    user: User
    text: str
    blocks: list[Block] = field(default_factory=list)
    thread: str | None = None
    shown: str = ""

    def __str__(self) -> str:
        return f"#{self.channel.name}, only {self.user.name}: {self.shown!r}"


@dataclass(eq=False)
class View:
    """A modal, or somebody's App Home."""

    id: str
    user: User
    content: dict[str, Any]
    hash: str
    root: str = ""
    previous: str | None = None
    is_open: bool = True
    errors: dict[str, str] = field(default_factory=dict)
    """What the last submission was refused for, by block."""

    @property
    def blocks(self) -> list[Block]:
        """Its blocks."""
        found: list[Block] = self.content["blocks"]
        return found

    def __str__(self) -> str:
        title = self.content.get("title", {}).get("text", "home")
        return f"{title!r} of {self.user.name}"


@dataclass(eq=False)
class File:
    """An uploaded file."""

    id: str
    name: str
    length: int
    content: bytes | None = None
    title: str = ""
    complete: bool = False


@dataclass(eq=False)
class Group:
    """A user group."""

    id: str
    handle: str
    members: list[str] = field(default_factory=list)
