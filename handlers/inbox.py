"""Deliveries that were taken, handled one after the other for each repository."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from bot.domain.reasons import GITHUB_PASSES, Code, StoppedError
from bot.logs import about
from bot.store.deliveries import Deliveries, Delivery, Surface, Waiting
from handlers.greetings import Greet, Greetings

LOG = logging.getLogger(__name__)

IsAway = Callable[[], Awaitable[bool]]
"""Whether nothing at all is answered, so that it is not the delivery that cannot be handled."""
Handle = Callable[[Delivery], Awaitable[str | None]]
"""Acts on a delivery and says in a line what it did; None: it is begun anew, for it was set aside
or has another place.
It may be called again for the same one."""

PAUSES = (2.0, 10.0, 30.0, 120.0, 300.0)
"""Seconds before each further attempt."""
LONGEST_OUTAGE = 6 * 3600.0
"""Seconds for which a delivery is tried again, the last pause each time, while whoever told it is away
and nobody can be told that it is given up."""
LONGEST_BREAK = 1800.0
"""Likewise where git or the disk does not work: whoever waits behind it can still be answered."""
AT_ONCE = 128
"""Repositories, or people in Slack. Where GitHub limits us they wait for up to an hour, and should not
hold up others meanwhile; calls have a limit of their own."""
OF_ONE_ACCOUNT = 8
"""Repositories of these: GitHub limits an account, whose repositories wait together."""
LONGEST_HANDLING = 3600.0
"""Seconds for one attempt; GitHub's limits alone may take an hour."""
LOOK_SECONDS = 5.0
"""How often the database is looked at, should nobody say that there is something new."""
LAG_ATTEMPTS = 3
"""Attempts after the first while git is behind what GitHub told: that is over in seconds, or never."""
GATHER_SECONDS = 0.02
"""How long what comes together is waited for, so that a burst is not a look at the database each."""
STOP_SECONDS = 10.0
"""How long a stop waits for what is being handled."""

_BREAKS = frozenset({Code.REPOSITORY_UNREADABLE, Code.DISK_FULL})
_PASSES = (
    GITHUB_PASSES
    | _BREAKS
    | frozenset({Code.GIT_BEHIND, Code.SLACK_UNREACHABLE, Code.SLACK_LIMITED, Code.DATABASE_IN_USE})
)
"""Reasons that may be gone a little later."""
_TOLD = GITHUB_PASSES | _BREAKS | {Code.GIT_BEHIND}
"""Those of them that are told to who asked, where they stay."""


class Inbox:
    """Works through the deliveries, at least once each and in the order of their repository."""

    def __init__(
        self,
        deliveries: Deliveries,
        handle: Handle,
        *,
        surface: Surface = Surface.GITHUB,
        greet: Mapping[str, Greet] = MappingProxyType({}),
        is_away: IsAway | None = None,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self._deliveries = deliveries
        self._handle = handle
        self._surface = surface
        self._greetings = Greetings(deliveries, surface, greet)
        self._is_away = is_away
        self._pauses = pauses
        self._changed = asyncio.Event()
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._having_turn: set[str] = set()

    def wake(self) -> None:
        """There is something new."""
        self._changed.set()

    async def run(self) -> None:
        """Work until cancelled; what is being handled then has a little time to end."""
        try:
            while True:
                self._changed.clear()
                await self._wait(await self._begin_what_can())
        finally:
            await self._stop()

    async def _begin_what_can(self) -> float:
        """Begin as many as may run; seconds until the next look."""
        try:
            waiting = await self._deliveries.waiting(self._surface)
            self._begin_all(waiting)
            await self._greetings.look(self._having_turn)
        except StoppedError as stopped:
            LOG.error("the deliveries cannot be read: %s", stopped)  # noqa: TRY400 - expected
            return LOOK_SECONDS
        now = time.time()
        later = [each.retry_at - now for each in waiting if each.retry_at and each.retry_at > now]
        return min([LOOK_SECONDS, *later])

    def _begin_all(self, waiting: Sequence[Waiting]) -> None:
        now = time.time()
        under_way = Counter(self._account(each) for each in self._under_way)
        for each in waiting:
            if len(self._under_way) >= AT_ONCE:
                break
            account = self._account(each.repository)
            is_due = each.retry_at is None or each.retry_at <= now
            if is_due and under_way[account] < OF_ONE_ACCOUNT and self._begin(each):
                under_way[account] += 1

    def _account(self, repository: str) -> str:
        """Whose it is; in Slack, where it is `team/user`, each person is their own."""
        return repository if self._surface is Surface.SLACK else repository.partition("/")[0]

    def _begin(self, waiting: Waiting) -> bool:
        """False where something of its repository is under way."""
        repository = waiting.repository
        if repository in self._under_way:
            return False

        def ended(_task: asyncio.Task[None]) -> None:
            del self._under_way[repository]
            self._having_turn.discard(waiting.id)
            self.wake()

        task = asyncio.create_task(self._work_on(waiting.id))
        self._under_way[repository] = task
        self._having_turn.add(waiting.id)
        task.add_done_callback(ended)
        return True

    async def _work_on(self, identity: str) -> None:
        try:
            is_seen = await self._greetings.take_turn(identity)
            delivery = await self._deliveries.begin(identity)
            if delivery is not None:
                delivery = replace(delivery, is_seen=is_seen)
                with about(delivery=delivery.id, kind=delivery.event):
                    await self._attempt(delivery)
        except StoppedError as stopped:
            # The delivery stays as it is, and its next attempt is harmless.
            LOG.error("delivery %s: %s", identity, stopped)  # noqa: TRY400 - expected
            await asyncio.sleep(LOOK_SECONDS)

    async def _attempt(self, delivery: Delivery) -> None:
        try:
            async with asyncio.timeout(LONGEST_HANDLING):
                result = await self._handle(delivery)
        except StoppedError as stopped:
            code = stopped.reason.code
            await self._failed(delivery, str(stopped), passes=code in _PASSES, code=code)
        except TimeoutError:
            await self._failed(delivery, "it took too long", passes=True)
        except Exception as error:
            LOG.exception("delivery %s (%s)", delivery.id, delivery.event)
            await self._failed(delivery, f"an error in pachops: {error!r}"[:500], passes=True)
        else:
            LOG.info("delivery %s (%s): %s", delivery.id, delivery.event, result or "begun anew")
            if result is not None:
                await self._deliveries.done(delivery.id, result)

    async def _failed(
        self, delivery: Delivery, why: str, *, passes: bool, code: Code | None = None
    ) -> None:
        name = f"delivery {delivery.id} ({delivery.event})"
        pauses = self._pauses[:LAG_ATTEMPTS] if code is Code.GIT_BEHIND else self._pauses
        has_more = delivery.attempts <= len(pauses)
        passes = passes and not delivery.is_last
        if passes and (has_more or await self._waits_for(delivery, code)):
            pause = self._pauses[min(delivery.attempts, len(self._pauses)) - 1]
            LOG.warning("%s is tried again in %.0f s: %s", name, pause, why)
            await self._deliveries.put_off(delivery.id, time.time() + pause, why)
            return
        if passes and code in _TOLD:
            # What keeps failing is told to who asked, where GitHub answers all else.
            await self._attempt(replace(delivery, is_last=True))
            return
        LOG.error("%s is given up after %d attempts: %s", name, delivery.attempts, why)
        await self._deliveries.failed(delivery.id, why)

    async def _waits_for(self, delivery: Delivery, code: Code | None) -> bool:
        age = time.time() - delivery.received_at
        if code in _BREAKS:
            return self._is_away is not None and age < LONGEST_BREAK
        if self._is_away is None or code not in GITHUB_PASSES or age >= LONGEST_OUTAGE:
            return False
        return code is Code.GITHUB_LIMITED or await self._is_away()

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
                await asyncio.sleep(GATHER_SECONDS)
        except TimeoutError:
            return

    async def _stop(self) -> None:
        await self._greetings.stop()
        tasks = set(self._under_way.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
