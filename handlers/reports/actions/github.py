"""A step's reports on GitHub beside its own run, as far as its token lets it."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.domain.deployment import Deployment
from bot.domain.reasons import Code, StoppedError
from bot.services.github import RepositoryClient
from bot.store.database import Database
from bot.store.deployments import Deployments
from bot.store.progress import ProgressLog
from bot.store.reports import Reports
from handlers.reports.actions import words
from handlers.reports.actions.log import ActionsLog
from handlers.reports.github.marks import Mark, Marks, Ration
from handlers.reports.github.origin import ORIGIN, Origin
from handlers.reports.github.plan import plan_marker
from handlers.reports.github.reporter import SETTLED, Desk, Follower, Pace

LOG = logging.getLogger(__name__)

LAST_WORDS = 60.0
"""Seconds that GitHub may take to hear how it ended."""
_MARKS = {
    "comment": frozenset({Mark.COMMENT}),
    "deployment": frozenset({Mark.DEPLOYMENT, Mark.STATUS}),
    "check": frozenset({Mark.CHECK}),
}


@dataclass(frozen=True)
class OnGitHub:
    """Tells the pull request and the repository; what fails is said in the step's own log."""

    repository: RepositoryClient
    report: ActionsLog
    kinds: Collection[str]
    """Of _MARKS: what is wanted."""
    origin: Origin
    page: str
    """The run's."""

    @asynccontextmanager
    async def telling(self, database: Database, deployment: Deployment) -> AsyncIterator[None]:
        """Keep GitHub in step meanwhile, and in the end until it has heard of it.

        Of this deployment alone: others in a shared database are told of by whoever serves it.
        """
        if not self.kinds:
            yield
            return
        follower = self._follower(database, deployment)
        ended = asyncio.Event()
        task = asyncio.create_task(_follow(follower, ended))
        try:
            yield
        finally:
            ended.set()
            await self._hear_out(task)
            self._tell_refused(follower.marks)

    async def tell_plan(self, markdown: str, environment: str) -> None:
        """Keep one comment with the newest plan for the environment on the pull request."""
        number = self.origin.pull_request
        if number is None or "comment" not in self.kinds:
            return
        try:
            async with asyncio.timeout(LAST_WORDS):
                await self._put(number, markdown, plan_marker(environment))
        except (StoppedError, TimeoutError) as error:
            LOG.warning("the plan was not written on GitHub: %s", error)
            refused = isinstance(error, StoppedError) and error.reason.code is Code.GITHUB_REFUSED
            self.report.note(words.not_permitted(["comment"]) if refused else words.NOT_TOLD)

    async def _put(self, number: int, body: str, marker: str) -> None:
        known = await self.repository.find_comment(number, marker)
        if known is None or not await self.repository.edit_comment(known, body, marker=marker):
            await self.repository.create_comment(number, body, marker=marker)

    def _follower(self, database: Database, deployment: Deployment) -> Follower:
        marks = frozenset[Mark]().union(*(_MARKS[each] for each in self.kinds))
        desk = Desk(
            Deployments(database),
            ProgressLog(database),
            Reports(database, origin=ORIGIN, settled=SETTLED),
            self.report.safe,
            lambda _origin: self.repository,
            lambda _deployment: self.page,
            Pace(),
            Ration(marks=marks),
            time.time,
        )
        return Follower(desk, 0, deployment, self.origin, Marks())

    async def _hear_out(self, task: "asyncio.Task[None]") -> None:
        done, _ = await asyncio.wait({task}, timeout=LAST_WORDS)
        if not done:
            task.cancel()
            await asyncio.wait({task})
            self.report.warn(words.NOT_TOLD)
        elif error := task.exception():
            LOG.error("the reports failed", exc_info=error)
            self.report.warn(words.NOT_TOLD)

    def _tell_refused(self, marks: Marks) -> None:
        """A job's token has only what its `permissions:` say."""
        missing = [name for name, each in _MARKS.items() if each & marks.refused]
        if missing:
            self.report.note(words.not_permitted(missing))


async def _follow(follower: Follower, ended: asyncio.Event) -> None:
    """Keep GitHub in step, to the end and a little beyond."""
    pause = Pace().look
    while not await follower.step(is_first=True):
        if ended.is_set():
            await asyncio.sleep(pause)
            continue
        try:
            async with asyncio.timeout(pause):
                await ended.wait()
        except TimeoutError:
            continue
