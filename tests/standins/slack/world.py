"""Everything that this Slack knows."""

import asyncio
import itertools
import re
from dataclasses import dataclass, field

from tests.standins.slack.app import App
from tests.standins.slack.blocks import text_of
from tests.standins.slack.clock import Clock
from tests.standins.slack.errors import SlackError
from tests.standins.slack.limits import Limits
from tests.standins.slack.state import (
    Block,
    Channel,
    Ephemeral,
    File,
    Group,
    Message,
    User,
    View,
)

TRIGGER_LIFE = 3.0
"""Seconds that a click may open a modal."""
RESPONSE_LIFE, RESPONSE_USES = 1800.0, 5


@dataclass(eq=False)
class Trigger:
    """What a click or a command gives: one modal, at once."""

    user: User
    at: float
    used: bool = False
    view: View | None = None
    """The modal in which somebody clicked."""


@dataclass(eq=False)
class Response:
    """A response_url."""

    channel: Channel
    user: User
    at: float
    message: Message | None = None
    uses: int = 0


@dataclass
class World:
    """The state; every change of it tells those who wait for something."""

    app: App
    clock: Clock = field(default_factory=Clock)
    limits: Limits = field(default_factory=Limits)
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    ephemerals: list[Ephemeral] = field(default_factory=list)
    views: dict[str, View] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    responses: dict[str, Response] = field(default_factory=dict)
    tickets: set[str] = field(default_factory=set)
    """Addresses of sockets that nobody has connected to yet."""
    root: str = ""
    """The server's address."""

    def __post_init__(self) -> None:
        self._ids = itertools.count(1001)
        self.changed = asyncio.Condition()
        bot = User(self.app.bot_user, self.app.name, "", is_bot=True)
        self.users[bot.id] = bot

    def new_id(self, kind: str) -> str:
        """An id that nothing else has: `C01001`."""
        return f"{kind}0{next(self._ids)}"

    def channel(self, named: str) -> Channel:
        """By its id, its name, or the id of who the direct messages are with."""
        found = self.channels.get(named)
        if found is None and named in self.users:
            return self.direct(self.users[named])
        name = named.removeprefix("#")
        found = found or next((each for each in self.channels.values() if each.name == name), None)
        if found is None or (found.private and self.app.bot_user not in found.members):
            raise SlackError("channel_not_found")
        return found

    def direct(self, user: User) -> Channel:
        """The direct messages of the bot with somebody."""
        for each in self.channels.values():
            if each.direct is user:
                return each
        made = Channel(
            self.new_id("D"), f"dm-{user.name}", members={user.id, self.app.bot_user}, direct=user
        )
        self.channels[made.id] = made
        return made

    def user(self, named: str) -> User:
        """By id."""
        if named not in self.users:
            raise SlackError("user_not_found")
        return self.users[named]

    def message(self, channel: Channel, ts: str) -> Message:
        """A message that is there."""
        for each in self.messages:
            if each.channel is channel and each.ts == ts and not each.deleted:
                return each
        raise SlackError("message_not_found")

    def show(self, message: Message) -> None:
        """Note what people see of it from now on."""
        message.history.append(text_of(message.blocks, message.text))
        message.changed_at.append(self.clock.now())

    def whisper(
        self,
        channel: Channel,
        user: User,
        text: str,
        blocks: list[Block] | None = None,
        thread: str | None = None,
    ) -> Ephemeral:
        """Show something to one person."""
        made = Ephemeral(channel, user, text, blocks or [], thread, text_of(blocks or [], text))
        self.ephemerals.append(made)
        return made

    def new_trigger(self, user: User, view: View | None = None) -> str:
        """For one modal within three seconds."""
        identity = f"{next(self._ids)}.trigger"
        self.triggers[identity] = Trigger(user, self.clock.now(), view=view)
        return identity

    def use_trigger(self, identity: str) -> Trigger:
        """The click that may open a modal now."""
        found = self.triggers.get(identity)
        if found is None:
            raise SlackError("invalid_trigger_id")
        if found.used:
            raise SlackError("exchanged_trigger_id")
        if self.clock.now() - found.at > TRIGGER_LIFE:
            raise SlackError("expired_trigger_id")
        found.used = True
        return found

    def new_response(self, channel: Channel, user: User, message: Message | None = None) -> str:
        """A response_url."""
        identity = f"r{next(self._ids)}"
        self.responses[identity] = Response(channel, user, self.clock.now(), message)
        return f"{self.root}/response/{identity}"

    def use_response(self, identity: str) -> Response:
        """What it answers to."""
        found = self.responses.get(identity)
        if found is None:
            raise SlackError("invalid_url")
        if self.clock.now() - found.at > RESPONSE_LIFE or found.uses >= RESPONSE_USES:
            raise SlackError("expired_url")
        found.uses += 1
        return found

    async def tell(self) -> None:
        """Let those look who wait for something."""
        async with self.changed:
            self.changed.notify_all()


def notifies(text: str) -> set[str]:
    """Whom a text makes Slack notify: ids of users and groups, `channel`, `here`, `everyone`."""
    found = re.findall(r"<(?:@([UW][A-Z0-9]+)|!(?:subteam\^([A-Z0-9]+)|([a-z]+)))[^>]*>", text)
    return {part for each in found for part in each if part}
