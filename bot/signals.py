"""SIGTERM and Ctrl-C for processes that stand until they are told to stop."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def signals_set(stop: asyncio.Event) -> Iterator[None]:
    """SIGTERM and Ctrl-C set it; after the first they mean what they usually do."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

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
