"""How a test waits for a stand-in: until it is so, or with all that was seen instead."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")
PATIENCE = 20.0
"""Seconds, for a slow machine; what is waited for is seen as soon as it is there."""


class Changing(Protocol):
    """Something that tells when it has changed."""

    changed: asyncio.Condition


async def expect(
    world: Changing,
    what: str,
    look: Callable[[], T | None],
    seen: Callable[[], Iterable[object]],
    *,
    on: str,
    patience: float = PATIENCE,
) -> T:
    """Wait until `look` finds something; `seen` is told where it never does."""
    async with world.changed:
        try:
            async with asyncio.timeout(patience):
                while (found := look()) is None:
                    await world.changed.wait()
        except TimeoutError:
            listed = "".join(f"\n  {each}" for each in seen()) or "\n  nothing"
            message = f"expected {what}; on {on} there is:{listed}"
            raise AssertionError(message) from None
    return found
