"""Where in Slack a deployment is told of, kept with the deployment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic import TypeAdapter

from bot.domain.command import EVENTS

DEPLOYMENTS, FAILURES, RELEASES = EVENTS
ORIGIN = "slack"
"""The fact of a deployment that holds its origin; without it nothing is said in Slack."""


@dataclass(frozen=True)
class Asked:
    """The command that asked for it."""

    channel: str
    """Its id; for direct messages too."""
    user: str
    """The id of who asked."""
    channel_name: str = ""
    """Without `#`; empty where it is not known."""
    thread: str | None = None
    """`ts` of the thread in which it was asked."""


@dataclass(frozen=True)
class Heard:
    """A channel that has subscribed to the repository, and to what of it."""

    channel: str
    """Its id."""
    events: tuple[str, ...]
    """Of bot.domain.command.EVENTS."""


@dataclass(frozen=True)
class Place:
    """One message and its thread."""

    channel: str
    """Id, or `#name`."""
    thread: str | None = None
    instead: str | None = None
    """Where to say it when the bot is not in the channel: who asked."""
    hears: frozenset[str] = frozenset({DEPLOYMENTS})
    """Of what kinds of news."""

    def hearing(self, *events: str) -> "Place":
        """The same, with more to hear of."""
        return replace(self, hears=self.hears | set(events))


@dataclass(frozen=True)
class Origin:
    """The places of a deployment's reports."""

    asked: Asked | None = None
    channels: tuple[str, ...] = ()
    """Those of the environment's rules, as they were when it was accepted."""
    heard: tuple[Heard, ...] = ()
    """Those that have subscribed, likewise."""

    def places(self) -> Iterator[Place]:
        """Each channel once, that in which it was asked first.

        A release is told of where somebody subscribed to releases; else in the rules' channels.
        """
        asked, found = self.asked, dict[str, Place]()
        named = (
            {asked.channel: asked.channel, f"#{asked.channel_name}": asked.channel} if asked else {}
        )
        if asked is not None:
            found[asked.channel] = Place(asked.channel, asked.thread, asked.user)
        is_heard = any(RELEASES in each.events for each in self.heard)
        own = {DEPLOYMENTS} if is_heard else {DEPLOYMENTS, RELEASES}
        told = [
            *((each, own) for each in self.channels),
            *((each.channel, each.events) for each in self.heard),
        ]
        for named_so, events in told:
            channel = named.get(named_so, named_so)
            place = found.get(channel) or Place(channel, hears=frozenset())
            found[channel] = place.hearing(*events)
        yield from found.values()

    def to_json(self) -> dict[str, Any]:
        """For `Deployments.save(id, ORIGIN, ...)`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Origin":
        """What `to_json` gave; what it does not know is left out."""
        return _ORIGIN.validate_python(value)


_ORIGIN: TypeAdapter[Origin] = TypeAdapter(Origin)


def told_in(
    noted: object, channels: Sequence[str], heard: Sequence[Heard] = ()
) -> dict[str, Any] | None:
    """The fact to keep with a deployment that is accepted; None where Slack hears nothing of it.

    Args:
        noted: what the surface noted under ORIGIN (`Origin(asked).to_json()`), where it was asked
            in Slack.
        channels: the environment's, or else the default channel.
        heard: those that have subscribed.
    """
    asked = _ORIGIN.validate_python(noted or {})
    origin = replace(asked, channels=tuple(channels), heard=tuple(heard))
    return origin.to_json() if origin.asked or origin.channels or origin.heard else None
