"""In processes of their own: a test's own signals are pytest's."""

import signal
import subprocess
import sys

import pytest

STANDS = """
import asyncio
from bot.signals import signals_set

async def main():
    stop = asyncio.Event()
    with signals_set(stop):
        print("stands", flush=True)
        await stop.wait()
        print("asked", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_asks_and_the_second_ends(asked: signal.Signals) -> None:
    command = [sys.executable, "-c", STANDS]
    with subprocess.Popen(  # noqa: S603 - our own interpreter
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "stands\n"
            process.send_signal(asked)
            assert process.stdout.readline() == "asked\n"
            process.send_signal(asked)
            assert process.wait(30) == -asked
        finally:
            process.kill()
