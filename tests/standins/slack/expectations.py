"""What a test waits to see in Slack; where it does not come, the failure says what was seen."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from tests.standins import waiting
from tests.standins.slack.blocks import elements_of, text_of
from tests.standins.slack.lines import Lines
from tests.standins.slack.state import Channel, Ephemeral, File, Message, User, View
from tests.standins.slack.world import World

T = TypeVar("T")


class Expectations:
    """Each waits until it is so, and returns what it was waiting for."""

    world: World
    lines: Lines

    async def expect(
        self,
        what: str,
        look: Callable[[], T | None],
        seen: Callable[[], Iterable[object]],
        *,
        patience: float = waiting.PATIENCE,
    ) -> T:
        """Wait until `look` finds something; `seen` is told where it never does."""
        return await waiting.expect(self.world, what, look, seen, on="Slack", patience=patience)

    async def expect_message(
        self,
        channel: Channel,
        containing: str,
        *,
        thread: Message | None = None,
        patience: float = waiting.PATIENCE,
    ) -> Message:
        """A message of ours that shows this now, in the channel or in a message's thread."""
        return await self.expect(
            f"a message in #{channel.name} containing {containing!r}",
            lambda: next(
                (
                    each
                    for each in self.own_messages(channel)
                    if containing in each.shown
                    and (thread is None or each.thread == thread.ts)
                    and (thread is not None or each.thread is None or each.broadcast)
                ),
                None,
            ),
            lambda: [*self.own_messages(channel), *self.world.ephemerals],
            patience=patience,
        )

    async def expect_ephemeral(self, user: User, containing: str) -> Ephemeral:
        """Something that only this person sees."""
        return await self.expect(
            f"{user.name} seeing {containing!r}",
            lambda: next(
                (
                    each
                    for each in self.world.ephemerals
                    if each.user is user and containing in each.shown
                ),
                None,
            ),
            lambda: [*self.world.ephemerals, *self.world.messages],
        )

    async def expect_view(self, user: User, containing: str = "") -> View:
        """The modal that somebody has open."""
        return await self.expect(
            f"a modal of {user.name} containing {containing!r}",
            lambda: next(
                (
                    each
                    for each in reversed(self.world.views.values())
                    if each.user is user and each.is_open and containing in self.reads(each)
                ),
                None,
            ),
            lambda: [self.reads(each) for each in self.world.views.values()],
        )

    async def expect_home(self, user: User, containing: str = "") -> View:
        """What somebody's App Home shows."""

        def look() -> View | None:
            home = self.world.homes.get(user.id)
            return home if home is not None and containing in self.reads(home) else None

        return await self.expect(
            f"the Home of {user.name} containing {containing!r}",
            look,
            lambda: [self.reads(each) for each in self.world.homes.values()],
        )

    async def expect_file(self, channel: Channel, name: str) -> File:
        """A file that is shown in a channel or in one of its threads."""
        return await self.expect(
            f"a file {name} in #{channel.name}",
            lambda: next(
                (
                    file
                    for message in self.messages(channel)
                    for file in message.files
                    if file.name == name
                ),
                None,
            ),
            lambda: [each.name for each in self.world.files.values()],
        )

    async def expect_connection(self, count: int = 1) -> None:
        """So many sockets of the app."""
        await self.expect(
            f"{count} sockets",
            lambda: True if len(self.lines.sockets) == count else None,
            lambda: [f"{len(self.lines.sockets)} sockets"],
        )

    def messages(self, channel: Channel) -> list[Message]:
        """Those that are there, oldest first, with those in threads."""
        return [
            each for each in self.world.messages if each.channel is channel and not each.deleted
        ]

    def own_messages(self, channel: Channel) -> list[Message]:
        """Those by us."""
        bot = self.world.app.bot_user
        return [each for each in self.messages(channel) if each.user == bot]

    def reads(self, view: View) -> str:
        """What people read in a view."""
        title = view.content.get("title", {}).get("text", "")
        return f"{title}\n{text_of(view.blocks)}"

    def buttons(self, on: Message | Ephemeral | View) -> list[str]:
        """The action ids of what can be acted upon."""
        return [each["action_id"] for _, each in elements_of(on.blocks)]
