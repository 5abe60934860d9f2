"""Deployments that build the same content at once."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from bot.domain.deployment import Actor, Commit, Kind, Request, Trigger
from bot.domain.plan import CONTENT_LABEL, ImagePlan, Plan
from bot.services.docker import DockerEngine
from bot.services.git import Mirror
from bot.services.registry import Registry
from bot.stages.build import Workshop, build
from bot.stages.turns import Turns

IMAGE = ImagePlan("edges", "r.example/edges", ("v1",), "a" * 40, "Dockerfile", "c" * 64)
REQUEST = Request(
    Kind.DEPLOY, "/src/edges", "staging", Commit("b" * 40, "main"), Trigger.CLI, Actor("ada", "cli")
)


class Engine:
    """Has what it built, and builds when it is told to."""

    def __init__(self) -> None:
        self.built = 0
        self.go_on = asyncio.Event()

    async def free_bytes(self) -> None:
        """Nobody knows."""

    async def find(self, _reference: str) -> Any:
        return SimpleNamespace(labels={CONTENT_LABEL: IMAGE.content}) if self.built else None

    async def build(self, *_: object) -> None:
        await self.go_on.wait()
        self.built += 1


def workshop(engine: Engine, turns: Turns, folder: Path) -> Workshop:
    return Workshop(
        cast(DockerEngine, engine),
        cast(Mirror, None),
        cast(Registry, None),
        {},
        parallel=2,
        least_free=0,
        data_dir=folder,
        turns=turns,
    )


def report(_event: object) -> None:
    pass


async def test_one_builds_and_the_others_find_it(tmp_path: Path) -> None:
    engine, turns = Engine(), Turns()
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(
                build(Plan((IMAGE,), ()), REQUEST, workshop(engine, turns, tmp_path), report)
            )
        engine.go_on.set()
    assert engine.built == 1


async def test_other_content_does_not_wait() -> None:
    turns = Turns()
    async with turns.of("one"), asyncio.timeout(60), turns.of("another"):
        pass
