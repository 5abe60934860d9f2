"""A builder of `docker buildx ls`: what it is, and whether it answers."""

import asyncio
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.reasons import Code, StoppedError
from bot.services.docker.lines import clean
from bot.services.processes import begin, kill_group

WAITS = 10.0
"""Seconds for a builder to answer; buildx itself would wait 20."""
_REMOTE = "remote"
_FIELD = re.compile(r"^(\w+): *(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Builder:
    """One that is there."""

    driver: str
    platforms: tuple[str, ...]
    """Those that it told; one that has not started yet tells none."""


async def look_at_builder(name: str) -> Builder:
    """Look, and start nothing: of what starts when it is needed, only that it is declared.

    Raises:
        StoppedError: ENGINE_LACKS, BAD_SETTINGS where there is none of that name, or
            ENGINE_UNREACHABLE.
    """
    found = await _inspect(name)
    if found.driver == _REMOTE:
        # It runs already, or does not: to wait for it starts nothing.
        found = await _inspect(name, "--bootstrap")
    return found


async def _inspect(name: str, *options: str) -> Builder:
    status, text = await _run("docker", "buildx", "inspect", "--builder", name, *options)
    if status:
        lines = [line for line in text.splitlines() if line.startswith("ERROR: ")]
        fact = lines[-1].removeprefix("ERROR: ") if lines else text.strip()
        raise missing(text, name) or _unreachable(name, fact)
    told: dict[str, str] = {}
    for field, value in _FIELD.findall(text):
        told.setdefault(field, value)
    if error := told.get("Error"):
        raise _unreachable(name, error)
    platforms = told.get("Platforms", "").replace("*", "").split(", ")
    return Builder(told.get("Driver", ""), tuple(filter(None, platforms)))


async def _run(*command: str) -> tuple[int, str]:
    """Its exit status, and all that it said."""
    try:
        process = await begin(
            *command,
            env=environment({}),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except FileNotFoundError as error:
        raise no_buildx("docker is not installed here") from error
    try:
        async with asyncio.timeout(WAITS):
            said, _ = await process.communicate()
    except TimeoutError:
        return 1, f"ERROR: no answer within {WAITS:.0f} s"
    finally:
        if process.returncode is None:
            # Docker's command has started buildx as another.
            kill_group(process.pid)
            await process.wait()
    lines = said.decode(errors="replace").splitlines()
    return process.returncode or 0, "\n".join(map(clean, lines))


def environment(secrets: Mapping[str, str]) -> dict[str, str]:
    """For docker: ours, less our own settings. They hold secrets, and engines that are not its."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PACHOPS_") and not (name == "DOCKER_HOST" and "," in value)
    }
    return ours | dict(secrets)


def missing(said: str, name: str) -> StoppedError | None:
    """Why there is no such builder; None where that is not what docker said."""
    # A docker without it takes the option for one of its own.
    if re.search("is not a docker command|unknown command|unknown flag: --builder", said):
        return no_buildx("docker has no buildx")
    if "no builder" in said and "found" in said:
        return StoppedError(
            Code.BAD_SETTINGS,
            f"docker buildx has no builder '{name}'",
            where="PACHOPS_BUILDX_BUILDER",
            next_step="Name one that `docker buildx ls` lists, or make it with "
            "`docker buildx create`.",
        )
    return None


def no_buildx(fact: str) -> StoppedError:
    """Without it nothing can be built."""
    return StoppedError(
        Code.ENGINE_LACKS,
        fact,
        where="PACHOPS_BUILDX_BUILDER",
        next_step="Install docker's command line with its buildx plugin where the bot runs.",
    )


def _unreachable(name: str, fact: str) -> StoppedError:
    return StoppedError(
        Code.ENGINE_UNREACHABLE,
        fact,
        where=name,
        next_step=f"Look at it with `docker buildx inspect --bootstrap {name}`.",
    )
