"""What was typed at a terminal in another way than GitHub writes it goes on under GitHub's name."""

import time
from dataclasses import replace

from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Request,
    Trigger,
    new_deployment_id,
)
from bot.domain.github import Permission
from bot.domain.lock import Lock
from tests.handlers.github.world import EDGES, World

GRACE = Actor("grace", "cli")


async def opened(world: World) -> str:
    """How it was typed."""
    world.declare("  staging: {}\n")
    world.github.allow("ada", EDGES, Permission.WRITE)
    return f"{world.github.url}/ACME/Edges"


async def typed_lock(world: World, repository: str) -> Lock:
    lock = Lock("1", repository, "staging", GRACE, "fire", time.time())
    await world.deployer.locks.take(lock, time.time())
    return lock


async def test_a_lock_counts(world: World) -> None:
    typed = await opened(world)
    lock = await typed_lock(world, typed)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    assert "staging is locked by grace" in world.answers(pull)[-1]
    there = replace(lock, repository=f"{world.github.url}/{EDGES}.git")
    assert await world.deployer.locks.list(None, time.time()) == (there,)


async def test_a_deployment_that_waits_is_before_those_of_chat(world: World) -> None:
    typed = await opened(world)
    commit = Commit("a" * 40, "main")
    request = Request(Kind.DEPLOY, typed, "staging", commit, Trigger.CLI, GRACE)
    await world.deployer.submit(Deployment(new_deployment_id(), request), {})
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    assert len({each.request.target for each in await world.asked()}) == 1


async def test_what_is_another_repository_stays(world: World) -> None:
    await opened(world)
    lock = await typed_lock(world, f"{world.github.url}/ACME/Edges2")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    assert await world.deployer.locks.list(None, time.time()) == (lock,)
    assert len(await world.asked()) == 1
