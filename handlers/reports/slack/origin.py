"""Where in Slack a deployment is told of, kept with the deployment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pydantic import TypeAdapter

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
class Place:
    """One message and its thread."""

    channel: str
    """Id, or `#name`."""
    thread: str | None = None
    instead: str | None = None
    """Where to say it when the bot is not in the channel: who asked."""


@dataclass(frozen=True)
class Origin:
    """The places of a deployment's reports."""

    asked: Asked | None = None
    channels: tuple[str, ...] = ()
    """Those of the environment's rules, as they were when it was accepted."""

    def places(self) -> Iterator[Place]:
        """Each channel once, that in which it was asked first."""
        asked = self.asked
        if asked is not None:
            yield Place(asked.channel, asked.thread, asked.user)
        for channel in dict.fromkeys(self.channels):
            if asked is None or channel not in {asked.channel, f"#{asked.channel_name}"}:
                yield Place(channel)

    def to_json(self) -> dict[str, Any]:
        """For `Deployments.save(id, ORIGIN, ...)`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Origin":
        """What `to_json` gave; what it does not know is left out."""
        return _ORIGIN.validate_python(value)


_ORIGIN: TypeAdapter[Origin] = TypeAdapter(Origin)


def told_in(noted: object, channels: Sequence[str]) -> dict[str, Any] | None:
    """The fact to keep with a deployment that is accepted; None where Slack hears nothing of it.

    Args:
        noted: what the surface noted under ORIGIN (`Origin(asked).to_json()`), where it was asked
            in Slack.
        channels: the environment's, or else the default channel.
    """
    origin = replace(_ORIGIN.validate_python(noted or {}), channels=tuple(channels))
    return origin.to_json() if origin.asked or origin.channels else None
