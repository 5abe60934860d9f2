"""`pachops worker`: runs deployments of a shared database until it is told to stop."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from aiohttp import web

import bot.workflow  # noqa: F401 - here rather than in the middle of the first deployment
from bot.app import Bot
from bot.domain.reasons import Code, StoppedError
from bot.garbage import keep_what_is_loaded
from bot.listening import listening
from bot.readiness import Readiness
from bot.retention import Cleaner
from bot.serve import open_worker
from bot.settings import Settings, WebSettings
from bot.signals import signals_set
from bot.store.deliveries import Deliveries
from handlers.web.app import worker_app
from handlers.web.process_metrics import ProcessMetrics

LOG = logging.getLogger(__name__)


async def work(
    settings: Settings,
    *,
    stop: asyncio.Event | None = None,
    noted: Callable[[Bot], AbstractAsyncContextManager[None]] = lambda _bot: nullcontext(),
) -> None:
    """Run what is submitted, until SIGTERM or Ctrl-C; a second one ends the process at once.

    What still runs when `timeouts: stop` is over is interrupted and goes on elsewhere. It is carried
    out in `noted`.

    Raises:
        StoppedError: BAD_SETTINGS where it would run nothing or its port is taken;
            DATA_DIR_UNUSABLE; those of `Engine.start`.
    """
    if not settings.running_deployments:
        raise StoppedError(
            Code.BAD_SETTINGS,
            "a worker that runs 0 deployments at a time does nothing",
            where="PACHOPS_RUNNING_DEPLOYMENTS",
        )
    stop, metrics = stop or asyncio.Event(), ProcessMetrics(token=settings.web.metrics_token)
    running = settings.running_deployments
    async with (
        open_worker(settings, running=running, stays=True, calls=metrics) as bot,
        noted(bot),
    ):
        readiness = Readiness(bot.database, lambda: bot.engine.is_running)
        app = worker_app(Deliveries(bot.database).count_waiting, readiness.check, metrics.answer)
        with signals_set(stop):
            # Without a disk it would take from the others what it can only fail.
            await bot.git.ready()
            await bot.engine.start()
            keep_what_is_loaded()
            async with _listening(app, settings.web):
                cleaning = asyncio.create_task(Cleaner(bot).run())
                LOG.info("at work, up to %d deployments at a time", running)
                await stop.wait()
                readiness.stopping.set()
                LOG.info("stopping")
                await bot.engine.drain(settings.timeouts.stop)
                cleaning.cancel()
                await asyncio.wait({cleaning})


def _listening(app: web.Application, place: WebSettings) -> AbstractAsyncContextManager[object]:
    if place.worker_port is None:
        return nullcontext()
    return listening(app, place.host, place.worker_port, "PACHOPS_WEB_WORKER_PORT")
