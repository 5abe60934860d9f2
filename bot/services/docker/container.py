"""Running an image's test: a container with nothing but memory, a command and an end."""

import asyncio
import posixpath
import time
import uuid
from collections.abc import Callable
from contextlib import aclosing, suppress
from http import HTTPStatus

from docker.errors import APIError, DockerException, NotFound
from docker.types import LogConfig, Ulimit
from docker.utils import parse_bytes

from bot.domain.deployment import Stage
from bot.domain.progress import Log, Progress
from bot.domain.reasons import Code, StoppedError
from bot.services.docker.lines import Lines, Mask
from bot.services.docker.link import Link
from bot.services.docker.orders import TestOrder, TestRun
from bot.services.docker.wire import SILENCE_TIMEOUT, EngineClient

DEPLOYMENT_LABEL = "pachops.deployment"
NOBODY = "65534:65534"
PROCESSES = 512
OPEN_FILES = 1024
SCRATCH = "rw,nosuid,nodev,size=256m,mode=1777"
TAIL_LINES = 50
NOT_FOUND = 127


async def run_test(link: Link, order: TestOrder, report: Callable[[Progress], None]) -> TestRun:
    """Run the command to its end or its time-out; whatever happens, no container is left."""
    memory = _bytes(order)
    name = f"pachops-test-{uuid.uuid4().hex[:12]}"
    # A create that is cancelled half way makes the container all the same: it is awaited before
    # the container is removed by the name it was given beforehand.
    creating = asyncio.ensure_future(link.call(lambda client: _create(client, name, order, memory)))
    try:
        try:
            await asyncio.shield(creating)
        except APIError as error:
            raise _refused(order, error) from error
        return await _run(link, name, order, _Output(order.image, report, link.mask()))
    finally:
        await asyncio.shield(_remove(link, name, creating))


async def remove_leftovers(link: Link, deployment: str) -> int:
    """Remove the containers that a killed bot left of a deployment; how many there were."""

    def remove(client: EngineClient) -> int:
        label = f"{DEPLOYMENT_LABEL}={deployment}"
        found = client.containers(all=True, filters={"label": label})
        for container in found:
            _remove_container(client, container["Id"])
        return len(found)

    return await link.call(remove)


def _create(client: EngineClient, name: str, order: TestOrder, memory: int) -> None:
    limits = client.create_host_config(
        network_mode="none",
        mem_limit=memory,
        memswap_limit=memory,
        pids_limit=PROCESSES,
        read_only=True,
        tmpfs=dict.fromkeys(("/tmp", *_volumes(client, order.reference)), SCRATCH),  # noqa: S108 - in the container
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        init=True,
        ulimits=[Ulimit(name="nofile", soft=OPEN_FILES, hard=OPEN_FILES)],
        log_config=LogConfig(type="none"),
    )
    client.create_container(
        order.reference,
        command=list(order.command[1:]),
        entrypoint=list(order.command[:1]),
        name=name,
        host_config=limits,
        user=NOBODY,
        environment={"HOME": "/tmp", **order.environment},  # noqa: S108 - in the container
        labels=dict(order.labels),
        network_disabled=True,
        # Without a network it needs no proxy, and a proxy's address may hold a login.
        use_config_proxy=False,
    )


def _volumes(client: EngineClient, reference: str) -> tuple[str, ...]:
    """The image's own volumes: a folder of the engine's disk, without a limit, for each."""
    found = client.inspect_image(reference)  # type: ignore[no-untyped-call]  # the stubs lack its types
    volumes = (found.get("Config") or {}).get("Volumes") or {}
    return tuple(posixpath.normpath(path) for path in volumes)


def _bytes(order: TestOrder) -> int:
    try:
        return int(parse_bytes(order.memory))
    except (DockerException, ValueError) as error:
        raise StoppedError(
            Code.PROJECT_INVALID,
            f"'{order.memory}' is not an amount of memory",
            where=f"image {order.image}: test_memory",
            next_step="Write a number with b, k, m or g: 512m.",
        ) from error


async def _run(link: Link, name: str, order: TestOrder, output: "_Output") -> TestRun:
    with link.client(timeout=SILENCE_TIMEOUT) as client:
        # Attached before it starts, so that nothing it writes is lost.
        frames = await link.run(lambda: client.output(name))
        began = time.monotonic()
        try:
            await link.call(lambda c: c.start(name))
        except APIError as error:
            return _not_started(order, error, output)
        timed_out = False
        try:
            async with asyncio.timeout(order.timeout):
                async with aclosing(link.relay(lambda: frames, client.cut)) as chunks:
                    async for stream, chunk in chunks:
                        output.feed(stream, chunk)
                await link.long_call(lambda c: c.wait(name, timeout=SILENCE_TIMEOUT))
        except TimeoutError:
            timed_out = True
            await link.call(lambda c: _kill(c, name))
    seconds = round(time.monotonic() - began, 3)
    state = (await link.call(lambda c: c.inspect_container(name)))["State"]
    return TestRun(
        exit_code=state["ExitCode"],
        out_of_memory=state["OOMKilled"] and not timed_out,
        timed_out=timed_out,
        seconds=seconds,
        output_tail=output.end(),
    )


def _kill(client: EngineClient, name: str) -> None:
    with suppress(APIError):  # it has just ended by itself
        client.kill(name)
    client.wait(name)


def _not_started(order: TestOrder, error: APIError, output: "_Output") -> TestRun:
    """An engine whose init does not say it: the command is not in the image."""
    said = str(error.explanation or error)
    if "docker-init" in said:
        fact = "it has no docker-init, under which tests run"
        raise StoppedError(Code.ENGINE_LACKS, fact, next_step="Install tini.") from error
    if "no such file or directory" not in said and "not found" not in said:
        raise _refused(order, error) from error
    output.line(f"{order.command[0]}: not found in the image")
    return TestRun(
        NOT_FOUND, out_of_memory=False, timed_out=False, seconds=0.0, output_tail=output.end()
    )


def _refused(order: TestOrder, error: APIError) -> StoppedError:
    return StoppedError(
        Code.TEST_FAILED,
        f"the engine refused to run it: {error.explanation or error}",
        where=f"image {order.image}",
        next_step="Correct what the engine names.",
    )


async def _remove(link: Link, name: str, creating: "asyncio.Future[None]") -> None:
    await asyncio.wait({creating})
    if creating.exception() is not None:
        return
    # The test's own result matters more; what is left has the deployment's label.
    with suppress(StoppedError, APIError):
        await link.call(lambda client: _remove_container(client, name))


def _remove_container(client: EngineClient, container: str) -> None:
    try:
        client.remove_container(container, force=True, v=True)
    except NotFound:
        return
    except APIError as error:
        # "removal already in progress"
        if error.status_code != HTTPStatus.CONFLICT:
            raise


class _Output:
    """Reports what the test writes, line by line, and keeps the last lines."""

    def __init__(self, image: str, report: Callable[[Progress], None], mask: Mask) -> None:
        self._image = image
        self._report = report
        self._streams = {1: Lines(mask), 2: Lines(mask)}
        self._tail: list[str] = []

    def feed(self, stream: int, chunk: bytes) -> None:
        for line in self._streams[stream].feed(chunk):
            self.line(line)

    def line(self, text: str) -> None:
        self._tail = [*self._tail[1 - TAIL_LINES :], text]
        self._report(Log(Stage.TEST, self._image, text))

    def end(self) -> tuple[str, ...]:
        for lines in self._streams.values():
            for line in lines.end():
                self.line(line)
        return tuple(self._tail)
