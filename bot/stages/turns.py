"""What several deployments would do at once is done by one, and found by the others."""

import asyncio
from weakref import WeakValueDictionary


class Turns:
    """One at a time for each name, in this process."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, name: str) -> asyncio.Lock:
        """To be held while it is done."""
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock
