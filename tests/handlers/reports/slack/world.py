"""One bot and one Slack, with a clock that both share and that is put forward by hand."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from bot.domain.changes import Changes
from bot.domain.deployment import Actor, Commit, Deployment, Kind, Outcome, Request, Stage, Trigger
from bot.domain.progress import Ended, Progress, StageFinished, StageStarted
from bot.domain.reasons import MEANINGS, Code, Reason
from bot.redact import Redactor
from bot.services.slack import Slack
from bot.store.database import Database
from bot.store.deployments import Deployments, insert
from bot.store.progress import ProgressLog
from handlers.reports.release import RELEASE, Release
from handlers.reports.slack.follower import Lookups
from handlers.reports.slack.message import Approvers
from handlers.reports.slack.origin import ORIGIN, Asked, Heard, Origin
from handlers.reports.slack.reporter import SlackReports
from tests.migrated import migrated
from tests.standins.slack.clock import Clock
from tests.standins.slack.server import SlackServer
from tests.standins.slack.state import Channel, Message, User
from tests.standins.slack.time import Time

SHA = "3f9c2a1b7d4e5f60718293a4b5c6d7e8f9012345"
SECRET = "hunter2hunter2"
BROKEN = Reason(
    Code.BUILD_FAILED,
    "pip ended with <exit code> 1",
    MEANINGS[Code.BUILD_FAILED].next_step,
    "Dockerfile:7",
)


class World:
    def __init__(self, database: Database, slack: SlackServer, time: Time) -> None:
        self.slack = slack
        self.time = time
        self.ann: User = slack.person("ann")
        self.ml: Channel = slack.channel("ml", self.ann)
        self.deployments = Deployments(database)
        self.progress = ProgressLog(database)
        self.database = database
        self.clients: list[Slack] = []
        self.approvers = Approvers()
        self.changes: Changes | None = None
        self.restart()

    def restart(self) -> None:
        """The bot's process ends, and another one begins."""
        token = SecretStr(self.slack.app.bot_token)
        client = Slack(token, base_url=self.slack.api_url, clock=self.time.clock)
        self.clients.append(client)
        self.reports = SlackReports(
            self.database,
            Redactor([SecretStr(SECRET)]),
            client,
            lookups=Lookups(find_changes=self._find_changes, find_approvers=self._find_approvers),
            clock=self.time.now,
        )

    async def _find_approvers(self, _deployment: Deployment) -> Approvers:
        return self.approvers

    async def _find_changes(self, _deployment: Deployment) -> Changes | None:
        return self.changes

    async def ask(
        self,
        identity: str = "d1",
        *,
        asked: bool = True,
        thread: str | None = None,
        channels: Sequence[str] = (),
        ref: str = "main",
        title: str = "Sharper edges",
        heard: Sequence[Heard] = (),
        release: Release | None = None,
    ) -> None:
        """Ann asks in #ml, or on GitHub."""
        request = Request(
            Kind.DEPLOY,
            "https://github.com/acme/vision.git",
            "staging",
            Commit(SHA, ref, "main", title),
            Trigger.SLACK if asked else Trigger.PUSH,
            Actor("ann", "slack" if asked else "github"),
            release=release.tag if release else None,
        )
        deployment = Deployment(identity, request)
        await self.database.write(lambda connection: insert(connection, deployment))
        told = Asked(self.ml.id, self.ann.id, self.ml.name, thread) if asked else None
        origin = Origin(told, tuple(channels), tuple(heard))
        if release is not None:
            await self.deployments.save(identity, RELEASE, release.to_json())
        await self.deployments.save(identity, ORIGIN, origin.to_json())

    async def happens(self, *events: Progress, to: str = "d1") -> None:
        await self.progress.append(to, [(self.time.now(), event) for event in events])

    async def ends(
        self, outcome: Outcome = Outcome.SUCCEEDED, reason: Reason | None = None, of: str = "d1"
    ) -> None:
        await self.deployments.finish(of, outcome, reason)

    async def passes(self, seconds: float = 5.0) -> None:
        """Time goes by, and the reports look; often enough for all parts."""
        for _ in range(5):
            await self.reports.look()
            self.time.passes(seconds / 5)
        await self.reports.look()

    async def runs(self, stage: Stage = Stage.BUILD) -> Message:
        """Asked for, and a stage begun; the message."""
        await self.ask()
        await self.happens(StageStarted(stage))
        await self.passes()
        return self.message()

    def message(self, channel: Channel | None = None) -> Message:
        """The one message of a channel that is in no thread."""
        found = [each for each in self.slack.own_messages(channel or self.ml) if not each.thread]
        (message,) = found
        return message

    def thread(self, channel: Channel | None = None) -> list[Message]:
        """What is in its thread."""
        ts = self.message(channel).ts
        return [each for each in self.slack.own_messages(channel or self.ml) if each.thread == ts]


def done(stage: Stage) -> list[Progress]:
    return [StageStarted(stage), StageFinished(stage, Ended.SUCCEEDED, 1.0)]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[World]:
    time = Time()
    database = await Database.open(migrated(folder / "pachops.db"))
    try:
        async with SlackServer(clock=Clock(time.now)) as slack:
            world = World(database, slack, time)
            try:
                yield world
            finally:
                for client in world.clients:
                    await client.close()
    finally:
        await database.close()
