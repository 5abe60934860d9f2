"""Slack's rate limits, kept for the whole workspace before Slack has to.

Each method has a tier, counted a minute for the app in the workspace; chat.postMessage has a
limit of its own for each channel. Source: https://docs.slack.dev/apis/web-api/rate-limits
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from bot.services.clock import Clock

POST = "chat.postMessage"
UPDATE = "chat.update"


@dataclass(frozen=True)
class Rate:
    """So many calls at once, then so many a second: never more than both in a minute."""

    burst: int
    a_second: float


def _a_minute(most: int) -> Rate:
    burst = most // 5
    return Rate(burst, (most - burst) / 60)


_SHORTEST = 0.001
"""Seconds of a sleep: less may not move the clock at all."""
_TIER_1, _TIER_2, _TIER_3, _TIER_4 = Rate(1, 1 / 61), _a_minute(20), _a_minute(50), _a_minute(100)
_IN_A_CHANNEL = Rate(1, 1 / 1.1)
"""One a second, and a tenth for the ways that differ."""
_POSTS = _a_minute(200)
"""Slack says `several hundred messages a minute` for the workspace."""
_TIERS = {
    "apps.connections.open": _TIER_1,
    "usergroups.list": _TIER_2,
    "usergroups.users.list": _TIER_2,
    UPDATE: _TIER_3,
    "chat.delete": _TIER_3,
    "conversations.info": _TIER_3,
    "reactions.add": _TIER_3,
    "users.lookupByEmail": _TIER_3,
}
"""Every other method is in tier 4."""


class Limiter:
    """Says when a call may be made.

    Where Slack says 429 all the same, only what it said it of waits: a channel for messages, a
    method for everything else.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._paused: dict[str, float] = {}
        self._lines: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def take(self, method: str, channel: str, spare: int = 0) -> bool:
        """Count a call where it may be made now, and nobody waits for his turn.

        `spare` more must be left for those to whom it matters more.
        """
        if self._lines[_line(method, channel)].locked() or self.delay(method, channel, spare) > 0:
            return False
        self._count(method, channel)
        return True

    async def wait(self, method: str, channel: str, patience: float) -> float:
        """Count a call once it may be made; 0.

        Where that takes longer than `patience`, nothing is counted, and it is the seconds that
        are left.
        """
        end = self._clock.now() + patience
        async with self._lines[_line(method, channel)]:
            while (delay := self.delay(method, channel)) > 0:
                if self._clock.now() + delay > end:
                    return delay
                await self._clock.sleep(max(delay, _SHORTEST))
            self._count(method, channel)
            return 0.0

    def delay(self, method: str, channel: str, spare: int = 0) -> float:
        """Seconds until a call may be made."""
        now = self._clock.now()
        waits = [each.delay(now, spare) for each in self._of(method, channel)]
        return max(*waits, self._paused.get(_line(method, channel), now) - now, 0.0)

    def pause(self, method: str, channel: str, seconds: float) -> None:
        """Slack takes no more of these for so long."""
        line = _line(method, channel)
        self._paused[line] = max(self._paused.get(line, 0.0), self._clock.now() + seconds)

    def same(self, channel: str, identity: str) -> None:
        """A channel that was named is the one with this id: they share their limit."""
        named, by_id = _line(POST, channel), _line(POST, identity)
        known = [self._buckets[line] for line in (named, by_id) if line in self._buckets]
        if known:
            self._buckets[by_id] = self._buckets[named] = min(known, key=lambda each: each.left)

    def _count(self, method: str, channel: str) -> None:
        now = self._clock.now()
        for bucket in self._of(method, channel):
            bucket.take(now)

    def _of(self, method: str, channel: str) -> Iterable["_Bucket"]:
        if method != POST:
            return [self._bucket(method, _TIERS.get(method, _TIER_4))]
        return [self._bucket(method, _POSTS), self._bucket(_line(method, channel), _IN_A_CHANNEL)]

    def _bucket(self, name: str, rate: Rate) -> "_Bucket":
        if name not in self._buckets:
            self._buckets[name] = _Bucket(rate, self._clock.now())
        return self._buckets[name]


class _Bucket:
    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self.left, self._at = float(rate.burst), now

    def delay(self, now: float, spare: int) -> float:
        # A hair less than one will do: fractions do not add up to a whole.
        missing = 1.0 + spare - 1e-6 - self._level(now)
        return max(missing / self._rate.a_second, 0.0)

    def take(self, now: float) -> None:
        self.left, self._at = self._level(now) - 1.0, now

    def _level(self, now: float) -> float:
        return min(self.left + (now - self._at) * self._rate.a_second, float(self._rate.burst))


def _line(method: str, channel: str) -> str:
    return f"{method} {channel}" if method == POST else method
