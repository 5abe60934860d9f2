"""A place for a web server to listen at."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from bot.connections import Connections
from bot.domain.reasons import Code, StoppedError

LOG = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 5.0
"""How long requests that are being answered may take at the end."""


@asynccontextmanager
async def listening(
    app: web.Application, host: str, port: int, setting: str
) -> AsyncIterator[list[str]]:
    """Listen meanwhile; the addresses. Errors: those of `listen`."""
    connections = Connections()
    app.middlewares.append(connections.middleware)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    watching = asyncio.create_task(connections.watch(runner))
    try:
        await listen(runner, host, port, setting)
        addresses = [f"http://{host}:{port}" for host, port, *_ in runner.addresses]
        LOG.info("listening at %s", ", ".join(addresses))
        yield addresses
    finally:
        watching.cancel()
        await asyncio.wait({watching})
        await runner.cleanup()


async def listen(
    runner: web.AppRunner, host: str, port: int, setting: str, *, next_step: str | None = None
) -> None:
    """Listen; BAD_SETTINGS names the setting where that cannot be."""
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise StoppedError(
            Code.BAD_SETTINGS,
            f"{host}:{port} cannot be listened at: {error.strerror or error}",
            where=setting,
            next_step=next_step,
        ) from error
