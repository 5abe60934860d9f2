"""Calls to one Docker Engine from the loop: threads, time-outs, cancelling, errors."""

import asyncio
import http.client
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, contextmanager
from typing import TypeVar

import requests
import urllib3
from docker.errors import APIError
from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError
from bot.services.docker.lines import Mask
from bot.services.docker.logins import check_config
from bot.services.docker.wire import CALL_TIMEOUT, SILENCE_TIMEOUT, Address, EngineClient
from bot.services.logins import Login

T = TypeVar("T")

CALL_THREADS = 4
ROOM = 1000
"""Messages that may wait for the loop; then the thread waits, and with it the engine."""


class Link:
    """One engine: its address, the version of its API, and the threads that talk to it.

    Every call gets a client of its own: requests' sessions are not made for several threads, and a
    client can be cut without harm to others.
    """

    def __init__(
        self,
        address: Address,
        api_version: str,
        find_login: Callable[[str], Login | None],
        streams: int,
        secrets: Iterable[SecretStr] = (),
    ) -> None:
        self.address = address
        self.api_version = api_version
        self._find_login = find_login
        self._secrets = tuple(secrets)
        self._calls = ThreadPoolExecutor(CALL_THREADS, "docker-call")
        self._streams = ThreadPoolExecutor(streams, "docker-stream")
        # Of its own: cancelling must not wait behind a call that is slow.
        self._cuts = ThreadPoolExecutor(streams, "docker-cut")

    async def close(self) -> None:
        """Wait for the streams' threads; those of short calls end by themselves."""
        await self.run(self._streams.shutdown)
        self._calls.shutdown(wait=False)
        self._cuts.shutdown(wait=False)

    def client(self, *, timeout: int = CALL_TIMEOUT) -> EngineClient:
        """A client for one call; its user closes it."""
        check_config()  # the SDK reads it for each client
        return EngineClient(self.address, self.api_version, timeout=timeout)

    def mask(self, secrets: Iterable[SecretStr] = ()) -> Mask:
        """Hides what no output may show: the engine's secrets and these."""
        return Mask.of((*self._secrets, *secrets))

    async def call(self, call: Callable[[EngineClient], T], *, timeout: int = CALL_TIMEOUT) -> T:  # noqa: ASYNC109 - of the socket
        """Make one short call.

        Raises what the SDK raises for an answer that is an error, and StoppedError where the
        engine does not answer.
        """

        def made() -> T:
            with self.client(timeout=timeout) as client, engine_errors(self.address):
                return call(client)

        return await self.run(made)

    async def long_call(self, call: Callable[[EngineClient], T]) -> T:
        """Make a call whose answer may take hours; cancelling cuts it."""
        with self.client(timeout=SILENCE_TIMEOUT) as client:
            async with aclosing(self.relay(lambda: [call(client)], client.cut)) as answers:
                return await anext(answers)

    async def login(self, registry: str) -> Login | None:
        """The login for a registry; a credential helper may be run for it."""
        return await self.run(lambda: self._find_login(registry))

    async def run(self, call: Callable[[], T]) -> T:
        """Run what blocks shortly in one of the engine's threads."""
        return await asyncio.get_running_loop().run_in_executor(self._calls, call)

    async def relay(
        self, read: Callable[[], Iterable[T]], cut: Callable[[], None]
    ) -> AsyncGenerator[T, None]:
        """What `read` gives, read in a thread of its own.

        Closing the generator early (use `aclosing`) calls `cut`, which must end `read` whatever it
        waits for, and waits for the thread.
        """
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[T] | None] = asyncio.Queue()
        room = threading.Semaphore(ROOM)
        stopped = threading.Event()

        def run() -> None:
            try:
                for message in read():
                    room.acquire()
                    if stopped.is_set():
                        return
                    loop.call_soon_threadsafe(queue.put_nowait, (message,))
            finally:
                loop.call_soon_threadsafe(queue.put_nowait, None)

        thread = self._streams.submit(run)
        try:
            while (item := await queue.get()) is not None:
                room.release()
                yield item[0]
            with engine_errors(self.address):
                await asyncio.wrap_future(thread)
        finally:
            stopped.set()
            room.release()
            if not thread.cancel() and not thread.done():
                await asyncio.shield(self._end(thread, cut))

    async def _end(self, thread: "Future[None]", cut: Callable[[], None]) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._cuts, cut)
        finally:
            ended = asyncio.wrap_future(thread)
            await asyncio.wait({ended})
            ended.exception()  # a cut call fails; nobody is interested in how


@contextmanager
def engine_errors(address: Address) -> Iterator[None]:
    """Turn what is raised for an engine that is not there into StoppedError.

    An answer that is an error (APIError) goes through: only its caller knows what it means.
    """
    try:
        yield
    except (StoppedError, APIError):
        raise
    except (
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
        OSError,
    ) as error:
        raise unreachable(address, error) from error


def unreachable(address: Address, error: BaseException) -> StoppedError:
    """The engine did not answer, or stopped answering."""
    causes = list(_causes(error))
    if any(isinstance(cause, PermissionError) for cause in causes):
        return StoppedError(
            Code.ENGINE_UNREACHABLE,
            "this user may not use the Docker Engine",
            where=address.text,
            next_step="Add the user that the bot runs as to the group docker, and log in again.",
        )
    told = [cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror]
    slow = any(isinstance(cause, TimeoutError | requests.Timeout) for cause in causes)
    fact = told[-1] if told else "it did not answer in time" if slow else "the connection broke"
    return StoppedError(Code.ENGINE_UNREACHABLE, fact, where=address.text)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was made from; requests and urllib3 put that in the arguments."""
    yield error
    inner = [arg for arg in error.args if isinstance(arg, BaseException)]
    if not inner and (cause := error.__cause__ or error.__context__):
        inner = [cause]
    for cause in inner:
        yield from _causes(cause)
