"""Faults on demand: the next calls of a method go wrong."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one call."""

    status: int = 0
    """Of the answer that is sent instead; 0 keeps the true one."""
    headers: dict[str, str] = field(default_factory=dict)
    error: str = ""
    """An `ok: false` with this error."""
    more: dict[str, Any] = field(default_factory=dict)
    after: bool = False
    """Do the work first."""
    drop: bool = False
    """Close the connection without an answer."""
    body: bytes | None = None
    """Sent instead, as it is."""
    hold: asyncio.Event | None = None
    """Wait for this before anything is done."""


def limited(retry_after: int = 1) -> Fault:
    """429 with Retry-After, in seconds."""
    return Fault(429, {"Retry-After": str(retry_after)}, "ratelimited")


def broken(status: int = 500, *, after: bool = False) -> Fault:
    """Slack's own trouble, before or after the work."""
    return Fault(status, error="fatal_error", after=after)


def refused(error: str, **more: Any) -> Fault:
    """`ok: false`."""
    return Fault(200, error=error, more=more)


def dropped() -> Fault:
    """The connection is closed before the work is done."""
    return Fault(drop=True)


def lost_answer() -> Fault:
    """The connection is closed after the work was done."""
    return Fault(drop=True, after=True)


def garbled(body: bytes = b"<html>not Slack</html>") -> Fault:
    """A 200 that is none of Slack's."""
    return Fault(200, body=body)


def held(until: asyncio.Event) -> Fault:
    """The call waits."""
    return Fault(hold=until)


@dataclass(frozen=True)
class Seen:
    """A call that came."""

    method: str
    channel: str
    """As it was written; empty where there is none."""
    at: float
    """By Slack's clock."""

    def __str__(self) -> str:
        return f"{self.method} {self.channel}".rstrip()


class Faults:
    """The queue of each method, and the calls that were seen."""

    def __init__(self) -> None:
        self._queues: list[tuple[str, str, deque[Fault]]] = []
        self._outage: Callable[[], Fault] | None = None
        self.seen: list[Seen] = []

    def add(self, method: str, fault: Fault, times: int, channel: str) -> None:
        """Queue a fault, for calls to one channel where it is given."""
        self._queues.append((method, channel, deque([fault] * times)))

    def always(self, fault: Callable[[], Fault] | None) -> None:
        """Every call goes wrong like this; None ends it."""
        self._outage = fault

    def take(self, seen: Seen) -> Fault | None:
        """Note the call; the fault that is next for it."""
        self.seen.append(seen)
        if self._outage is not None:
            return self._outage()
        for method, channel, queue in self._queues:
            if queue and method in {seen.method, "*"} and channel in {"", seen.channel}:
                return queue.popleft()
        return None
