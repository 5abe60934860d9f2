"""Slack's and GitHub's stand-ins and the bot between them; nothing is built."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from bot.domain.deployment import Deployment
from bot.domain.reasons import Code, StoppedError
from bot.redact import Redactor
from bot.services.slack import Lines, Slack
from bot.store.database import Database
from bot.store.deliveries import Deliveries, Surface
from bot.store.identities import Identities, Proof, SlackUser
from bot.store.subscriptions import Subscriptions
from handlers.inbox import Inbox
from handlers.reports.slack.safe import Safe
from handlers.slack.desk import READABLE_SECONDS, Desk
from handlers.slack.events import Ear, handle
from handlers.slack.groups import SlackGroups
from handlers.slack.memory import Memory
from tests.handlers.github.world import PATIENCE, opened
from tests.handlers.github.world import World as GitHubWorld
from tests.standins.slack.server import SlackServer
from tests.standins.slack.state import Channel, User


class World:
    """What a test does and sees. `ada` is Slack's ann; `ml` is a channel with both her and the bot."""

    def __init__(self, github: GitHubWorld, slack: SlackServer, database: Database) -> None:
        self.github = github
        self.slack = slack
        self.identities = Identities(database)
        self.subscriptions = Subscriptions(database)
        self.deliveries = Deliveries(database)
        self.deployer = github.deployer
        self.deployments = github.deployments
        self.looked_again: list[str] = []
        self.is_locked = False
        """The database, where the reports would look again."""
        self.seconds = 0.0
        self.client = Slack(SecretStr(slack.app.bot_token), base_url=slack.api_url)
        self.desk = Desk(
            github=github.client,
            deployer=github.deployer,
            slack=self.client,
            safe=Safe(Redactor([])),
            identities=self.identities,
            subscriptions=self.subscriptions,
            locks=self.deployer.locks,
            groups=SlackGroups(self.client, self.identities, self._team, clock=self.now),
            readable=Memory(READABLE_SECONDS, self.now),
            look_again=self._look_again,
            page=lambda identity: f"https://pachops.example/deployments/{identity}",
        )
        self.inbox = Inbox(
            self.deliveries,
            partial(handle, self.desk),
            surface=Surface.SLACK,
            pauses=(0.01, 0.01, 0.01),
        )
        self.ann: User = slack.person("ann", "ann@acme.io")
        self.ml: Channel = slack.channel("ml", self.ann)

    async def _team(self) -> str:
        return self.slack.app.team

    def now(self) -> float:
        """By the clock of what is kept of Slack's answers."""
        return self.seconds

    async def _look_again(self, deployment: str) -> None:
        if self.is_locked:
            raise StoppedError(Code.DATABASE_IN_USE, "locked for 30 s")
        self.looked_again.append(deployment)

    async def links(self, user: User, login: str) -> None:
        """They have proven it before."""
        slack = SlackUser(self.slack.app.team, user.id)
        await self.identities.link(slack, login, Proof.CODE)

    async def settled(self) -> None:
        """Until everything that was told was handled."""
        async with asyncio.timeout(PATIENCE):
            while await self.deliveries.count_waiting():  # noqa: ASYNC110 - SQLite tells nobody
                await asyncio.sleep(0.01)

    async def types(self, user: User, line: str, channel: Channel | None = None) -> None:
        """A slash command, until it was handled."""
        await self.slack.types(user, line, channel or self.ml)
        await self.settled()

    async def asked(self) -> list[Deployment]:
        """The deployments, in the order asked."""
        return list(reversed(await self.deployments.list()))

    async def only(self) -> Deployment:
        """The one deployment that there is."""
        (deployment,) = await self.asked()
        return deployment


@asynccontextmanager
async def listening(folder: Path, database: Database) -> AsyncIterator[World]:
    """A bot that listens to Slack, over a socket, and to GitHub."""
    async with opened(folder, database) as github, SlackServer() as slack:
        world = World(github, slack, database)
        lines = Lines(
            SecretStr(slack.app.bot_token),
            Ear(world.deliveries, world.inbox.wake).take,
            base_url=slack.api_url,
        )
        works = [
            asyncio.create_task(world.inbox.run()),
            asyncio.create_task(lines.hold(SecretStr(slack.app.app_token))),
        ]
        try:
            await slack.expect_connection()
            yield world
        finally:
            for work in works:
                work.cancel()
            await asyncio.wait(works)
            await world.client.close()
