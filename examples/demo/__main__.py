"""Play the story, say where to look, and stay until Ctrl-C; or end with it, where ONCE is set."""

import asyncio
import os
import shlex
import stat
import sys
import time
from pathlib import Path

import grpc

from examples import demo_cli
from examples.demo import story, telling
from examples.demo.telling import WrongError, line, places
from examples.demo.world import CHANNEL, PULL, REPOSITORY, World, opened
from tests.real.engine import MissingPartError
from tests.real.github_emulator import install_emulate
from tests.real.local_slack import alone, install_local_slack
from tests.real.outside import PACHOPS

STOPPED = 130
"""The status of what Ctrl-C has ended."""
FAILURES = (MissingPartError, WrongError, AssertionError, TimeoutError, grpc.RpcError)


def main() -> int:
    """Play it; the exit status."""
    began = time.monotonic()
    try:
        program, packages = install_local_slack(), install_emulate()
        alone(["true"])
    except MissingPartError as error:
        line(f"The whole demo needs a local Slack and a local GitHub. {error}")
        line("Here is the small one instead, at the command line alone: make demo-cli\n")
        return demo_cli.main()
    except KeyboardInterrupt:
        line("\nThe demo was stopped before it began.")
        return STOPPED
    try:
        asyncio.run(_show(program, packages, began))
    except (KeyboardInterrupt, asyncio.CancelledError):
        line("\nThe demo was stopped; what it had started is gone.")
        return STOPPED
    except FAILURES as error:
        print(f"\nThe demo failed: {error}", file=sys.stderr)
        return 1
    return 0


async def _show(program: Path, packages: Path, began: float) -> None:
    _cancelled_once(asyncio.current_task())
    line("pachops: a commit becomes running pipelines, where your team works already\n")
    async with opened(program, packages) as world:
        _introduce(world, began)
        try:
            await story.play(world)
        except FAILURES:
            line("\nWhat the bot said last:")
            line("\n".join(world.bot.lines[-10:]))
            line("\n$ pachops why")
            line((await world.pachops("why")).rstrip())
            raise
        await _say_where_to_look(world)
        line(f"\n{len(story.ACTS)} acts, every step checked, in {telling.took(began)}.")
        if not os.environ.get("ONCE") and sys.stdin.isatty() and sys.stdout.isatty():
            await _stay(world)
    line("Everything that was started is gone again.")


def _cancelled_once(playing: "asyncio.Task[None] | None") -> None:
    """By the first of its endings; the others find it taking away what it has started."""
    loop = asyncio.get_running_loop()

    def ended() -> None:
        if playing is not None and not playing.cancelling():
            playing.cancel()

    for each in demo_cli.ENDINGS:
        loop.add_signal_handler(each, ended)


def _introduce(world: World, began: float) -> None:
    engine = world.parts.engine
    whose = "started for this demo" if engine.own else "it was running"
    places(
        {
            "engine": f"{engine.host} ({whose})",
            "registry": world.parts.registry,
            "Pachyderm": f"{world.parts.pachd} (a stand-in; the gRPC is real)",
            "Slack": f"{world.slack.url} (npm's local-slack)",
            "GitHub": f"{world.github.url} (npm's emulate; its git, reactions and deployments are ours)",
            "pachops": f"{world.bot_url} (pachops serve)",
        }
    )
    line(f"\nAll of it is on this machine's loopback alone. Ready after {telling.took(began)}.")


async def _say_where_to_look(world: World) -> None:
    link = (await world.pachops("link")).strip()
    line("\n$ pachops history --to production")
    line((await world.pachops("history", "--to", "production")).rstrip())
    pull = f"{world.github.url}/{REPOSITORY}/pull/{PULL}"
    line("\nWhere to look")
    places({"Slack": world.slack.url, "the pull request": pull, "every deployment": link})


async def _stay(world: World) -> None:
    stopped = asyncio.Event()
    for each in demo_cli.ENDINGS:
        asyncio.get_running_loop().add_signal_handler(each, stopped.set)
    line("\nNow it is yours:")
    places(
        {
            "in Slack": f"/pachops help, in {CHANNEL}",
            "on the pull request": "/pachops deploy staging main, as a comment",
            "in a terminal": f"{_command(world)} history",
        }
    )
    line("\nCtrl-C ends it.")
    await stopped.wait()
    line()


def _command(world: World) -> Path:
    """A `pachops` with the demo's settings."""
    ours = ("PACHOPS_", "DOCKER_")
    settings = {name: it for name, it in world.environment.items() if name.startswith(ours)}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    file = world.parts.folder / "pachops"
    file.write_text("\n".join(["#!/bin/sh", *lines, f'exec {shlex.quote(str(PACHOPS))} "$@"', ""]))
    file.chmod(stat.S_IRWXU)
    return file


if __name__ == "__main__":
    sys.exit(main())
