"""Waiting for who does not answer: GitHub, where nobody sits at a terminal, or pachd in an update."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.domain.reasons import GITHUB_PASSES, Code, StoppedError

T = TypeVar("T")

PAUSES = (5.0, 15.0, 30.0, 60.0, 120.0)
"""Seconds before each further attempt."""

LOG = logging.getLogger(__name__)


async def patiently(
    work: Callable[[], Awaitable[T]],
    *,
    passes: frozenset[Code] = GITHUB_PASSES,
    pauses: tuple[float, ...] = PAUSES,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """Do what may be done again, until it does not end with what passes or the pauses are over."""
    for pause in pauses:
        try:
            return await work()
        except StoppedError as stopped:
            if stopped.reason.code not in passes:
                raise
            LOG.warning("tried again in %.0f s: %s", pause, stopped)
            await sleep(pause)
    return await work()
