"""A check on the default branch's rules that is asked for again: what was not deployed is not lost."""

import pytest

from bot.domain.deployment import Trigger
from bot.domain.github import RULES_CHECK, Permission
from bot.project import PROJECT_FILE
from tests.handlers.github.outage import Outage
from tests.handlers.github.world import EDGES, FOLLOWS_MAIN, World
from tests.standins.github.state import CheckRun

FOLLOWS_RELEASES = "  production: {on: {release: released}}\n"
BROKEN = "  staging: {onn: 1}\n"


async def pushed(world: World) -> CheckRun:
    """The check on a push that came while the rules could not be read."""
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    (check,) = world.github.checks(sha)
    assert (check.name, check.conclusion) == (RULES_CHECK, "failure")
    return check


@pytest.fixture
async def check(world: World, monkeypatch: pytest.MonkeyPatch) -> CheckRun:
    """That of a push to a branch that is followed; it came in an outage, which is over."""
    world.declare(FOLLOWS_MAIN)
    outage = Outage(monkeypatch)
    found = await pushed(world)
    outage.lasts = False
    return found


async def rerun(world: World, check: CheckRun, *, by: str = "ada") -> None:
    await world.github.rerun(EDGES, check, by=by)
    await world.settled()
    assert check.status == "completed"


async def test_that_github_does_not_answer_is_no_problem_in_the_rules(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(FOLLOWS_MAIN)
    Outage(monkeypatch)
    check = await pushed(world)
    assert check.title == "Nothing is deployed: GitHub does not answer"
    assert "With these rules" not in (check.summary or "")


async def test_after_an_outage_the_push_is_deployed(world: World, check: CheckRun) -> None:
    await rerun(world, check)
    request = (await world.only()).request
    assert (request.environment, request.trigger) == ("staging", Trigger.RERUN)
    assert (request.commit.sha, request.commit.branch) == (check.sha, "main")
    assert check.conclusion == "success"
    assert "staging" in (check.summary or "")


async def test_all_checks_asked_for_again_deploy_the_push_too(
    world: World, check: CheckRun
) -> None:
    await world.github.rerun_all(EDGES, check)
    await world.settled()
    assert (await world.only()).request.commit.sha == check.sha
    assert (check.status, check.conclusion) == ("completed", "success")


async def test_a_push_is_not_deployed_after_a_rollback(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(FOLLOWS_MAIN)
    await world.github.push(EDGES, {"a": "0"})
    await world.settled()
    await world.was_rolled_back()
    outage = Outage(monkeypatch)
    check = await pushed(world)
    outage.lasts = False
    await rerun(world, check)
    assert len(await world.asked()) == 2
    assert check.conclusion == "action_required"
    assert f"/pachops deploy staging {check.sha}" in (check.summary or "")


async def test_once_it_is_deployed_its_own_check_is_for_that(world: World, check: CheckRun) -> None:
    await rerun(world, check)
    await rerun(world, check)
    await world.only()
    assert check.conclusion == "success"


async def test_during_the_outage_the_check_fails_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(FOLLOWS_MAIN)
    Outage(monkeypatch)
    check = await pushed(world)
    await rerun(world, check)
    assert check.conclusion == "failure"
    assert await world.asked() == []


async def test_whoever_may_not_deploy_deploys_nothing_and_nothing_is_green(
    world: World, check: CheckRun
) -> None:
    world.github.allow("eve", EDGES, Permission.READ)
    await rerun(world, check, by="eve")
    assert await world.asked() == []
    assert check.conclusion == "action_required"
    assert "staging" in (check.summary or "")


async def test_a_push_that_was_followed_by_another_is_not_deployed_after_it(
    world: World, check: CheckRun
) -> None:
    newest = await world.github.push(EDGES, {"a": "2"})
    await world.settled()
    await rerun(world, check)
    assert (await world.only()).request.commit.sha == newest
    assert check.conclusion == "skipped"


async def test_a_push_that_nothing_follows_is_well(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare("  staging: {}\n")
    outage = Outage(monkeypatch)
    check = await pushed(world)
    outage.lasts = False
    await rerun(world, check)
    assert check.conclusion == "success"


async def released(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[CheckRun, Outage]:
    """The check on a release whose own rules are right, while the default branch's cannot be read."""
    world.declare(FOLLOWS_RELEASES)
    outage = Outage(monkeypatch)
    await world.github.publish_release(EDGES, "v1.0")
    await world.settled()
    check = next(iter(world.github.world.repo(EDGES).checks.values()))
    return check, outage


async def test_a_release_is_not_taken_for_deployed_once_the_rules_can_be_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, outage = await released(world, monkeypatch)
    outage.lasts = False
    await rerun(world, check)
    assert await world.asked() == []
    assert check.conclusion == "action_required"
    assert f"/pachops deploy production {check.sha}" in (check.summary or "")
    assert "v1.0" in (check.title or "")


async def test_the_default_branchs_rules_count_and_not_the_tags_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, outage = await released(world, monkeypatch)
    world.github.webhooks.is_held = True
    await world.github.push(EDGES, {PROJECT_FILE: f"environments:\n{BROKEN}"})
    world.github.webhooks.is_held = False
    outage.lasts = False
    await rerun(world, check)
    assert check.conclusion == "failure"


async def test_a_check_of_an_older_version_says_what_to_do(world: World, check: CheckRun) -> None:
    check.external_id = f"rules:default:{check.sha}"
    await rerun(world, check)
    assert await world.asked() == []
    assert check.conclusion == "action_required"
    assert f"/pachops deploy ENV {check.sha}" in (check.summary or "")
