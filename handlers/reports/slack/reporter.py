"""Follows the deployments that are told of in Slack, and keeps their messages in step with them.

All of them share what Slack allows the workspace. Who has something new to say is asked again and
again; the places under the limits go to what people look at and to how deployments ended, and what
is said is made only then, so that it is the newest.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import ValidationError

from bot.domain.deployment import Actor, Deployment
from bot.domain.reasons import Code, StoppedError
from bot.redact import Redactor
from bot.services.slack import SlackRefusedError
from bot.store.database import Database
from bot.store.deployments import Deployments
from bot.store.progress import ProgressLog
from bot.store.reports import Owed, Reports
from handlers.reports.github.origin import ORIGIN as GITHUB
from handlers.reports.github.origin import Origin as GitHubOrigin
from handlers.reports.release import RELEASE, Release
from handlers.reports.slack.follower import NO_LOOKUPS, Follower, Known, Lookups
from handlers.reports.slack.jobs import Job, Rank, claim, rank
from handlers.reports.slack.marks import MARKS, Part, marks_from_json
from handlers.reports.slack.origin import ORIGIN, Origin
from handlers.reports.slack.safe import Safe
from handlers.reports.slack.speaker import Workspace

SETTLED = "slack_settled"
"""The fact of a deployment of which all was said."""

LOG = logging.getLogger(__name__)
_LOOK_BACK = 200
"""How many newer deployments there may be before one's origin is noted."""
_FAIR = 3
"""Every so many places one goes to whoever has waited longest; those nobody looks at, and which
are not over, have no claim to it."""
_SPARE = 6
"""Edits that those leave for what happens next."""


@dataclass(frozen=True)
class Pace:
    """Seconds between the parts of a report."""

    look: float = 0.5
    """Between two looks at the progress."""
    edit: float = 2.0
    """Between two edits of a message."""
    retry: float = 1.0
    """After Slack was silent, doubled with each further time."""
    longest_retry: float = 300.0
    mend: float = 30.0
    """After an error of our own."""
    give_up: float = 86_400.0
    """After the end of a deployment of which Slack could not be told."""


class SlackReports:
    """Every deployment's reports in Slack, until it is cancelled.

    Nothing waits for it. What could not be said is said later, as it is then; after a restart it
    goes on where it was.
    """

    def __init__(
        self,
        database: Database,
        redactor: Redactor,
        slack: Workspace,
        *,
        lookups: Lookups = NO_LOOKUPS,
        pace: Pace = Pace(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`lookups` has what the reports show beside what happened."""
        self._lookups = lookups
        self._slack = slack
        self._deployments = Deployments(database)
        self._progress = ProgressLog(database)
        self._reports = Reports(database, origin=ORIGIN, settled=SETTLED)
        self._safe = Safe(redactor)
        self._pace = pace
        self._clock = clock
        self._followers: dict[str, Follower] = {}
        self._after = 0
        self._failing = False
        self._given = 0
        self._said = 0
        """How many times Slack has taken something."""
        self._broken: dict[str, float] = {}
        """When deployments are looked at again with which something went wrong."""
        self._unreadable: set[str] = set()
        self._silent_until = 0.0
        self._silences = 0
        self._complained: set[tuple[str, str]] = set()
        """Of which channel and refusal the log has a warning."""

    async def run(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                for job in await self._round():
                    group.create_task(self._do(job))
                await asyncio.sleep(self._pace.look)

    async def look(self) -> None:
        """One round, for those who do not stay."""
        await asyncio.gather(*map(self._do, await self._round()))

    @property
    def is_idle(self) -> bool:
        """Whether all that is known was said to its end."""
        return not self._followers

    async def ends_told(self, *, silence: float, longest: float) -> bool:
        """Wait until how all has ended is told, while it runs, and logs were tried to be shown.

        False after so many seconds of `silence` in which Slack took nothing. What is left after
        `longest` is not waited for. Errors: those of the database.
        """
        now = asyncio.get_running_loop().time
        end, said, since = now() + longest, self._said, now()
        while True:
            ended = [each.deployment for each in await self._reports.owed() if each.has_ended]
            left = [self._followers.get(each) for each in ended if not self._is_broken(each)]
            if all(each is not None and each.is_left_with_logs for each in left):
                return True
            if said != self._said:
                said, since = self._said, now()
            if now() - since > silence:
                return all(each is not None and each.has_told_end for each in left)
            if now() > end:
                LOG.info("Slack is not told everything yet: left are %d deployments", len(left))
                return True
            await asyncio.sleep(self._pace.look)

    async def look_again(self, deployment: str) -> None:
        """A button of the deployment was used: its messages show it, also after the end.

        Errors: those of the database.
        """
        if deployment not in self._followers:
            origin = await self._deployments.load(deployment, ORIGIN)
            found = await self._follower(Owed(0, deployment, origin)) if origin else None
            if found is None:
                return
            self._followers.setdefault(deployment, found)
        self._followers[deployment].look_again()

    async def _round(self) -> list[Job]:
        """What is to be said now; its places under the limits are taken."""
        try:
            await self._find()
            await self._read()
        except Exception:
            # Whoever serves the reports serves other things too, which must go on.
            if not self._failing:
                LOG.exception("the deployments to report in Slack could not be read")
            self._failing = True
            return []
        self._failing = False
        now = self._clock()
        if now < self._silent_until:
            return []
        return self._choose(self._candidates(now))

    async def _find(self) -> None:
        newest = await self._reports.newest_number()
        for owed in await self._reports.owed(self._after, self._followers):
            if self._is_broken(owed.deployment):
                continue
            with self._alone(owed.deployment):
                follower = await self._follower(owed)
                if follower is None:
                    self._unreadable.add(owed.deployment)
                else:
                    self._followers[follower.identity] = follower
        self._after = max(self._after, newest - _LOOK_BACK)

    def _is_broken(self, deployment: str) -> bool:
        is_broken_now = self._clock() < self._broken.get(deployment, 0.0)
        return is_broken_now or deployment in self._unreadable

    @contextmanager
    def _alone(self, deployment: str) -> Iterator[None]:
        """What goes wrong with one deployment silences no other."""
        try:
            yield
        except Exception:
            LOG.exception("%s cannot be reported, it is tried again", deployment)
            self._broken[deployment] = self._clock() + self._pace.mend
        else:
            self._broken.pop(deployment, None)

    async def _follower(self, owed: Owed) -> Follower | None:
        deployment = await self._deployments.get(owed.deployment)
        if deployment is None:
            return None
        try:
            origin = Origin.from_json(owed.origin)
            marks = marks_from_json(await self._deployments.load(deployment.id, MARKS))
            on_github = await self._deployments.load(deployment.id, GITHUB)
            pull_request = GitHubOrigin.from_json(on_github).pull_request if on_github else None
            release = await self._release(deployment)
        except ValidationError:
            # Written by another version: no reason to be silent about all the others.
            LOG.exception("what is noted of %s cannot be read, it is not reported", deployment.id)
            return None
        user = origin.asked.user if origin.asked else None
        return Follower(
            Known(
                owed.number,
                deployment,
                origin,
                user or await self._user(deployment.request.actor),
                pull_request,
                self._lookups.page(deployment.id),
                release,
            ),
            marks,
            slack=self._slack,
            deployments=self._deployments,
            progress=self._progress,
            safe=self._safe,
            lookups=self._lookups,
        )

    async def _release(self, deployment: Deployment) -> Release | None:
        tag = deployment.request.release
        if tag is None:
            return None
        # A repeat of a deployment brings the same release, of which its first knows.
        target = deployment.request.target
        for stored in (
            await self._deployments.load(deployment.id, RELEASE),
            await self._reports.latest(target, RELEASE),
        ):
            found = Release.from_json(stored) if stored else None
            if found is not None and found.tag == tag:
                return found
        return None

    async def _user(self, actor: Actor) -> str | None:
        try:
            return await self._lookups.find_user(actor)
        except StoppedError as stopped:
            LOG.warning("%s is told of by name: %s", actor.name, stopped)
            return None

    async def _read(self) -> None:
        """Take in what is new, and let go of those of whom all was said."""
        last = await self._reports.last_events(tuple(self._followers))
        for follower in tuple(self._followers.values()):
            if self._is_broken(follower.identity):
                continue
            if follower.is_behind(last.get(follower.identity, 0)):
                with self._alone(follower.identity):
                    await follower.read()
            if follower.has_ended and self._is_settled(follower):
                # First: whoever uses a button meanwhile has it followed anew.
                del self._followers[follower.identity]
                await self._deployments.save(follower.identity, SETTLED, value=True)

    def _is_settled(self, follower: Follower) -> bool:
        ended_at = follower.ended_at
        if ended_at is not None and self._clock() - ended_at > self._pace.give_up:
            return True
        return not any(spot.busy or follower.due(spot) for spot in follower.spots)

    def _candidates(self, now: float) -> Iterator[Job]:
        newest: dict[str, int] = {}
        for follower in self._followers.values():
            for spot in follower.spots:
                newest[spot.channel] = max(newest.get(spot.channel, 0), follower.number)
        for follower in self._followers.values():
            for spot in follower.spots:
                part = None if spot.busy else follower.due(spot)
                if part is None:
                    continue
                if spot.since is None:
                    spot.since = now
                is_edit = part is Part.MESSAGE and spot.speaker.marks.is_there
                earliest = spot.edited_at + self._pace.edit if is_edit else 0.0
                if part is Part.LOG:
                    earliest = spot.log_not_before
                if now >= max(spot.not_before, earliest):
                    in_view = newest[spot.channel] == follower.number
                    yield Job(follower, spot, part, rank(follower, spot, part, in_view=in_view))

    def _choose(self, candidates: Iterable[Job]) -> list[Job]:
        """Those for whom there is a place under the limits, which is taken."""
        left = sorted(candidates, key=lambda job: (job.rank, job.since))
        chosen = []
        while left:
            is_fair = self._given % _FAIR == _FAIR - 1
            job = min(left, key=claim) if is_fair else left[0]
            left.remove(job)
            if job.spot.speaker.reserve(job.part, _SPARE if job.rank is Rank.RUNNING else 0):
                self._given += 1
                job.spot.busy = True
                chosen.append(job)
            else:
                left = [each for each in left if each.lane != job.lane]
        return chosen

    async def _do(self, job: Job) -> None:
        """Say it; nothing of what goes wrong ends the others."""
        spot = job.spot
        try:
            await self._say(job)
        except Exception:
            LOG.exception("the report of %s failed, it is tried again", job.follower.identity)
            spot.not_before = self._clock() + self._pace.mend
        finally:
            spot.edited_at = self._clock()
            spot.busy = False

    async def _say(self, job: Job) -> None:
        try:
            await job.follower.say(job.spot, job.part)
        except StoppedError as stopped:
            await self._stopped(job, stopped)
        else:
            self._silences = 0
            self._said += 1
            job.spot.since = None
            channel = job.spot.channel
            self._complained = {each for each in self._complained if each[0] != channel}

    async def _stopped(self, job: Job, stopped: StoppedError) -> None:
        code, now = stopped.reason.code, self._clock()
        if code is Code.SLACK_LIMITED:
            return
        if isinstance(stopped, SlackRefusedError) and not stopped.is_of_token:
            self._complain(job, stopped)
            await job.spot.speaker.give_up(job.part)
            return
        if job.part is Part.LOG:
            self._put_log_off(job, stopped)
            return
        if now < self._silent_until:
            # Another call of the same moment has met the same silence.
            return
        pause = self._pause(self._silences)
        LOG.warning("Slack takes nothing, next try in %.0f s: %s", pause, stopped)
        self._silences += 1
        self._silent_until = now + pause

    def _put_log_off(self, job: Job, stopped: StoppedError) -> None:
        spot = job.spot
        level = logging.DEBUG if spot.log_tries else logging.WARNING
        LOG.log(level, "the log of %s is not shown yet: %s", job.follower.identity, stopped)
        spot.log_not_before = self._clock() + self._pause(spot.log_tries)
        spot.log_tries += 1

    def _pause(self, tries: int) -> float:
        return min(self._pace.retry * 2.0 ** min(tries, 16), self._pace.longest_retry)

    def _complain(self, job: Job, refused: SlackRefusedError) -> None:
        """Warn once of what is wrong with a channel: it may have many deployments."""
        known = (job.spot.channel, refused.error)
        level = logging.DEBUG if known in self._complained else logging.WARNING
        self._complained.add(known)
        what, step = f"{job.part} of {job.follower.identity}", refused.reason.next_step
        LOG.log(level, "the %s is not said in %s: %s. %s", what, job.spot.channel, refused, step)
