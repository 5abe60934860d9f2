"""A notice about a lock, as a direct message."""

from bot.domain.lock import Notice
from bot.redact import Redactor
from bot.services.slack import Message, Slack
from bot.store.identities import Identities
from handlers.commands.told import rich
from handlers.reports.locks import notice_line
from handlers.reports.slack.blocks import section
from handlers.reports.slack.safe import Safe


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
