"""docker buildx: builds on any of its drivers, for several platforms, straight into the registry."""

import asyncio
import json
import os
import signal
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import BinaryIO

from pydantic import SecretStr

from bot.domain.progress import Progress
from bot.domain.reasons import Code, StoppedError
from bot.services.docker import rawjson
from bot.services.docker.builder import environment, missing, no_buildx
from bot.services.docker.failures import BuildEnd, build_failure, pushed_in_vain
from bot.services.docker.lines import Mask, clean
from bot.services.docker.orders import BuildOrder
from bot.services.docker.trace import Trace
from bot.services.processes import begin

Report = Callable[[Progress], None]
OpenContext = Callable[[], AbstractContextManager[BinaryIO]]

CACHE_TAG = "pachops-cache"
"""Where an image's build cache is kept, beside the image."""

_BLOCK = 1 << 18
_LONGEST_LINE = 1 << 24
_TOLD = 20
"""How many of the lines for people are remembered: the last say why it failed."""
_END_SECONDS = 10.0
"""How long buildx may take to tell its builder that the build is off."""


class Buildx:
    """The builder `builder` of `docker buildx ls`.

    Logins to registries are docker's own. With `cache` every build reads and writes a cache in the
    registry, so that any machine continues where another was.
    """

    def __init__(
        self, builder: str, *, cache: bool = False, secrets: Iterable[SecretStr] = ()
    ) -> None:
        self._builder = builder
        self._cache = cache
        self._secrets = tuple(secrets)

    async def build(self, order: BuildOrder, open_context: OpenContext, report: Report) -> str:
        """Build an image and push it under its tags; the digest.

        Cancelling ends the build. Raises StoppedError.
        """
        mask = Mask.of((*self._secrets, *order.secrets.values()))
        trace = Trace(order.image, report, mask)
        with tempfile.TemporaryDirectory(prefix="pachops-buildx-") as folder:
            metadata = Path(folder) / "metadata.json"
            status, said = await self._run(order, metadata, open_context, trace)
            trace.end()
            if status:
                raise self._failure(order, trace, mask, said)
            digest = _digest(metadata)
        if digest is None:
            fact = "docker buildx did not say which image it pushed"
            raise StoppedError(Code.ENGINE_LACKS, fact, where=self._builder)
        return digest

    async def _run(
        self, order: BuildOrder, metadata: Path, open_context: OpenContext, trace: Trace
    ) -> tuple[int, list[str]]:
        """Its exit status, and what it said for people."""
        secrets = {f"PACHOPS_SECRET_{at}": name for at, name in enumerate(order.secrets)}
        command = _command(order, self._builder, metadata, secrets, cache=self._cache)
        try:
            process = await begin(
                *command,
                env=environment(
                    {key: order.secrets[name].get_secret_value() for key, name in secrets.items()}
                ),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                limit=_LONGEST_LINE,
            )
        except FileNotFoundError as error:
            raise no_buildx("docker is not installed here") from error
        sending = asyncio.create_task(_send(open_context, process))
        try:
            said = await _read(process, trace)
            return await process.wait(), said
        finally:
            await asyncio.shield(_end(process, sending))

    def _failure(
        self, order: BuildOrder, trace: Trace, mask: Mask, said: list[str]
    ) -> StoppedError:
        text = "\n".join(mask.hide(clean(line)) for line in said)
        if lacking := missing(text, self._builder):
            return lacking
        errors = [line.removeprefix("ERROR: ") for line in text.splitlines() if "ERROR:" in line]
        message = errors[-1] if errors else text or "docker buildx ended without a word"
        if refused := pushed_in_vain(order.tags[0], message, trace.failed):
            return refused
        if trace.failed is None and not errors:
            return StoppedError(Code.ENGINE_UNREACHABLE, message, where=self._builder)
        return build_failure(BuildEnd(order, message, trace.failed))


def _command(
    order: BuildOrder, builder: str, metadata: Path, secrets: Mapping[str, str], *, cache: bool
) -> list[str]:
    """Values of secrets are in the environment: everybody on the machine can read arguments."""
    command = ["docker", "buildx", "build", "--builder", builder, "--progress=rawjson"]
    command += ["--metadata-file", str(metadata), "--file", order.dockerfile, "--push"]
    # One manifest for one platform, as other engines push it.
    command += ["--provenance=false", "--sbom=false"]
    for tag in order.tags:
        command += ["--tag", tag]
    if order.platforms:
        command += ["--platform", ",".join(order.platforms)]
    if order.target:
        command += ["--target", order.target]
    if order.no_network:
        command += ["--network", "none"]
    for name, value in order.build_args.items():
        command += ["--build-arg", f"{name}={value}"]
    for name, value in order.labels.items():
        command += ["--label", f"{name}={value}"]
    for variable, name in secrets.items():
        command += ["--secret", f"id={name},env={variable}"]
    if cache:
        place = f"type=registry,ref={order.tags[0].rpartition(':')[0]}:{CACHE_TAG}"
        command += ["--cache-from", place, "--cache-to", f"{place},mode=max"]
    return [*command, "-"]


async def _send(open_context: OpenContext, process: asyncio.subprocess.Process) -> None:
    """The context into its stdin. An end that is not one kills it: it must not build half."""
    if process.stdin is None:
        raise AssertionError
    try:
        with open_context() as context:
            while block := await asyncio.to_thread(context.read, _BLOCK):
                process.stdin.write(block)
                await process.stdin.drain()
        process.stdin.close()
    except (BrokenPipeError, ConnectionResetError):
        return  # it has ended, and says why
    except BaseException:
        _signal(process, signal.SIGKILL)
        raise


async def _read(process: asyncio.subprocess.Process, trace: Trace) -> list[str]:
    if process.stderr is None:
        raise AssertionError
    said: list[str] = []
    lines = rawjson.Lines()
    async for line in process.stderr:
        text = lines.whole(line.decode(errors="replace").rstrip("\n"))
        if text is None:
            continue
        status = rawjson.parse(text)
        if status is not None:
            trace.feed(status)
        elif text.strip():
            said = [*said, *text.splitlines()][-_TOLD:]
    return [*said, *lines.rest().splitlines()][-_TOLD:]


async def _end(process: asyncio.subprocess.Process, sending: "asyncio.Task[None]") -> None:
    """Nothing of it stays, however it ended; what the context failed with counts."""
    if process.returncode is None:
        # It tells the builder; one that is killed leaves that to the builder's own time-outs.
        _signal(process, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                await process.wait()
    _signal(process, signal.SIGKILL)
    await process.wait()
    if not sending.done():
        sending.cancel()
    await asyncio.wait({sending})
    if not sending.cancelled() and (error := sending.exception()):
        raise error


def _signal(process: asyncio.subprocess.Process, which: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, which)


def _digest(metadata: Path) -> str | None:
    try:
        found = json.loads(metadata.read_bytes()).get("containerimage.digest")
    except (OSError, ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None
