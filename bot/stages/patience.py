"""Waiting for a GitHub that does not answer, where nobody sits at a terminal."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.domain.reasons import GITHUB_PASSES, StoppedError

T = TypeVar("T")

PAUSES = (5.0, 15.0, 30.0, 60.0, 120.0)
"""Seconds before each further attempt."""

LOG = logging.getLogger(__name__)


async def patiently(
    work: Callable[[], Awaitable[T]],
    *,
    pauses: tuple[float, ...] = PAUSES,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """Do what may be done again, until GitHub answers or the pauses are over."""
    for pause in pauses:
        try:
            return await work()
        except StoppedError as stopped:
            if stopped.reason.code not in GITHUB_PASSES:
                raise
            LOG.warning("tried again in %.0f s: %s", pause, stopped)
            await sleep(pause)
    return await work()
