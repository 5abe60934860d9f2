"""Locks and why, typed in Slack."""

import time

from bot.domain.github import Permission
from tests.handlers.github.world import EDGES
from tests.handlers.slack.world import World

REPO = f"--repo {EDGES}"


async def known(world: World) -> None:
    world.github.github.allow("ada", EDGES, Permission.WRITE)
    await world.links(world.ann, "ada")


async def test_a_lock_is_taken_listed_and_released(world: World) -> None:
    await known(world)
    await world.types(world.ann, f"/pachops lock staging --for 2h {REPO} we're trying a base")
    await world.slack.expect_ephemeral(world.ann, "staging is locked by ada")
    (found,) = await world.deployer.locks.list(None, time.time())
    assert (found.reason, found.owner.surface) == ("we're trying a base", "slack")
    await world.types(world.ann, f"/pachops status {REPO}")
    await world.slack.expect_ephemeral(world.ann, "🔒 staging is locked by ada")
    await world.types(world.ann, f"/pachops unlock staging {REPO}")
    await world.slack.expect_ephemeral(world.ann, "is released")


async def test_why_explains_ones_own_last_refusal(world: World) -> None:
    await known(world)
    await world.types(world.ann, f"/pachops deploy staging nowhere {REPO}")
    await world.types(world.ann, f"/pachops why {REPO}")
    await world.slack.expect_ephemeral(world.ann, "ada asked `deploy staging nowhere` in Slack")
