"""What the handlers of Slack's news work with."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.domain.github import Repository
from bot.services.slack import Login, Message, Person, Posted
from bot.store.identities import Identities
from bot.store.locks import Locks
from bot.store.subscriptions import Subscriptions
from handlers.commands import desk
from handlers.reports.slack.safe import Safe
from handlers.slack.memory import Memory

READABLE_SECONDS = 300.0
"""How long an answer of GitHub decides what is shown; what a command may do is asked anew.

Of a crowd that opens its Homes, each asks GitHub one call for every repository but once in it.
"""


class Client(desk.Client, Protocol):
    """What is asked of a repository that is only known by name; RepositoryClient is one."""

    async def repository(self) -> Repository:
        """Its name as GitHub writes it, its default branch and where git finds it."""

    async def public_email(self, login: str) -> str | None:
        """The address that a person shows, which GitHub has confirmed."""


class GitHub(desk.GitHub, Protocol):
    """GitHub with our login."""

    def for_repository(self, owner: str, name: str, installation: int | None = None) -> Client:
        """One repository."""


class Slack(Protocol):
    """The workspace; bot.services.slack.Slack is one."""

    async def post(
        self, channel: str, message: Message, *, identity: str, thread: str | None = None
    ) -> Posted:
        """Write a message, once for each identity."""

    async def whisper(
        self, channel: str, user: str, message: Message, *, thread: str | None = None
    ) -> None:
        """Show it to one person only."""

    async def open_view(self, trigger: str, view: Mapping[str, Any]) -> str:
        """Open a modal; its id."""

    async def update_view(
        self, identity: str, view: Mapping[str, Any], *, unless_changed: str | None = None
    ) -> None:
        """Show this in a modal."""

    async def publish_home(self, user: str, view: Mapping[str, Any]) -> None:
        """Show this in somebody's App Home."""

    async def login(self) -> Login:
        """Who the bot is there."""

    async def person(self, user: str) -> Person | None:
        """By id."""

    async def group_members(self, group: str) -> Sequence[str]:
        """The ids of a user group's members."""


async def nobody_looks(_deployment: str) -> None:
    """Where no report is kept in step."""


@dataclass(frozen=True, kw_only=True)
class Desk(desk.Desk):
    """Everything that a handler needs beside what Slack told."""

    github: GitHub
    slack: Slack
    safe: Safe
    identities: Identities
    subscriptions: Subscriptions
    locks: Locks
    readable: Memory[tuple[str, str], bool] = field(
        default_factory=lambda: Memory(READABLE_SECONDS)
    )
    """Whether a login can read a repository, both in lower case."""
    look_again: Callable[[str], Awaitable[None]] = nobody_looks
    """Tells the reports that a button of a deployment was used."""
    page: Callable[[str], str | None] = lambda _deployment: None
    """The URL of a deployment's page."""
