"""A deployment's progress on its way out: masked, shown at once, stored in batches."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from typing import Any

from bot.domain.progress import Progress
from bot.domain.reasons import StoppedError
from bot.redact import Redactor
from bot.store.progress import ProgressLog

Listener = Callable[[float, Progress], None]

_PAUSE = 0.5
"""Seconds between two batches."""

_log = logging.getLogger(__name__)


class Journal:
    """Where the stages of one deployment report; `report` never waits."""

    def __init__(
        self, deployment: str, log: ProgressLog, redactor: Redactor, listener: Listener
    ) -> None:
        self._deployment = deployment
        self._log = log
        self._redactor = redactor
        self._listener = listener
        self._unwritten: list[tuple[float, Progress]] = []
        self._writing = asyncio.Lock()

    def report(self, event: Progress) -> None:
        """Mask the event's secrets, show it and keep it for the next batch."""
        at = time.time()
        masked = _masked(event, self._redactor)
        self._unwritten.append((at, masked))
        self._listener(at, masked)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator["Journal"]:
        """Store what is reported while this is open."""
        writer = asyncio.create_task(self._write_on())
        try:
            yield self
        finally:
            writer.cancel()
            await asyncio.wait({writer})
            await self.write()

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE)
            await asyncio.shield(self.write())

    async def write(self) -> None:
        """Store what was reported so far."""
        async with self._writing:
            batch, self._unwritten = self._unwritten, []
            if not batch:
                return
            try:
                await self._log.append(self._deployment, batch)
            except StoppedError as error:
                # The deployment goes on: what it does is on disk, only its log has a gap.
                _log.warning("progress of %s was not stored: %s", self._deployment, error)


def _masked(event: Progress, redactor: Redactor) -> Progress:
    changed: dict[str, Any] = {}
    for field in fields(event):
        value = getattr(event, field.name)
        if type(value) is str:
            clean: object = redactor.clean(value)
        elif isinstance(value, tuple) and value and all(type(each) is str for each in value):
            clean = tuple(redactor.clean(each) for each in value)
        else:
            continue
        if clean != value:
            changed[field.name] = clean
    return replace(event, **changed) if changed else event
