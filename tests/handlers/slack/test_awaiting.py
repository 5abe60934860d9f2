"""What awaits the checks of its commit, seen and stopped in Slack."""

from bot.domain.github import Permission
from tests.handlers.github.world import EDGES
from tests.handlers.slack.world import World

REPO = f"--repo {EDGES}"
FOLLOWS = "  staging:\n    on: {push: [main]}\n    requires: [{checks: [unit]}]\n"


async def pushed(world: World) -> str:
    world.github.declare(FOLLOWS)
    world.github.github.allow("ada", EDGES, Permission.WRITE)
    await world.links(world.ann, "ada")
    sha = await world.github.github.push(EDGES, {"a": "2"})
    await world.github.settled()
    return sha


async def test_status_names_it(world: World) -> None:
    sha = await pushed(world)
    await world.types(world.ann, f"/pachops status {REPO}")
    await world.slack.expect_ephemeral(world.ann, f"⏳ staging gets `{sha[:7]}`")


async def test_cancel_stops_it(world: World) -> None:
    sha = await pushed(world)
    await world.types(world.ann, f"/pachops cancel {REPO}")
    await world.slack.expect_ephemeral(world.ann, "awaited its checks; it is cancelled")
    await world.github.github.report_check(EDGES, sha, "unit")
    await world.github.settled()
    assert await world.asked() == []
