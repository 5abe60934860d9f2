"""Deliveries that did not reach us, asked for again."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from bot.domain.reasons import Code, StoppedError
from bot.store.deliveries import Deliveries

LOG = logging.getLogger(__name__)

INTERVAL_SECONDS = 180.0
FIRST_PAUSE = timedelta(seconds=INTERVAL_SECONDS)
LONGEST_OUTAGE = timedelta(days=3)
"""How far back a look goes at most: GitHub delivers again what is not older."""
MOST_ASKED = 100
"""For one webhook in a look: many at once would use up the calls that commands need."""
LONGEST_PAUSE = timedelta(minutes=15)
"""Between asking for one delivery and asking for it again, where it keeps failing."""
OVERLAP = 2 * LONGEST_PAUSE
"""How far each further look goes back behind the last one: an attempt may be listed late, and
what was asked for again may have failed again."""


class Missed(Protocol):
    """A delivery of which no attempt arrived."""

    @property
    def id(self) -> int:
        """Of its last attempt."""

    @property
    def guid(self) -> str:
        """The same in every attempt."""

    @property
    def began_at(self) -> datetime | None:
        """When its first attempt was; None where that was before what was asked about."""


class Hook(Protocol):
    """A webhook of ours, of which GitHub remembers what was delivered."""

    @property
    def place(self) -> str:
        """Whose it is."""

    async def failed_deliveries(self, since: datetime) -> Sequence[Missed]:
        """Those since then of which no attempt arrived."""

    async def redeliver(self, delivery: int) -> None:
        """Ask for one more attempt."""


@dataclass(frozen=True)
class _Asked:
    """How one delivery was asked for."""

    began: datetime
    """Its first attempt, by GitHub's clock."""
    last: datetime
    pause: timedelta

    def may_be_asked_at(self, now: datetime) -> bool:
        """It pauses longer each time, and ends."""
        return now >= self.last + self.pause and now <= self.began + LONGEST_OUTAGE

    def again(self, now: datetime) -> "_Asked":
        return replace(self, last=now, pause=min(2 * self.pause, LONGEST_PAUSE))


class Redelivery:
    """Looks for missed deliveries at once and then every few minutes.

    `hooks` finds our webhooks for each look. Errors, from it too, are those of GitHub.
    """

    def __init__(
        self,
        hooks: Callable[[], Awaitable[Sequence[Hook]]],
        deliveries: Deliveries,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._hooks = hooks
        self._deliveries = deliveries
        self._now = now
        self._sleep = sleep
        self._since: dict[str, datetime] = {}
        self._asked: dict[str, _Asked] = {}
        self._told: set[str] = set()
        self._telling: set[str] = set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                # First: a look that fails each time must not keep what is old.
                await self._deliveries.forget_old(time.time())
                await self._deliveries.go_on_by(time.time())
                await self.look()
            except StoppedError as stopped:
                self._warn(f"missed webhooks could not be asked for: {stopped}")
            self._told, self._telling = self._telling, set()
            await self._sleep(INTERVAL_SECONDS)

    async def look(self) -> int:
        """Ask for what was missed since the last look; how many. Each once, also where one fails."""
        asked = 0
        problem: StoppedError | None = None
        for hook in await self._hooks():
            try:
                asked += await self._look_at(hook)
            except StoppedError as stopped:
                if stopped.reason.code is Code.GITHUB_LOGIN_REFUSED:
                    # So it is for all others.
                    raise
                problem = stopped
        if asked:
            LOG.info("%d missed webhooks are asked for again", asked)
        if problem is not None:
            raise problem
        return asked

    async def _look_at(self, hook: Hook) -> int:
        now = self._now()
        oldest = now - LONGEST_OUTAGE
        since = max(self._since.get(hook.place, oldest), oldest)
        missed = {each.guid: each for each in await hook.failed_deliveries(since)}
        self._forget_asked(now)
        # Those came, and only our answer was lost.
        known = await self._deliveries.known(list(missed))
        due = [
            each for each in missed.values() if each.guid not in known and self._is_due(each, now)
        ]
        asked = 0
        problem: StoppedError | None = None
        for each in due[:MOST_ASKED]:
            try:
                asked += await self._ask_for(each, hook, now)
            except StoppedError as stopped:
                if stopped.reason.code is Code.GITHUB_LOGIN_REFUSED:
                    raise
                problem = stopped
        # Where not all were asked for, the next look begins where this one did.
        if problem is not None:
            raise problem
        if len(due) <= MOST_ASKED:
            self._since[hook.place] = now - OVERLAP
        return asked

    def _is_due(self, missed: Missed, now: datetime) -> bool:
        before = self._asked.get(missed.guid)
        if before is not None and not before.may_be_asked_at(now):
            return False
        # Else it is older than a look goes back; what failed since then was asked for.
        return before is not None or missed.began_at is not None

    async def _ask_for(self, missed: Missed, hook: Hook, now: datetime) -> bool:
        """Whether it is asked for; what GitHub will not deliver again holds up nothing."""
        before = self._asked.get(missed.guid)
        began = missed.began_at or (before.began if before else now)
        await self._deliveries.note_missed(missed.guid, began.timestamp())
        try:
            await hook.redeliver(missed.id)
        except StoppedError as stopped:
            if stopped.reason.code is not Code.GITHUB_REFUSED:
                raise
            self._warn(f"a missed webhook of {hook.place} is not delivered again: {stopped}")
            is_asked = False
        else:
            is_asked = True
        first = _Asked(began, now, FIRST_PAUSE)
        self._asked[missed.guid] = before.again(now) if before else first
        return is_asked

    def _forget_asked(self, now: datetime) -> None:
        """What no look lists any more."""
        listed = now - OVERLAP - LONGEST_PAUSE
        self._asked = {guid: each for guid, each in self._asked.items() if each.last >= listed}

    def _warn(self, problem: str) -> None:
        """Say it once, however many deliveries, and looks one after the other, have it."""
        if problem not in self._told | self._telling:
            LOG.warning("%s", problem)
        self._telling.add(problem)
