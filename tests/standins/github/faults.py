"""Faults on demand: the next calls of a route go wrong."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one call."""

    status: int = 0
    """Of the answer that is sent instead; 0 keeps the true one."""
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False
    """Do the work first."""
    drop: bool = False
    """Close the connection without an answer."""
    body: bytes | None = None
    """Sent instead, as it is."""
    hold: asyncio.Event | None = None
    """Wait for this before anything is done."""
    reset_in: int | None = None
    """Seconds until the primary limit is over, by GitHub's clock."""


def error(status: int, message: str = "fault", *, after: bool = False, **headers: str) -> Fault:
    """An error, before or after the work; of a header's name `_` is written `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(status, message, named, after=after)


def dropped() -> Fault:
    """The connection is closed before the work is done."""
    return Fault(drop=True)


def lost_answer() -> Fault:
    """The connection is closed after the work was done."""
    return Fault(drop=True, after=True)


def garbled(body: bytes = b"<html>not GitHub</html>") -> Fault:
    """A 200 that is none of GitHub's."""
    return Fault(200, body=body)


def held(until: asyncio.Event) -> Fault:
    """The call waits."""
    return Fault(hold=until)


def primary_limit(reset_in: int = 60) -> Fault:
    """The hour's calls are used up."""
    return Fault(403, "API rate limit exceeded for installation ID 1.", reset_in=reset_in)


def secondary_limit(retry_after: int | None = None) -> Fault:
    """Too many calls at once."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Fault(
        403,
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
        headers,
    )


@dataclass(frozen=True)
class Seen:
    """A call that came."""

    method: str
    path: str
    """Below the API's root, without its query."""
    login: str
    """Who called: `app`, `installation 7`, a user, or empty."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Faults:
    """The queue of each route, and the calls that were seen."""

    def __init__(self) -> None:
        self._queues: dict[tuple[str, str], deque[Fault]] = {}
        self.seen: list[Seen] = []

    def add(self, method: str, path: str, fault: Fault, times: int) -> None:
        """Queue a fault; in `path` a `*` is for anything."""
        self._queues.setdefault((method, path), deque()).extend([fault] * times)

    def pending(self) -> int:
        """How many are left."""
        return sum(len(queue) for queue in self._queues.values())

    def take(self, seen: Seen) -> Fault | None:
        """Note the call; the fault that is next for it."""
        self.seen.append(seen)
        for (method, path), queue in self._queues.items():
            if queue and method == seen.method and fnmatchcase(seen.path, path):
                return queue.popleft()
        return None
