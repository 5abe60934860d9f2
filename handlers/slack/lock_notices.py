"""A notice about a lock, as a direct message or in a channel."""

import logging
from collections.abc import Awaitable, Callable, Sequence

from bot.domain.lock import Notice
from bot.redact import Redactor
from bot.services.slack import Message, Slack, SlackRefusedError
from bot.store.identities import Identities
from handlers.commands.told import rich
from handlers.reports.locks import notice_line
from handlers.reports.slack.blocks import section
from handlers.reports.slack.safe import Safe

LOG = logging.getLogger(__name__)

FindChannels = Callable[[str, str | None], Awaitable[Sequence[str]]]
"""Of a repository's environment, or of all."""


class DirectMessages:
    """Tells those who took a lock in Slack, and whose login is joined with a user there."""

    def __init__(
        self, slack: Slack, identities: Identities, redactor: Redactor, *, word: str = "/pachops"
    ) -> None:
        self._slack = slack
        self._identities = identities
        self._safe = Safe(redactor)
        self._word = word
        self._team: str | None = None

    async def tell(self, notice: Notice) -> bool:
        """Write to the owner; False where they are not known here. Errors: those of Slack."""
        owner = notice.lock.owner
        login = (owner.account or "").removeprefix("github:")
        if owner.surface != "slack" or not login:
            return False
        if self._team is None:
            self._team = (await self._slack.login()).team
        identity = await self._identities.of_login(self._team, login)
        if identity is None:
            return False
        text = rich(notice_line(notice, self._word), self._safe)
        message = Message(text, [section(text)])
        await self._slack.post(
            identity.slack.user, message, identity=f"lock:{notice.number}:{notice.kind}"
        )
        return True


class ChannelMessages:
    """Tells, by their name, those who are reached nowhere else: who locked at a terminal."""

    def __init__(
        self,
        slack: Slack,
        find_channels: FindChannels,
        redactor: Redactor,
        *,
        word: str = "/pachops",
    ) -> None:
        self._slack = slack
        self._find_channels = find_channels
        self._safe = Safe(redactor)
        self._word = word

    async def tell(self, notice: Notice) -> bool:
        """Write in the environment's channels; False where there are none. Errors: Slack's, git's."""
        lock = notice.lock
        at_terminal = ("pachops", "--to ")
        line = notice_line(notice, *(at_terminal if lock.owner.surface == "cli" else (self._word,)))
        text = f"{self._safe.text(lock.owner.name)}: {rich(line, self._safe)}"
        message, identity = Message(text, [section(text)]), f"lock:{notice.number}:{notice.kind}"
        is_told = False
        for channel in await self._find_channels(lock.repository, lock.environment):
            try:
                await self._slack.post(channel, message, identity=identity)
                is_told = True
            except SlackRefusedError as refused:
                if refused.is_of_token:
                    raise
                # The other channels may take it.
                LOG.warning("%s is not told of a lock: %s", channel, refused)
        return is_told
