"""Slack's documented rate limits, kept on Slack's clock.

Each method has a tier, counted for the app in the workspace; chat.postMessage has a limit of its
own: one message a second in a channel, and several hundred a minute in the workspace.
Source: https://docs.slack.dev/apis/web-api/rate-limits
"""

import math
from collections import deque

MINUTE = 60.0
TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
"""Calls a minute."""
POSTS_A_MINUTE = 300
"""`Several hundred`, in the whole workspace."""
SPECIAL = "chat.postMessage"


class Window:
    """So many calls in any window of this many seconds."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._calls: deque[float] = deque()

    def wait(self, now: float) -> float:
        """Seconds until another call is taken; 0 where one is."""
        # A hair of tolerance: a client that counts in the same seconds is not late by rounding.
        while self._calls and self._calls[0] <= now - self._seconds + 1e-6:
            self._calls.popleft()
        if len(self._calls) < self._most:
            return 0.0
        return self._calls[0] + self._seconds - now

    def count(self, now: float) -> None:
        """A call was taken."""
        self._calls.append(now)


class Limits:
    """Enforced once `strict`; `broken` has every call that went over one."""

    def __init__(self) -> None:
        self.strict = False
        self.burst = 1
        """Messages in a channel within as many seconds: a short burst is more than one."""
        self.broken: list[str] = []
        self._methods: dict[str, Window] = {}
        self._channels: dict[str, Window] = {}
        self._posts = Window(POSTS_A_MINUTE, MINUTE)

    def check(self, method: str, tier: int, channel: str, now: float) -> int | None:
        """Count a call; where it is one too many, the whole seconds to wait."""
        if not self.strict:
            return None
        windows = list(self._windows(method, tier, channel))
        wait = max((each.wait(now) for each in windows), default=0.0)
        if wait > 0:
            self.broken.append(f"{method} {channel} at {now:.3f}")
            return max(math.ceil(wait), 1)
        for each in windows:
            each.count(now)
        return None

    def _windows(self, method: str, tier: int, channel: str) -> list[Window]:
        if method != SPECIAL:
            return [self._methods.setdefault(method, Window(TIERS[tier], MINUTE))] if tier else []
        return [
            self._posts,
            self._channels.setdefault(channel, Window(self.burst, float(self.burst))),
        ]
