"""What the tests of the engine share: contexts, a proxy that misbehaves, and ways to look."""

import asyncio
import contextlib
import io
import ssl
import subprocess
import tarfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, BinaryIO, TypeVar, cast

import docker
import psutil

from bot.domain.progress import Log, Progress, Step
from bot.domain.reasons import Code, StoppedError

T = TypeVar("T", bound=Progress)


def context(files: Mapping[str, str]) -> Callable[[], AbstractContextManager[BinaryIO]]:
    """A build context with these files, as `git archive` would give it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return lambda: contextlib.closing(io.BytesIO(buffer.getvalue()))


class ProcessContext:
    """A context that a process writes to a pipe; `left` says that it was ended."""

    def __init__(self, *command: str) -> None:
        self.left = False
        self.read = False
        self._command = command

    @contextlib.contextmanager
    def open(self) -> Iterator[BinaryIO]:
        with subprocess.Popen(self._command, stdout=subprocess.PIPE) as process:  # noqa: S603 - a test's own
            try:
                self.read = True
                yield cast(BinaryIO, cast(IO[bytes], process.stdout))
            finally:
                process.kill()
                process.wait()
                self.left = True


class Events:
    """Collects what is reported."""

    def __init__(self) -> None:
        self.all: list[Progress] = []

    def __call__(self, event: Progress) -> None:
        self.all.append(event)

    def of(self, kind: type[T]) -> list[T]:
        return [event for event in self.all if isinstance(event, kind)]

    @property
    def lines(self) -> list[str]:
        return [log.text for log in self.of(Log)]

    @property
    def steps(self) -> list[Step]:
        return self.of(Step)


async def eventually(holds: Callable[[], bool], *, within: float = 30.0) -> None:
    """Wait until something holds; fails when it does not in time."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.02)


async def reason_of(work: Awaitable[object]) -> StoppedError:
    """The error that the work stops with."""
    try:
        await work
    except StoppedError as error:
        return error
    raise AssertionError("it did not stop")


async def code_of(work: Awaitable[object]) -> Code:
    return (await reason_of(work)).reason.code


def address_of(server: asyncio.Server) -> str:
    """Host and port."""
    host, port = server.sockets[0].getsockname()[:2]
    return f"{host}:{port}"


def id_of(api: docker.APIClient, reference: str) -> str:
    """The image's id as the engine tells it."""
    found = api.inspect_image(reference)  # type: ignore[no-untyped-call] # the stubs lack its types
    return str(found["Id"])


def runs(argument: str) -> bool:
    """Whether a process of this machine has this argument."""
    return any(
        argument in (process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])
    )


class Proxy:
    """Stands between the bot and the engine; it can refuse sessions and break."""

    def __init__(self, engine_host: str, *, refuse_sessions: bool = False) -> None:
        self.sent = 0
        self._engine = engine_host.removeprefix("unix://")
        self._refuse_sessions = refuse_sessions
        self._tasks: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def on_socket(self, path: Path) -> AsyncIterator[str]:
        async with await asyncio.start_unix_server(self._serve, path):
            yield f"unix://{path}"
            await self.break_down()

    @contextlib.asynccontextmanager
    async def on_port(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls) as server:
            yield f"tcp://{address_of(server)}"
            await self.break_down()

    async def break_down(self) -> None:
        """Close every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        first = await reader.read(65536)
        if self._refuse_sessions and b"/session HTTP" in first.partition(b"\r\n")[0]:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        up_reader, up_writer = await asyncio.open_unix_connection(self._engine)
        up_writer.write(first)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._copy(reader, up_writer))
                group.create_task(self._copy(up_reader, writer))
        finally:
            writer.transport.abort()
            up_writer.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while block := await reader.read(65536):
                self.sent += len(block)
                writer.write(block)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
            else:
                writer.close()
