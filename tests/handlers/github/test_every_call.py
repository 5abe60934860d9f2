"""Whatever goes wrong with whichever call of a deployment: each thing is there once in the end."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store.database import Database
from tests.handlers.github.bot import Bot, Waits
from tests.handlers.github.world import EDGES, World, opened
from tests.standins.github.faults import dropped, error, lost_answer, secondary_limit

REPO = f"/repos/{EDGES}"
ASKING = [
    ("POST", "/graphql"),
    ("GET", f"{REPO}/activity"),
    ("POST", f"{REPO}/issues/comments/*/reactions"),
]
RUNNING = [
    ("POST", f"{REPO}/deployments"),
    ("POST", "/graphql"),
]
MADE_ONE_BY_ONE = [
    ("POST", f"{REPO}/issues/*/comments"),
    ("POST", f"{REPO}/check-runs"),
]
TOGETHER = [("POST", "/graphql")]
ONE_BY_ONE = [
    ("POST", f"{REPO}/deployments/*/statuses"),
    ("PATCH", f"{REPO}/issues/comments/*"),
    ("PATCH", f"{REPO}/check-runs/*"),
    ("POST", f"{REPO}/issues/*/comments"),
]
PHASES = (
    (0, ASKING, True),
    (1, RUNNING, True),
    (1, MADE_ONE_BY_ONE, False),
    (2, TOGETHER, True),
    (2, ONE_BY_ONE, False),
)
CALLS = [(phase, *call, together) for phase, calls, together in PHASES for call in calls]
FAULTS = {
    "lost answer": lost_answer(),
    "dropped": dropped(),
    "500": error(500),
    "502 after it was done": error(502, after=True),
    "503": error(503, Retry_After="3"),
    "429": error(429, "Too Many Requests", Retry_After="9"),
    "secondary limit": secondary_limit(30),
}


@pytest.fixture
async def world(tmp_path: Path, database: Database) -> AsyncIterator[World]:
    async with opened(tmp_path, database, Waits().clock) as world:
        yield world


@pytest.mark.parametrize("what", FAULTS)
@pytest.mark.parametrize("fault", CALLS, ids=lambda each: " ".join(map(str, each)))
async def test_nothing_is_doubled_or_lost(
    world: World, database: Database, fault: tuple[int, str, str, bool], what: str
) -> None:
    world.declare("  staging: {}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    bot, (phase, method, path, together) = Bot(world, database), fault
    world.github.world.writes_with_graphql = together
    acts = (lambda: world.comment(pull, "/pachops deploy staging"), bot.builds, bot.fails)
    for number, act in enumerate(acts):
        if number == phase:
            world.github.fail(method, path, FAULTS[what])
        await act()

    assert len(await world.asked()) == 1
    progress, mention = world.answers(pull)
    assert "failed" in progress
    assert mention.startswith("@ada: ")
    (deployment,) = world.github.deployments(EDGES)
    assert [each.state for each in deployment.statuses] == ["failure"]
    (check,) = world.github.checks(pull.head_sha)
    assert (check.conclusion, len(check.annotations)) == ("failure", 1)
    (comment,) = (each for each in world.github.comments(pull) if each.author.login == "ada")
    assert world.reactions(comment) == ["eyes"]
    assert world.github.pending_faults() == 0
