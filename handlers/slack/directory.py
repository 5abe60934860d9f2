"""Who people are in the one workspace of Slack that the token is for."""

import asyncio
import logging

from bot.domain.deployment import Actor
from bot.domain.reasons import StoppedError
from bot.services.slack import Slack
from bot.store.identities import Identities

LOG = logging.getLogger(__name__)

TEAM_SECONDS = 5.0
"""How long a report waits to learn which workspace it is for."""
TEAM_PAUSE = 60.0
"""After Slack did not say, before it is asked again."""


class Directory:
    """Who people are in the one workspace that the token is for."""

    def __init__(self, slack: Slack, identities: Identities) -> None:
        self._slack = slack
        self._identities = identities
        self._team = ""
        self._not_before = 0.0

    async def find_user(self, actor: Actor) -> str | None:
        """The Slack id of who asked on GitHub; None where that is not known."""
        if not actor.is_named_by_login or not await self._identities.has_login(actor.name):
            return None
        identity = await self._identities.of_login(await self.team(), actor.name)
        return identity.slack.user if identity else None

    async def team(self) -> str:
        """The workspace's id, asked for when it is first needed; empty where Slack is away."""
        loop = asyncio.get_running_loop()
        if not self._team and loop.time() >= self._not_before:
            try:
                async with asyncio.timeout(TEAM_SECONDS):
                    self._team = (await self._slack.login()).team
            except (StoppedError, TimeoutError) as error:
                # Everybody is told of by name meanwhile: reports do not wait for it again.
                LOG.warning("Slack does not say which workspace it is: %r", error)
                self._not_before = loop.time() + TEAM_PAUSE
        return self._team
