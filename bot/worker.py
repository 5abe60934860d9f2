"""`pachops worker`: runs deployments of a shared database until it is told to stop."""

import asyncio
import logging

import bot.workflow  # noqa: F401 - here rather than in the middle of the first deployment
from bot.domain.reasons import Code, StoppedError
from bot.retention import Cleaner
from bot.serve import open_worker
from bot.settings import Settings
from bot.signals import signals_set

LOG = logging.getLogger(__name__)


async def work(settings: Settings, *, stop: asyncio.Event | None = None) -> None:
    """Run what is submitted, until SIGTERM or Ctrl-C; a second one ends the process at once.

    What still runs when `timeouts: stop` is over is interrupted and goes on elsewhere.

    Raises:
        StoppedError: BAD_SETTINGS where it would run nothing; those of `Engine.start`.
    """
    if not settings.running_deployments:
        raise StoppedError(
            Code.BAD_SETTINGS,
            "a worker that runs 0 deployments at a time does nothing",
            where="PACHOPS_RUNNING_DEPLOYMENTS",
        )
    stop = stop or asyncio.Event()
    async with open_worker(settings, running=settings.running_deployments, stays=True) as bot:
        with signals_set(stop):
            await bot.engine.start()
            cleaning = asyncio.create_task(Cleaner(bot).run())
            LOG.info("at work, up to %d deployments at a time", settings.running_deployments)
            await stop.wait()
            LOG.info("stopping")
            await bot.engine.drain(settings.timeouts.stop)
            cleaning.cancel()
            await asyncio.wait({cleaning})
