"""local-slack for everybody on this machine and nobody else.

It runs in a network of its own, which has one door: a socket that was opened outside, on loopback,
before the network was left. `python -m tests.real.local_slack_door SOCKET PROGRAM` is what runs
inside; it reads the configuration as one line of JSON, and ends when its standard input does.
"""

import asyncio
import contextlib
import json
import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.real.engine import MissingPartError
from tests.real.local_slack import alone, local_slack

PROJECT = Path(__file__).parents[2]
START_TIMEOUT = 60.0
STOP_TIMEOUT = 10.0
_PORTION = 65536


@contextlib.contextmanager
def local_slack_on_loopback(program: Path, config: Mapping[str, Any]) -> Iterator[str]:
    """Its URL, while it runs.

    Raises:
        MissingPartError: this machine gives us no network for it, or it does not start.
    """
    with socket.create_server(("127.0.0.1", 0)) as door:
        number = door.fileno()
        inside = [sys.executable, "-m", "tests.real.local_slack_door", str(number), str(program)]
        process = subprocess.Popen(  # noqa: S603 - our own
            alone(inside),
            cwd=PROJECT,
            pass_fds=[number],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl-C is for us, and we end it in order
        )
        with process:
            try:
                _start(process, config)
                yield f"http://127.0.0.1:{door.getsockname()[1]}"
            finally:
                _stop(process)


def _start(process: subprocess.Popen[str], config: Mapping[str, Any]) -> None:
    if process.stdin is None or process.stdout is None:
        raise ValueError("the process has no pipes")
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(json.dumps(config) + "\n")
        process.stdin.flush()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        ready = selector.select(START_TIMEOUT)
    if not ready or not process.stdout.readline():
        raise MissingPartError("local-slack did not start.")


def _stop(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()


async def _serve(door: socket.socket, port: int) -> None:
    """Lead whoever comes to the same port of this network, until standard input ends."""

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
            async with asyncio.TaskGroup() as group:
                group.create_task(_carry(reader, inner_writer))
                group.create_task(_carry(inner_reader, writer))

    server = await asyncio.start_server(lead, sock=door)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    server.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with contextlib.suppress(OSError):
            while portion := await reader.read(_PORTION):
                writer.write(portion)
                await writer.drain()
    finally:
        writer.close()


def main() -> None:
    """Inside."""
    door = socket.socket(fileno=int(sys.argv[1]))
    config = json.loads(sys.stdin.readline())
    port = door.getsockname()[1]
    with local_slack(Path(sys.argv[2]), config, port=port):
        asyncio.run(_serve(door, port))


if __name__ == "__main__":
    main()
