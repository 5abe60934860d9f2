"""One bot that reports to one repository on GitHub."""

import time
from dataclasses import replace

from pydantic import SecretStr

from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Outcome,
    Request,
    Stage,
    Trigger,
)
from bot.domain.progress import (
    Ended,
    Progress,
    StageFinished,
    StageStarted,
)
from bot.domain.reasons import MEANINGS, Code, Reason
from bot.redact import Redactor
from bot.store.database import Database
from bot.store.deployments import Deployments, insert
from bot.store.progress import ProgressLog
from handlers.reports.github.marks import Ration
from handlers.reports.github.origin import ORIGIN, Origin
from handlers.reports.github.reporter import GitHubReports
from tests.handlers.reports.github.fake import FakeRepository

SHA = "3f9c2a1b7d4e5f60718293a4b5c6d7e8f9012345"


COMMAND = 7


PULL_REQUEST = 12


BROKEN = Reason(
    Code.SPEC_INVALID, "it is not JSON", MEANINGS[Code.SPEC_INVALID].next_step, "a.json:7: input"
)


class World:
    """One bot, one repository on GitHub and a clock that is put forward by hand."""

    def __init__(self, database: Database) -> None:
        self.github = FakeRepository()
        self.deployments = Deployments(database)
        self._database = database
        self._progress = ProgressLog(database)
        self.now = time.time()
        self.ration = Ration(calls=30)
        self.restart()

    def restart(self) -> None:
        self.reports = GitHubReports(
            self._database,
            Redactor([SecretStr("hunter2hunter2")]),
            lambda _origin: self.github,
            ration=self.ration,
            clock=lambda: self.now,
        )

    async def ask(
        self,
        identity: str = "d1",
        *,
        pull_request: int | None = PULL_REQUEST,
        has_our_comments: bool = True,
        rollback: bool = False,
    ) -> None:
        request = Request(
            Kind.DEPLOY,
            "https://github.com/acme/vision.git",
            "staging",
            Commit(SHA, "main"),
            Trigger.COMMENT,
            Actor("ada", "github"),
        )
        if rollback:
            unknown = Commit("", "an earlier deployment")
            request = replace(request, kind=Kind.ROLLBACK, commit=unknown)
        deployment = Deployment(identity, request)
        await self._database.write(lambda connection: insert(connection, deployment))
        command = COMMAND if pull_request else None
        origin = Origin(
            "acme", "vision", 1, pull_request, command, has_our_comments=has_our_comments
        )
        await self.deployments.save(identity, ORIGIN, origin.to_json())

    async def runs(self) -> None:
        """It was asked for, and builds."""
        await self.ask()
        await self.happens(StageStarted(Stage.BUILD))
        await self.passes()

    async def happens(self, *events: Progress, to: str = "d1") -> None:
        await self._progress.append(to, [(self.now, event) for event in events])

    async def passes(self, seconds: float = 60.0) -> None:
        """Time goes by, and the reports look."""
        await self.reports.look()
        self.now += seconds
        await self.reports.look()

    async def ends(self, outcome: Outcome, reason: Reason | None = None, of: str = "d1") -> None:
        await self.deployments.finish(of, outcome, reason)

    def bodies(self) -> list[str]:
        return [comment.body for comment in self.github.comments.values()]


def done(stage: Stage) -> list[Progress]:
    return [StageStarted(stage), StageFinished(stage, Ended.SUCCEEDED, 1.0)]
