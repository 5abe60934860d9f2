"""The bot from a comment to its last word, of which a test says when each part is done."""

import time

from bot.domain.deployment import Outcome, Stage
from bot.domain.progress import (
    ApprovalNeeded,
    Ended,
    InLine,
    Progress,
    StageFinished,
    StageStarted,
    Voted,
)
from bot.domain.reasons import MEANINGS, Code, Reason
from bot.redact import Redactor
from bot.services.github import Clock
from bot.store.database import Database
from bot.store.progress import ProgressLog
from handlers.commands.second_look import SecondLook
from handlers.reports.github.marks import NORMAL, WITHOUT_APP
from handlers.reports.github.reporter import GitHubReports
from tests.handlers.github.world import World

BROKEN = Reason(
    Code.SPEC_INVALID, "it is not JSON", MEANINGS[Code.SPEC_INVALID].next_step, "a.json:7: input"
)


class Waits:
    """The client's time passes only while it waits, and then at once."""

    def __init__(self) -> None:
        self._now = 0.0

    async def sleep(self, seconds: float) -> None:
        self._now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self._now, self.sleep)


class Bot:
    """Reports on the one deployment of its world, and ends it."""

    def __init__(self, world: World, database: Database) -> None:
        self.world = world
        self._progress = ProgressLog(database)
        self._now = time.time()
        self._reports = GitHubReports(
            database,
            Redactor([]),
            lambda origin: world.client.for_repository(
                origin.owner, origin.name, origin.installation
            ),
            ration=NORMAL if world.client.is_app else WITHOUT_APP,
            clock=lambda: self._now,
        )

    async def waits_in_line(self) -> None:
        await self._happens(InLine(("before",)))

    async def builds(self) -> None:
        await self._happens(StageStarted(Stage.BUILD))
        await self._happens(StageFinished(Stage.BUILD, Ended.SUCCEEDED, 9.0))

    async def asks_for_approval(self, needed: int = 1) -> None:
        deployment = await self.world.only()
        asked = await self.world.waits_for_approval(deployment, needed)
        event = ApprovalNeeded(
            deployment.id,
            asked.sha,
            asked.digest,
            asked_by="ada",
            needed=needed,
            deadline=self._now + 3600.0,
            changes=(),
            reprocesses=False,
            running_jobs=0,
        )
        await self._happens(StageStarted(Stage.APPROVE), event)

    async def is_approved(self, by: tuple[str, ...] = ("grace",)) -> None:
        *before, last = (Voted(each, "github", approves=True) for each in by)
        for each in before:
            await self._happens(each)
        await self._happens(last, StageFinished(Stage.APPROVE, Ended.SUCCEEDED, 9.0))

    async def updates(self) -> None:
        deployment = await self.world.only()
        assert await SecondLook(self.world.desk)(deployment) == ()
        await self._happens(StageStarted(Stage.UPDATE))

    async def succeeds(self) -> None:
        await self._ends(Outcome.SUCCEEDED)

    async def fails(self) -> None:
        await self._ends(Outcome.FAILED, BROKEN)

    async def _ends(self, outcome: Outcome, reason: Reason | None = None) -> None:
        deployment = await self.world.only()
        await self.world.deployments.finish(deployment.id, outcome, reason)
        await self._passes()
        assert self._reports.is_idle

    async def _happens(self, *events: Progress) -> None:
        deployment = await self.world.only()
        await self._progress.append(deployment.id, [(self._now, each) for each in events])
        await self._passes()

    async def _passes(self) -> None:
        for _ in range(4):
            await self._reports.look()
            self._now += 60.0
