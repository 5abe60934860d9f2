"""SIGTERM and Ctrl-C, for processes that stand until they are told to stop and for commands."""

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager


@contextmanager
def signals_set(
    stop: asyncio.Event, signals: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)
) -> Iterator[None]:
    """SIGTERM and Ctrl-C set it; after the first they mean what they usually do."""
    loop = asyncio.get_running_loop()

    def asked() -> None:
        stop.set()
        for each in signals:
            loop.remove_signal_handler(each)

    for each in signals:
        loop.add_signal_handler(each, asked)
    try:
        yield
    finally:
        for each in signals:
            loop.remove_signal_handler(each)


@asynccontextmanager
async def interruptible() -> AsyncIterator[asyncio.Event]:
    """An event that the first Ctrl-C, SIGTERM or closed terminal sets; a second ends us."""
    interrupted = asyncio.Event()
    with signals_set(interrupted, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)):
        yield interrupted


async def unless(interrupted: asyncio.Event, work: Coroutine[object, object, None]) -> None:
    """Do the work, or leave it when the event comes."""
    tasks = asyncio.create_task(work), asyncio.create_task(interrupted.wait())
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    if not tasks[0].cancelled():
        tasks[0].result()
