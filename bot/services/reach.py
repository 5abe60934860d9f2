"""One page of the web, to see whether it is there."""

import asyncio
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import aiohttp

from bot.domain.reasons import Code, StoppedError

TIMEOUT = 10.0
_LARGEST = 10_000


@dataclass(frozen=True)
class Answer:
    """What was answered."""

    status: int
    text: str
    """Its beginning."""
    skew: float | None = None
    """Seconds that our clock is ahead of theirs; None where they do not tell."""


async def fetch(url: str) -> Answer:
    """Ask for it, once. StoppedError BAD_SETTINGS where nothing answers there."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(url) as answer,
        ):
            body = await answer.content.read(_LARGEST)
            skew = _skew(answer.headers.get("Date", ""))
            return Answer(answer.status, body.decode(errors="replace"), skew)
    except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError) as error:
        raise StoppedError(
            Code.BAD_SETTINGS,
            f"{url}: {str(error) or type(error).__name__}",
            next_step="Check the address, its DNS name and the proxy in front.",
        ) from error


def _skew(date: str) -> float | None:
    try:
        return time.time() - parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError):
        return None
