"""Follows the deployments that were asked for on GitHub and keeps GitHub in step with them."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from bot.domain.deployment import Deployment
from bot.domain.reasons import Code, StoppedError
from bot.redact import Redactor
from bot.store.database import Database
from bot.store.deployments import Deployments
from bot.store.progress import ProgressLog
from bot.store.reports import Owed, Reports
from handlers.reports.board import Board
from handlers.reports.github.marks import MARKS, NORMAL, Mark, Marks, Ration, due, wanted
from handlers.reports.github.origin import ORIGIN, Origin
from handlers.reports.github.repository import Repository
from handlers.reports.github.safe import Safe
from handlers.reports.github.speaker import Speaker
from handlers.reports.github.wording import Wording
from handlers.reports.view import View

SETTLED = "github_settled"
"""The fact of a deployment of which all was said."""

LOG = logging.getLogger(__name__)
_BATCH = 1000
_LOOK_BACK = 200
"""How many newer deployments there may be before one's origin is noted."""


@dataclass(frozen=True)
class Pace:
    """Seconds between the parts of a report."""

    look: float = 1.0
    """Between two looks at the progress."""
    quiet: float = 2.0
    """Before the first words: what ends at once is told of once."""
    edit: float = 15.0
    """Between two edits while it runs."""
    retry: float = 5.0
    """After a failure, doubled with each further one."""
    longest_retry: float = 300.0
    give_up: float = 3 * 86_400.0
    """After the end of a deployment of which GitHub could not be told."""


@dataclass(frozen=True)
class Desk:
    """What the reports are made with."""

    deployments: Deployments
    progress: ProgressLog
    reports: Reports
    safe: Safe
    repository: Callable[[Origin], Repository]
    page: Callable[[str], str | None]
    pace: Pace
    ration: Ration
    clock: Callable[[], float]
    word: str = "/pachops"


class GitHubReports:
    """Every deployment's reports on GitHub, until it is cancelled.

    Nothing waits for it. What GitHub could not be told is told later, as it is then; after a
    restart it goes on where it was.
    """

    def __init__(  # noqa: PLR0913 - all but three have a default
        self,
        database: Database,
        redactor: Redactor,
        repository: Callable[[Origin], Repository],
        *,
        page: Callable[[str], str | None] = lambda _deployment: None,
        word: str = "/pachops",
        pace: Pace = Pace(),
        ration: Ration = NORMAL,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`page` has the URL of a deployment's page, where there is one; `word` begins commands."""
        self._desk = Desk(
            Deployments(database),
            ProgressLog(database),
            Reports(database, origin=ORIGIN, settled=SETTLED),
            Safe(redactor),
            repository,
            page,
            pace,
            ration,
            clock,
            word,
        )
        self._followers: dict[str, Follower] = {}
        self._after = 0
        self._failing = False

    async def run(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                for follower in await self._found():
                    group.create_task(self._follow(follower))
                await asyncio.sleep(self._desk.pace.look)

    async def look(self) -> None:
        """One round, for those who do not stay."""
        await self._found()
        for follower in tuple(self._followers.values()):
            await self._step(follower)

    @property
    def is_idle(self) -> bool:
        """Whether all that is known was said to its end."""
        return not self._followers

    async def _follow(self, follower: "Follower") -> None:
        settled = await self._step(follower)
        while not settled:
            await asyncio.sleep(self._desk.pace.look)
            settled = await self._step(follower)

    async def _step(self, follower: "Follower") -> bool:
        """Whether nothing is left to say."""
        try:
            settled = await follower.step(is_first=self._is_first(follower))
        except Exception:
            # One deployment's report must not end those of the others.
            LOG.exception("the report of %s failed and will be tried again", follower.identity)
            follower.wait()
            return False
        if settled:
            self._followers.pop(follower.identity, None)
        return settled

    def _is_first(self, follower: "Follower") -> bool:
        """Whether the comment is its own; those before it have still to say their end in it."""
        return all(
            other.number >= follower.number or other.place != follower.place
            for other in self._followers.values()
        )

    async def _found(self) -> list["Follower"]:
        """Those that were not followed before."""
        try:
            newest = await self._desk.reports.newest_number()
            owed = await self._desk.reports.owed(self._after, self._followers)
            new = [await self._follower(each) for each in owed]
        except Exception:
            # Whoever serves the reports serves other things too, which must go on.
            if not self._failing:
                LOG.exception("the deployments to report on GitHub could not be read")
            self._failing = True
            return []
        self._failing = False
        self._after = max(self._after, newest - _LOOK_BACK)
        followers = [each for each in new if each is not None]
        self._followers |= {each.identity: each for each in followers}
        return followers

    async def _follower(self, owed: Owed) -> "Follower | None":
        deployment = await self._desk.deployments.get(owed.deployment)
        if deployment is None:
            return None
        stored = await self._desk.deployments.load(owed.deployment, MARKS)
        try:
            origin, marks = Origin.from_json(owed.origin), Marks.from_json(stored)
        except ValidationError:
            # Written by another version: no reason to be silent about all the others.
            LOG.exception("what is noted of %s cannot be read, it is not reported", deployment.id)
            return None
        return Follower(self._desk, owed.number, deployment, origin, marks)


class Follower:
    """One deployment's reports."""

    def __init__(
        self, desk: Desk, number: int, deployment: Deployment, origin: Origin, marks: Marks
    ) -> None:
        self.number = number
        self.identity = deployment.id
        self.place = (deployment.request.target, origin.pull_request or deployment.id)
        self._desk = desk
        self._deployment = deployment
        self._origin = origin
        self._speaker = Speaker(
            origin, desk.repository(origin), desk.deployments, desk.reports, marks
        )
        self._board = Board()
        self._read_to = 0
        self._since = desk.clock()
        self._spoke_at = self._since
        self._not_before = self._since
        self._failures = 0
        self._has_ended = False

    @property
    def marks(self) -> Marks:
        """What GitHub has of it."""
        return self._speaker.marks

    async def step(self, *, is_first: bool) -> bool:
        """Say what is new; whether nothing is left to say. Errors: those of the database."""
        await self._read()
        view = View(self._deployment, self._board, self._desk.page(self.identity), self._desk.word)
        now = self._desk.clock()
        if now < self._not_before:
            return False
        if view.end is None and now - self._since < self._desk.pace.quiet:
            return False
        if view.end is not None and not self._has_ended:
            await self._speaker.forgive(view)
            self._has_ended = True
        said_all = await self._say(view, is_first=is_first, now=now)
        if view.end is None or not (said_all or self._is_too_late(now)):
            return False
        await self._desk.deployments.save(self.identity, SETTLED, value=True)
        return True

    def wait(self) -> None:
        """After a failure, the longer the more there were."""
        pace = self._desk.pace
        pause = min(pace.retry * 2 ** min(self._failures, 16), pace.longest_retry)
        self._failures += 1
        self._not_before = self._desk.clock() + pause

    async def _read(self) -> None:
        while batch := await self._desk.progress.read(self.identity, self._read_to, _BATCH):
            for number, at, event in batch:
                self._board = self._board.after(at, event)
                self._read_to = number
            if self._board.planned and not self._deployment.request.is_commit_known:
                found = await self._desk.deployments.get(self.identity)
                self._deployment = found or self._deployment
            if len(batch) < _BATCH:
                return

    async def _say(self, view: View, *, is_first: bool, now: float) -> bool:
        """Whether all was said that there is to say now."""
        wording = Wording(view, self._desk.safe)
        marks = [
            mark
            for mark in wanted(view, self._origin)
            if mark in self._desk.ration.marks and (is_first or mark is not Mark.COMMENT)
        ]
        found = due(
            {mark: wording.of(mark) for mark in marks},
            self._speaker.marks,
            self._desk.ration.for_view(view),
            at_once=view.end is not None or view.asks_for_approval,
            edits=now - self._spoke_at >= self._desk.pace.edit,
        )
        self._spoke_at = now if found else self._spoke_at
        # The status needs it.
        first = [mark for mark in found if mark is Mark.DEPLOYMENT]
        rest = [mark for mark in found if mark is not Mark.DEPLOYMENT]
        if not await self._try_each(first, wording):
            return False
        said = await self._try_together(rest, wording)
        if said is None or not await self._try_each(
            [each for each in rest if each not in said], wording
        ):
            return False
        return is_first or self._origin.pull_request is None

    async def _try_each(self, marks: Sequence[Mark], wording: Wording) -> bool:
        """Whether there is a point in going on."""
        for mark in marks:
            if not await self._try(mark, wording):
                return False
        return True

    async def _try_together(
        self, marks: Sequence[Mark], wording: Wording
    ) -> frozenset[Mark] | None:
        """Those that were said in one call; None where there is no point in going on.

        After a failure each is said by itself: what GitHub takes so it may not take together.
        """
        if self._failures:
            return frozenset()
        try:
            return await self._speaker.say_together(marks, wording)
        except StoppedError as error:
            LOG.warning("several marks of %s were not written: %s", self.identity, error)
            if error.reason.code is not Code.GITHUB_REFUSED:
                self.wait()
                return None
            return frozenset()

    async def _try(self, mark: Mark, wording: Wording) -> bool:
        """Whether there is a point in going on."""
        try:
            await self._speaker.say(mark, wording)
        except StoppedError as error:
            LOG.warning("the %s of %s was not written: %s", mark, self.identity, error)
            if error.reason.code is not Code.GITHUB_REFUSED:
                self.wait()
                return False
            await self._speaker.give_up(mark, wording.view)
        self._failures = 0
        return True

    def _is_too_late(self, now: float) -> bool:
        ended_at = self._board.finished_at
        return ended_at is not None and now - ended_at > self._desk.pace.give_up
