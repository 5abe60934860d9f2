"""Checks that a pull request's base branch requires, our own among them."""

import pytest

from bot.store.database import Database
from handlers.commands.second_look import SecondLook
from handlers.reports.github.check import check_name
from tests.handlers.github.bot import Bot
from tests.handlers.github.world import EDGES, World

KINDS = pytest.mark.parametrize("kind", ["required_checks", "ruled_checks"])
TAKES = "  staging: {requires: [checks]}\n"


@KINDS
@pytest.mark.parametrize("rule", ["checks", "{checks: [unit]}"])
async def test_a_branch_may_require_our_own_check(world: World, kind: str, rule: str) -> None:
    world.declare(f"  staging: {{requires: [{rule}]}}\n")
    setattr(world.github.world.repo(EDGES), kind, ["unit", check_name("staging")])
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    world.github.check(EDGES, pull.head_sha, "unit")
    await world.comment(pull, "/pachops deploy staging")
    assert await SecondLook(world.desk)(await world.only()) == ()


@KINDS
async def test_a_branch_may_require_our_own_check_that_has_succeeded(
    world: World, database: Database, kind: str
) -> None:
    world.declare("  staging: {}\n  prod: {requires: [checks]}\n")
    setattr(world.github.world.repo(EDGES), kind, ["unit", check_name("staging")])
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    world.github.check(EDGES, pull.head_sha, "unit")
    await world.comment(pull, "/pachops deploy staging")
    bot = Bot(world, database)
    await bot.builds()
    await bot.succeeds()
    await world.comment(pull, "/pachops deploy prod")
    assert [each.request.environment for each in await world.asked()] == ["staging", "prod"]


async def test_what_waits_for_checks_does_not_wait_for_our_own(world: World) -> None:
    world.declare("  staging: {on: {pull_request: always}, requires: [checks]}\n")
    world.github.world.repo(EDGES).required_checks = ["unit", check_name("staging")]
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    await world.github.report_check(EDGES, pull.head_sha, "unit")
    await world.settled()
    await world.only()
