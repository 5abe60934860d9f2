"""What runs can be stopped, and one's own lock released, whatever became of the rules."""

import json
import time

import pytest

from bot.domain.github import Permission
from bot.settings.rules import LimitsSetting
from tests.handlers.github.world import EDGES, World
from tests.standins.github.state import PullRequest

BROKEN = "  staging: {x: 1}\n"
GONE = "  production: {}\n"
WITHOUT_RULES = pytest.mark.parametrize("rules", [BROKEN, GONE])


async def under_way(world: World) -> PullRequest:
    """A deployment that ada asked for."""
    world.declare("  staging: {}\n  production: {}\n")
    world.github.allow("grace", EDGES, Permission.WRITE)
    world.github.allow("eve", EDGES, Permission.READ)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    await world.deployments.begin((await world.only()).id)
    return pull


async def says(world: World, pull: PullRequest, command: str, by: str) -> str:
    await world.comment(pull, f"/pachops {command}", by=by)
    return world.answers(pull)[-1].replace("\\", "")


async def stopped_by(world: World) -> str | None:
    return (await world.only()).cancel_requested_by


async def locked_by(world: World) -> list[str]:
    address = f"{world.github.url}/{EDGES}.git"
    return [each.owner.name for each in await world.deployer.locks.list(address, time.time())]


@WITHOUT_RULES
async def test_who_asked_cancels_without_rules(world: World, rules: str) -> None:
    pull = await under_way(world)
    world.redeclare(rules)
    await says(world, pull, "cancel", by="ada")
    assert await stopped_by(world) == "ada"


async def test_who_asked_cancels_with_no_permission_left(world: World) -> None:
    pull = await under_way(world)
    world.github.allow("ada", EDGES, Permission.READ)
    await says(world, pull, "cancel", by="ada")
    assert await stopped_by(world) == "ada"


@WITHOUT_RULES
async def test_who_may_write_cancels_where_no_rule_says_who_may(world: World, rules: str) -> None:
    pull = await under_way(world)
    world.redeclare(rules)
    await says(world, pull, "cancel", by="grace")
    assert await stopped_by(world) == "grace"


@WITHOUT_RULES
async def test_who_may_only_read_does_not_and_is_told_all(world: World, rules: str) -> None:
    pull = await under_way(world)
    world.redeclare(rules)
    answer = await says(world, pull, "cancel", by="eve")
    assert await stopped_by(world) is None
    assert "(`permission_missing`)" in answer
    assert "(`project_invalid`)" in answer or "(`environment_unknown`)" in answer


async def test_the_operators_limits_count_where_the_rules_do_not(world: World) -> None:
    pull = await under_way(world)
    world.redeclare(BROKEN)
    world.deployer.limits = (LimitsSetting.model_validate({"deployers": {"users": ["linus"]}}),)
    assert "(`not_a_deployer`)" in await says(world, pull, "cancel", by="grace")
    assert await stopped_by(world) is None


async def test_rules_that_can_be_read_say_who_else_cancels(world: World) -> None:
    pull = await under_way(world)
    world.redeclare("  staging: {deployers: {users: [ada]}}\n")
    assert "(`not_a_deployer`)" in await says(world, pull, "cancel", by="grace")
    assert await stopped_by(world) is None


@pytest.mark.parametrize("place", ["staging", "--all", "staging --of Grace"])
async def test_the_owner_of_a_lock_releases_it_without_rules(world: World, place: str) -> None:
    pull = await under_way(world)
    await says(world, pull, f"lock {place.partition(' --of')[0]}", by="grace")
    world.redeclare(BROKEN)
    assert "is released" in await says(world, pull, f"unlock {place}", by="grace")
    assert await locked_by(world) == []


async def test_anothers_lock_stays_while_nobody_knows_who_may_release_it(world: World) -> None:
    pull = await under_way(world)
    await says(world, pull, "lock staging", by="grace")
    world.redeclare(BROKEN)
    assert "(`project_invalid`)" in await says(world, pull, "unlock staging --of grace", by="ada")
    assert await locked_by(world) == ["grace"]


async def test_its_decision_is_not_noted_with_another_commands_facts(world: World) -> None:
    pull = await under_way(world)
    await says(world, pull, "lock staging", by="ada")
    await says(world, pull, "plan staging\n/pachops unlock staging", by="ada")
    rows = [json.loads(row.body) for row in await world.deployer.audit.read()]
    (decided,) = [
        each["facts"]
        for each in rows
        if (each["action"], each["facts"].get("line")) == ("decision", "unlock staging")
    ]
    assert "on" not in decided
