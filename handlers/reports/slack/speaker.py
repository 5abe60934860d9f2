"""Says one thing of a deployment in one place in Slack, and keeps what is there."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from bot.services.slack import GONE, NOT_OURS, TOO_MUCH, Message, Posted, SlackRefusedError
from handlers.reports.slack.marks import MOST_AGAIN, Marks, Part
from handlers.reports.slack.origin import Place

LOG = logging.getLogger(__name__)


class Workspace(Protocol):
    """What the reports ask of Slack; bot.services.slack.Slack does it, with its errors."""

    def reserve_post(self, channel: str) -> bool:
        """Take a place for a message under the limits, where one is free now."""

    def reserve_update(self, spare: int = 0) -> bool:
        """Likewise for an edit, where `spare` more are left."""

    async def post(
        self,
        channel: str,
        message: Message,
        *,
        identity: str,
        thread: str | None = None,
        broadcast: bool = False,
        reserved: bool = False,
    ) -> Posted:
        """Write a message; one of the same identity is not written again."""

    async def update(self, at: Posted, message: Message, *, reserved: bool = False) -> bool:
        """Show this instead; False where it is gone."""

    async def upload(self, name: str, content: bytes) -> str:
        """Bring a file to Slack; its id."""

    async def share(self, file: str, title: str, at: Posted) -> None:
        """Show it in a message's thread."""


@dataclass(frozen=True)
class Log:
    """A file to show."""

    name: str
    title: str
    content: bytes


class Speaker:
    """One deployment's voice in one place. What is begun is noted first."""

    def __init__(
        self,
        slack: Workspace,
        deployment: str,
        place: Place,
        marks: Marks,
        keep: Callable[[Marks], Awaitable[None]],
    ) -> None:
        self.marks = marks
        self._slack = slack
        self._deployment = deployment
        self._place = place
        self._keep_on_disk = keep

    @property
    def channel(self) -> str:
        """Where the next message goes."""
        if self.marks.channel:
            return self.marks.channel
        if self.marks.elsewhere and self._place.instead:
            return self._place.instead
        return self._place.channel

    def reserve(self, part: Part, spare: int) -> bool:
        """Whether the limits allow to say it now; if so, it is to be said.

        An edit has to leave `spare` others.
        """
        if part is Part.LOG:
            return True
        if part is Part.MESSAGE and self.marks.is_there:
            return self._slack.reserve_update(spare)
        return self._slack.reserve_post(self.channel)

    async def show(self, message: Message, text: str) -> None:
        """Write the message or change it; `text` is its fingerprint. Errors: those of Slack."""
        try:
            await self._show(message, text, reserved=True)
        except SlackRefusedError as refused:
            if refused.error not in TOO_MUCH:
                raise
            LOG.warning("a message is shown as plain text: %s", refused)
            # Refused is not written: what comes now is the first.
            await self._keep(replace(self.marks, tried=self.marks.is_there))
            await self._show(Message(message.text), text, reserved=False)

    async def _show(self, message: Message, text: str, *, reserved: bool) -> None:
        if self.marks.is_there:
            at = Posted(self.marks.channel, self.marks.ts)
            if await self._slack.update(at, message, reserved=reserved):
                await self._keep(replace(self.marks, said=text))
            else:
                await self._write_again()
            return
        was_tried = self.marks.tried
        if not was_tried:
            await self._keep(replace(self.marks, tried=True))
        try:
            posted = await self._slack.post(
                self.channel,
                message,
                identity=f"{self._deployment} {self.marks.generation}",
                thread=self._thread,
                reserved=reserved,
            )
        except SlackRefusedError as refused:
            if refused.error in GONE:
                await self._write_again()
            elif refused.error in NOT_OURS and self._place.instead and not self.marks.elsewhere:
                await self._keep(replace(self.marks, elsewhere=True, channel="", tried=False))
            else:
                raise
            return
        # What was written by an attempt before may be older.
        said = "" if was_tried else text
        await self._keep(replace(self.marks.at(posted.channel, posted.ts), said=said))

    async def tell(self, part: Part, message: Message, *, broadcast: bool) -> None:
        """Answer in the thread, once for each part. Errors: those of Slack."""
        thread = self._thread or self.marks.ts
        try:
            await self._post(message, part, thread=thread, broadcast=broadcast)
        except SlackRefusedError as refused:
            if refused.error not in NOT_OURS or not self._place.instead or self.marks.elsewhere:
                raise
            # The bot was taken out of the channel meanwhile: who asked hears it all the same.
            identity = f"{self._deployment} {part} instead"
            await self._slack.post(self._place.instead, message, identity=identity)
        await self._keep(self.marks.having(part))

    async def announce(self, message: Message) -> None:
        """Tell news once: below the message where there is one, and in the channel in any case."""
        thread = (self._thread or self.marks.ts) or None
        posted = await self._post(message, Part.NEWS, thread=thread, broadcast=thread is not None)
        channel = self.marks.channel or posted.channel
        await self._keep(replace(self.marks.having(Part.NEWS), channel=channel))

    async def _post(
        self, message: Message, part: Part, *, thread: str | None, broadcast: bool
    ) -> Posted:
        """Write what is said once, as plain text where Slack takes no more."""
        post = partial(
            self._slack.post,
            self.channel,
            identity=f"{self._deployment} {part}",
            thread=thread,
            broadcast=broadcast,
        )
        try:
            return await post(message, reserved=True)
        except SlackRefusedError as refused:
            if refused.error not in TOO_MUCH or not message.blocks:
                raise
            LOG.warning("the %s of %s is told as plain text: %s", part, self._deployment, refused)
        return await post(Message(message.text), reserved=False)

    async def attach(self, log: Log) -> None:
        """Show a file in the thread, once. Errors: those of Slack."""
        if not self.marks.uploading:
            await self._keep(replace(self.marks, uploading=True))
        if not self.marks.file:
            file = await self._slack.upload(log.name, log.content)
            await self._keep(replace(self.marks, file=file))
        was_begun = self.marks.sharing
        if not was_begun:
            await self._keep(replace(self.marks, sharing=True))
        at = Posted(self.marks.channel, self._thread or self.marks.ts)
        try:
            await self._slack.share(self.marks.file, log.title, at)
        except SlackRefusedError as refused:
            # A file is shown once: the first attempt, whose answer was lost, did it.
            if not was_begun or refused.is_of_token:
                raise
        await self._keep(self.marks.having(Part.LOG))

    async def give_up(self, part: Part) -> None:
        """Slack will not take it: it is not tried again before the end."""
        await self._keep(self.marks.refusing(part))

    async def forgive(self) -> None:
        """What was refused is tried once more."""
        if self.marks.refused:
            await self._keep(replace(self.marks, refused=frozenset()))

    @property
    def _thread(self) -> str | None:
        return None if self.marks.elsewhere else self._place.thread

    async def _write_again(self) -> None:
        """Somebody has deleted it."""
        if self.marks.generation >= MOST_AGAIN:
            await self.give_up(Part.MESSAGE)
        else:
            await self._keep(self.marks.without())

    async def _keep(self, marks: Marks) -> None:
        self.marks = marks
        await self._keep_on_disk(marks)
