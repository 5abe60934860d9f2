"""Calls to outside systems, counted by whoever wants to."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Calls(Protocol):
    """Told of each call; `service` is `github`, `pachyderm`, `registry` or `slack`."""

    def ended(self, service: str, how: str, seconds: float) -> None:
        """A call has ended: `answered`, `failed` or `cancelled`."""

    def limited(self, service: str) -> None:
        """It wants us to wait before we ask again."""

    def left(self, service: str, calls: int) -> None:
        """How many calls it will still take from the login that asked, until its limit is reset."""


class _Uncounted:
    def ended(self, service: str, how: str, seconds: float) -> None:
        """Forget it."""

    def limited(self, service: str) -> None:
        """Forget it."""

    def left(self, service: str, calls: int) -> None:
        """Forget it."""


UNCOUNTED: Calls = _Uncounted()


@contextmanager
def counted(calls: Calls, service: str) -> Iterator[None]:
    """One call."""
    began = time.monotonic()
    how = "failed"
    try:
        yield
        how = "answered"
    except asyncio.CancelledError:
        how = "cancelled"
        raise
    finally:
        calls.ended(service, how, time.monotonic() - began)
