"""Who asks in Slack, and where the answer goes: to them alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.services.slack import NOT_OURS, Message, SlackRefusedError
from bot.store.deliveries import Delivery
from bot.store.identities import SlackUser
from handlers.reports.slack.origin import Asked
from handlers.slack.desk import Desk

_NOT_THERE = NOT_OURS | {"user_not_in_channel"}


@dataclass(frozen=True)
class Caller:
    """A person in a channel."""

    team: str
    user: str
    channel: str
    delivery: str
    received_at: float
    """Seconds since the epoch."""
    is_repeat: bool = False
    """Whether an earlier attempt may have done some of it."""
    is_last: bool = False
    """Whether nobody tries again."""
    channel_name: str = ""
    thread: str | None = None
    trigger: str = ""
    """With which a modal can be opened, for three seconds."""
    is_private: bool = False
    """Whether it is the person's own conversation with the bot."""

    @property
    def slack(self) -> SlackUser:
        """The person."""
        return SlackUser(self.team, self.user)

    @property
    def asked(self) -> Asked:
        """Where reports of what they ask for go."""
        return Asked(self.channel, self.user, self.channel_name, self.thread)

    @property
    def at(self) -> str:
        """When they asked, as GitHub writes times."""
        return datetime.fromtimestamp(self.received_at, UTC).isoformat()

    async def tell(self, desk: Desk, message: Message, part: str = "") -> None:
        """Answer them, where nobody else sees it."""
        identity = f"answer {self.delivery} {part}"
        if self.is_private:
            await desk.slack.post(self.channel, message, identity=identity, thread=self.thread)
            return
        try:
            await desk.slack.whisper(self.channel, self.user, message, thread=self.thread)
        except SlackRefusedError as refused:
            if refused.error not in _NOT_THERE:
                raise
            # The bot is not in the channel, so that it can only be said in private.
            await desk.slack.post(self.user, message, identity=identity)


def read_payload(delivery: Delivery) -> dict[str, Any]:
    """What Slack told."""
    payload: dict[str, Any] = json.loads(delivery.payload)
    return payload


def caller_of(
    delivery: Delivery,
    *,
    team: str,
    user: str,
    channel: Mapping[str, Any],
    thread: str | None = None,
    trigger: str = "",
) -> Caller:
    """The caller, from the parts that each kind of telling has in places of its own.

    `channel` has an `id` and perhaps a `name`; without an id, it is the person's own
    conversation with the bot.
    """
    place = str(channel.get("id") or user)
    return Caller(
        team,
        user,
        place,
        delivery.id,
        delivery.received_at,
        is_repeat=delivery.attempts > 1 or delivery.is_last,
        is_last=delivery.is_last,
        channel_name=str(channel.get("name") or ""),
        thread=thread,
        trigger=trigger,
        is_private=place.startswith(("D", "U", "W")),
    )
