"""Environments that require checks: who deploys what, and when."""

import pytest

from handlers.reports.github.check import check_name
from tests.handlers.github.world import EDGES, World

REQUIRES = "    requires: [{checks: [unit]}]\n"
FOLLOWS = f"  staging:\n    on: {{push: [main]}}\n{REQUIRES}"
TAKES = f"  staging:\n{REQUIRES}"


async def test_a_branch_is_deployed_where_its_checks_succeeded(world: World) -> None:
    world.declare(TAKES)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    sha = await world.github.push(EDGES, {"a": "2"})
    world.github.check(EDGES, sha, "unit")
    await world.comment(pull, "/pachops deploy staging main")
    assert (await world.only()).request.commit.sha == sha


async def test_a_branch_is_not_deployed_where_a_check_failed(world: World) -> None:
    world.declare(TAKES)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    sha = await world.github.push(EDGES, {"a": "2"})
    world.github.check(EDGES, pull.head_sha, "unit")
    world.github.check(EDGES, sha, "unit", "failure")
    await world.comment(pull, "/pachops deploy staging main")
    assert "checks_failed" in world.answers(pull)[-1]
    assert await world.asked() == []


@pytest.mark.parametrize("conclusion", ["success", "failure"])
async def test_an_older_commit_is_judged_by_its_own_checks(world: World, conclusion: str) -> None:
    world.declare(TAKES)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    older = pull.head_sha
    await world.github.push(EDGES, {"a": "2"}, "feature")
    world.github.check(EDGES, older, "unit", conclusion)
    await world.comment(pull, f"/pachops deploy staging {older}")
    assert len(await world.asked()) == (conclusion == "success")


async def test_a_release_is_deployed_where_its_checks_succeeded(world: World) -> None:
    world.declare(f"  staging:\n    on: {{release: published}}\n{REQUIRES}")
    sha = await world.github.push(EDGES, {"a": "2"})
    world.github.check(EDGES, sha, "unit")
    await world.github.publish_release(EDGES, "v1")
    await world.settled()
    assert (await world.only()).request.commit.sha == sha


async def test_a_push_is_deployed_where_its_checks_succeeded_before(world: World) -> None:
    world.declare(FOLLOWS)
    world.github.webhooks.is_held = True
    sha = await world.github.push(EDGES, {"a": "2"})
    world.github.check(EDGES, sha, "unit")
    await world.github.webhooks.deliver(world.github.webhooks.all[-1])
    await world.settled()
    assert (await world.only()).request.commit.sha == sha


async def test_a_push_whose_checks_failed_before_says_so_on_its_commit(world: World) -> None:
    world.declare(FOLLOWS)
    world.github.webhooks.is_held = True
    sha = await world.github.push(EDGES, {"a": "2"})
    world.github.check(EDGES, sha, "unit", "failure")
    await world.github.webhooks.deliver(world.github.webhooks.all[-1])
    await world.settled()
    check = await world.github.expect_check(sha, name=check_name("staging"))
    assert "checks_failed" in (check.summary or "")
    assert await world.asked() == []
