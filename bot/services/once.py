"""A value that is asked for once, however many want it at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Asks when the value is first wanted, and again where that failed."""

    def __init__(self, fetch: Callable[[], Awaitable[T]]) -> None:
        self._fetch = fetch
        self._fetching = asyncio.Lock()
        self._found: list[T] = []

    async def get(self) -> T:
        """The value; errors are those of asking."""
        async with self._fetching:
            if not self._found:
                self._found.append(await self._fetch())
            return self._found[0]
