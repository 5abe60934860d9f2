"""Owners of locks are told what becomes of them, where they took them."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from bot.domain.lock import Notice
from bot.domain.reasons import Code, StoppedError
from bot.store.locks import Locks

LOG = logging.getLogger(__name__)

INTERVAL_SECONDS = 20.0
GIVE_UP_SECONDS = 86_400.0
"""What could not be told for a day is told no more."""

_REFUSED = frozenset({Code.GITHUB_REFUSED, Code.SLACK_REFUSED})
"""One place does not take it, such as a conversation that is locked; another may."""

Tell = Callable[[Notice], Awaitable[bool]]
"""Tells the owner; False where they are not reached there. StoppedError: tried again later."""


class LockNotices:
    """Takes away locks whose time is over, and tells their owners; of all processes one tells."""

    def __init__(
        self, locks: Locks, tell: Sequence[Tell], *, clock: Callable[[], float] = time.time
    ) -> None:
        self._locks = locks
        self._tell = tell
        self._clock = clock

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self.once()
            except Exception:
                # Whoever serves this serves other things too, which must go on.
                LOG.exception("the locks could not be looked at")
            await asyncio.sleep(INTERVAL_SECONDS)

    async def once(self) -> None:
        """One round."""
        now = self._clock()
        for lock in await self._locks.expire(now):
            LOG.info("the lock of %s by %s has ended", lock.environment, lock.owner.name)
        for notice in await self._locks.due(now):
            if await self._locks.mark_sent(notice, now):
                await self._say(notice)

    async def _say(self, notice: Notice) -> None:
        owner, is_put_off = notice.lock.owner.name, False
        for tell in self._tell:
            try:
                if await tell(notice):
                    return
            except StoppedError as stopped:
                LOG.warning("%s is not told of a lock: %s", owner, stopped)
                is_put_off = self._clock() - notice.due_at < GIVE_UP_SECONDS
                if stopped.reason.code not in _REFUSED:
                    break
        if is_put_off:
            await self._locks.put_off(notice)
        else:
            LOG.info("%s: %s of a lock", owner, notice.kind)
