"""One deployment as it is followed: what was heard, and its places in Slack."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.domain.changes import Changes
from bot.domain.deployment import Actor, Deployment, Stage, Trigger
from bot.domain.progress import Log as Line
from bot.services.slack import Message
from bot.store.deployments import Deployments
from bot.store.progress import ProgressLog
from handlers.reports.board import Board
from handlers.reports.release import Release
from handlers.reports.slack import words
from handlers.reports.slack.announcement import release_message
from handlers.reports.slack.buttons import CLICKS, Click, clicks_from_json
from handlers.reports.slack.marks import MARKS, Marks, Part, due, marks_to_json, wanted
from handlers.reports.slack.message import (
    NOBODY_KNOWN,
    Approvers,
    Shown,
    ask_message,
    end_message,
    progress_message,
)
from handlers.reports.slack.origin import Origin, Place
from handlers.reports.slack.safe import Safe
from handlers.reports.slack.speaker import Log, Speaker, Workspace
from handlers.reports.text import fingerprint, one_line
from handlers.reports.view import View

_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]+$")
LONGEST_LOG = 1_000_000
"""Bytes of a log's end that are shown as a file."""
_BATCH = 1000
_TERMINAL = frozenset({Trigger.CLI, Trigger.ACTION})


async def nobody(_actor: Actor) -> str | None:
    """Where nobody's Slack user is known."""
    return None


async def nothing_known(_deployment: Deployment) -> Changes | None:
    """Where nobody can tell what a release brings."""
    return None


async def nobody_known(_deployment: Deployment) -> Approvers:
    """Where nobody can tell who may approve."""
    return NOBODY_KNOWN


@dataclass(frozen=True)
class Lookups:
    """What is known beside the deployments. None of them raises what passes."""

    page: Callable[[str], str | None] = lambda _deployment: None
    """The URL of a deployment's page."""
    find_user: Callable[[Actor], Awaitable[str | None]] = nobody
    """The Slack id of who asked."""
    find_changes: Callable[[Deployment], Awaitable[Changes | None]] = nothing_known
    """What is new since the release before; None where that is not known."""
    find_approvers: Callable[[Deployment], Awaitable[Approvers]] = nobody_known
    """Who may approve it."""
    hears: bool = True
    """Whether somebody hears what is clicked. Where not, there is nothing to click below what was
    asked for at a terminal; for the rest `serve` will be there again, and calls who may approve."""


NO_LOOKUPS = Lookups()


@dataclass(frozen=True)
class Known:
    """What does not change of a deployment that is followed."""

    number: int
    """Its place in the order asked."""
    deployment: Deployment
    origin: Origin
    user: str | None
    """The Slack id of who asked."""
    pull_request: int | None
    page: str | None
    release: Release | None = None


@dataclass(eq=False)
class Spot:
    """A place and how it stands there."""

    channel: str
    """As the origin has it."""
    is_first: bool
    speaker: Speaker
    hears: frozenset[str]
    busy: bool = False
    edited_at: float = 0.0
    """When something was last said there."""
    since: float | None = None
    """Since when there has been something to say."""
    not_before: float = 0.0
    log_not_before: float = 0.0
    log_tries: int = 0
    """Those before this process count as one."""


class Follower:
    """One deployment's reports. Errors, from every method: those of the database and of Slack."""

    def __init__(
        self,
        known: Known,
        marks: Mapping[str, Marks],
        *,
        slack: Workspace,
        deployments: Deployments,
        progress: ProgressLog,
        safe: Safe,
        lookups: Lookups,
    ) -> None:
        self._lookups = lookups
        self.number = known.number
        self.identity = known.deployment.id
        self._known = known
        self._marks = dict(marks)
        self._deployments = deployments
        self._progress = progress
        self._safe = safe
        self._saving = asyncio.Lock()
        self._board = Board()
        self._read_to = 0
        self._clicks: Sequence[Click] | None = None
        self._forgiven = False
        self.spots = [
            self._spot(slack, place, is_first=number == 0)
            for number, place in enumerate(known.origin.places())
        ]
        self._render()

    def _spot(self, slack: Workspace, place: Place, *, is_first: bool) -> Spot:
        channel = place.channel
        marks = self._marks.get(channel, Marks())

        async def keep(marks: Marks) -> None:
            self._marks[channel] = marks
            async with self._saving:
                await self._deployments.save(self.identity, MARKS, marks_to_json(self._marks))

        speaker = Speaker(slack, self.identity, place, marks, keep)
        tries = 1 if marks.uploading else 0
        return Spot(channel, is_first, speaker, place.hears, log_tries=tries)

    @property
    def view(self) -> View:
        """The deployment as it is known."""
        return View(self._known.deployment, self._board, self._known.page)

    @property
    def _is_left_to_serve(self) -> bool:
        return not self._lookups.hears and self._known.deployment.request.trigger not in _TERMINAL

    @property
    def has_ended(self) -> bool:
        """Whether nothing will happen any more."""
        return self._board.finished is not None

    @property
    def has_told_end(self) -> bool:
        """Whether it is said how it ended; a log may be left, for which nothing waits."""
        return self.has_ended and all(self.due(each) in {None, Part.LOG} for each in self.spots)

    @property
    def is_left_with_logs(self) -> bool:
        """Whether nothing but logs is left, each of which was tried before."""
        left = [each for each in self.spots if self.due(each) is Part.LOG]
        return self.has_told_end and bool(left) and all(each.log_tries for each in left)

    @property
    def ended_at(self) -> float | None:
        """When it ended."""
        return self._board.finished_at

    def is_behind(self, last_event: int) -> bool:
        """Whether there is something that it has not read."""
        return last_event > self._read_to or self._clicks is None

    def look_again(self) -> None:
        """A button was used."""
        self._clicks = None

    async def read(self) -> None:
        """Take in what has happened."""
        while batch := await self._progress.read(self.identity, self._read_to, _BATCH):
            for number, at, event in batch:
                self._board = self._board.after(at, event)
                self._read_to = number
            if self._board.planned and not self._known.deployment.request.is_commit_known:
                found = await self._deployments.get(self.identity)
                self._known = replace(self._known, deployment=found or self._known.deployment)
            if len(batch) < _BATCH:
                break
        if self._clicks is None:
            self._clicks = clicks_from_json(await self._deployments.load(self.identity, CLICKS))
        if self.has_ended and not self._forgiven:
            for spot in self.spots:
                await spot.speaker.forgive()
            self._forgiven = True
        self._render()

    def due(self, spot: Spot) -> Part | None:
        """What a place has to hear next."""
        if self._clicks is None:
            # It has not been read, or a button was used since.
            return None
        if self._is_told_by_another(spot):
            return None
        twins = [spot, *self._twins(spot)]
        parts = wanted(
            self.view,
            frozenset().union(*(each.hears for each in twins)),
            # Where the message can no longer be changed, the end is told below it.
            is_first=any(each.is_first for each in twins) or spot.speaker.marks.is_stuck,
            has_log=self._board.failed_log is not None,
        )
        if self._is_left_to_serve:
            parts = (each for each in parts if each is not Part.ASK)
        return due(spot.speaker.marks, parts, self._text)

    def _twins(self, spot: Spot) -> list[Spot]:
        """Those of the same channel under its id, which is known once a name was written to."""
        if not spot.channel.startswith("#"):
            return []
        return [each for each in self.spots if each.channel == spot.speaker.marks.channel]

    def _is_told_by_another(self, spot: Spot) -> bool:
        """Whether the channel is, or may be, one of those that the rules name."""
        marks = spot.speaker.marks
        if not _CHANNEL_ID.match(spot.channel) or marks.is_there or marks.tried:
            return False
        named = [each.speaker.marks for each in self.spots if each.channel.startswith("#")]
        return any(
            each.channel == spot.channel if each.channel else not each.is_settled(Part.MESSAGE)
            for each in named
        )

    async def say(self, spot: Spot, part: Part) -> None:
        """Say it in a place."""
        match part:
            case Part.MESSAGE:
                await spot.speaker.show(self._message, self._text)
            case Part.LOG:
                await spot.speaker.attach(await self._log())
            case Part.ASK:
                approvers = await self._lookups.find_approvers(self._known.deployment)
                message = ask_message(self.view, approvers, self._safe)
                await spot.speaker.tell(part, message, broadcast=False)
            case Part.NEWS:
                await spot.speaker.announce(await self._news())
            case Part.END:
                is_first = any(each.is_first for each in (spot, *self._twins(spot)))
                message = end_message(self._shown, self._safe, mentions=is_first)
                await spot.speaker.tell(part, message, broadcast=self.view.is_failure)

    @property
    def _shown(self) -> Shown:
        known, hears = self._known, self._lookups.hears or self._is_left_to_serve
        return Shown(self.view, known.pull_request, self._clicks or (), known.user, hears)

    def _render(self) -> None:
        self._message = progress_message(self._shown, self._safe)
        self._text = fingerprint(repr(self._message))

    async def _news(self) -> Message:
        known = self._known
        request = known.deployment.request
        release = known.release or Release(request.release or "")
        changes = None
        if self.view.is_success:
            changes = await self._lookups.find_changes(known.deployment)
        return release_message(self.view, release, changes, self._safe)

    async def _log(self) -> Log:
        """The whole log of the stage that failed, its end where it is long."""
        stage = self._board.failed_stage or Stage.BUILD
        lines = [line async for line in self._lines(stage)]
        if not lines and self._board.failed_log is not None:
            lines = list(self._board.failed_log[1])
        content = self._safe.clean("\n".join(lines)).encode(errors="replace") or b"\n"
        if len(content) > LONGEST_LOG:
            content = words.CUT.encode() + content[-LONGEST_LOG:].partition(b"\n")[2]
        return Log(words.log_name(stage), words.log_title(stage, self.identity), content)

    async def _lines(self, stage: Stage) -> AsyncIterator[str]:
        after = 0
        while batch := await self._progress.read(self.identity, after, _BATCH):
            for number, _, event in batch:
                after = number
                if isinstance(event, Line) and event.stage is stage:
                    yield f"{one_line(event.subject)} | {one_line(event.text)}"
