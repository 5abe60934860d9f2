"""Faults on demand: the next calls of a method go wrong."""

import threading
from collections import deque
from dataclasses import dataclass

import grpc


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one call."""

    code: grpc.StatusCode | None
    message: str
    after: bool
    """Do the work first; only the answer is lost."""
    delay: float
    """Seconds before anything is done."""
    hold: threading.Event | None = None
    """Wait for this before anything is done."""


class Faults:
    """The queue of each method, and the calls that were seen."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Fault]] = {}
        self._seen: list[str] = []
        self._changed = threading.Condition()

    def add(self, method: str, fault: Fault, times: int) -> None:
        with self._changed:
            self._queues.setdefault(method, deque()).extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        """Note the call; the fault that is next for it."""
        with self._changed:
            self._seen.append(method)
            self._changed.notify_all()
            queue = self._queues.get(method)
            return queue.popleft() if queue else None

    @property
    def seen(self) -> tuple[str, ...]:
        """The methods that were called, in order."""
        with self._changed:
            return tuple(self._seen)

    def wait_for(self, method: str, timeout: float) -> bool:
        """Block until the method has been called."""
        with self._changed:
            return self._changed.wait_for(lambda: method in self._seen, timeout)
