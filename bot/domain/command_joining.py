"""Commands that join Slack and GitHub: people, and channels with repositories."""

from dataclasses import dataclass
from typing import ClassVar

from bot.domain.command_arguments import MOST_NAMES
from bot.domain.command_form import (
    Argument,
    Form,
    Who,
    read_code,
    read_repository,
    read_subject,
)

EVENTS = ("deployments", "failures", "releases")
"""What a channel can hear of."""
USUAL_EVENTS = ("deployments", "releases")


@dataclass(frozen=True)
class Link:
    """Say who one is on the other surface."""

    form: ClassVar[Form] = Form(
        "link",
        "Join your Slack user and your GitHub login: in Slack it gives a code, which you type on "
        "a pull request; with your login it looks for the same e-mail address on both sides.",
        Who.EVERYBODY,
        (Argument("proof", "CODE|LOGIN", read_code),),
        examples=("link", "link ada", "link x7k2m4q9ws"),
        near=("login", "signin", "connect", "join"),
    )

    proof: str | None = None
    """None: a code is asked for."""


@dataclass(frozen=True)
class Unlink:
    """Part the two again."""

    form: ClassVar[Form] = Form(
        "unlink",
        "Part your Slack user and your GitHub login again.",
        Who.EVERYBODY,
        examples=("unlink",),
        near=("logout", "signout", "disconnect"),
    )


@dataclass(frozen=True)
class Subscribe:
    """Let a Slack channel hear of a repository."""

    form: ClassVar[Form] = Form(
        "subscribe",
        "Let this Slack channel hear of a repository; without one, list what it hears of. "
        "Events are deployments, failures and releases.",
        Who.READERS,
        (
            Argument("repository", "OWNER/NAME", read_repository),
            Argument("subjects", "ENV|EVENT", read_subject, most=MOST_NAMES),
        ),
        examples=("subscribe acme/edges", "subscribe acme/edges production releases", "subscribe"),
        near=("follow", "watch", "notify", "subscriptions"),
    )

    repository: str | None = None
    subjects: tuple[str, ...] = ()
    """Names of EVENTS, and of environments; none of a kind means the usual ones."""

    @property
    def events(self) -> tuple[str, ...]:
        """Those that are named, or the usual ones."""
        named = tuple(each for each in self.subjects if each in EVENTS)
        return named or USUAL_EVENTS

    @property
    def environments(self) -> tuple[str, ...]:
        """Those that are named; none means all."""
        return tuple(each for each in self.subjects if each not in EVENTS)


@dataclass(frozen=True)
class Unsubscribe:
    """Let a Slack channel hear no more of a repository."""

    form: ClassVar[Form] = Form(
        "unsubscribe",
        "Let this Slack channel hear no more of a repository.",
        Who.READERS,
        (Argument("repository", "OWNER/NAME", read_repository, required=True),),
        examples=("unsubscribe acme/edges",),
        near=("unfollow", "unwatch", "mute"),
    )

    repository: str
