"""Whoever types is told first what became of their locks: nobody else could reach them."""

import logging
import time

from bot.account import user
from bot.domain.deployment import Actor
from bot.domain.reasons import StoppedError
from bot.store.locks import Locks
from handlers.reports.locks import notice_line
from handlers.reports.stream import standard_error
from handlers.reports.text import one_line

LOG = logging.getLogger(__name__)


async def tell_of_locks(locks: Locks) -> None:
    """On standard error, each once: standard output may be read by a program."""
    try:
        notices = await locks.show(Actor(user(), "cli"), time.time())
    except StoppedError as stopped:
        # What was typed counts more; the next command tells.
        LOG.warning("what became of locks is not told: %s", stopped)
        return
    for notice in notices:
        standard_error().write(one_line(notice_line(notice, "pachops", "--to ")) + "\n")
