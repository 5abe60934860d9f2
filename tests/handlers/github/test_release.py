"""Releases and pre-releases, in whichever order they are told of."""

from collections.abc import Awaitable, Callable

import pytest

from bot.domain.deployment import Trigger
from bot.project import PROJECT_FILE
from handlers.reports.github.check import check_name
from tests.handlers.github.world import EDGES, World
from tests.standins.github import objects
from tests.standins.github.faults import error
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import Release


async def test_a_release_deploys_its_tag_and_keeps_its_notes(world: World) -> None:
    world.declare("  production: {on: {release: published}}\n  staging: {}\n")
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.github.publish_release(EDGES, "v1.0", notes="Sharper edges.")
    await world.settled()
    deployment = await world.only()
    request = deployment.request
    assert (request.environment, request.trigger) == ("production", Trigger.RELEASE)
    assert (request.commit.sha, request.release) == (sha, "v1.0")
    notes = await world.deployments.load(deployment.id, "release")
    assert (notes["tag"], notes["notes"]) == ("v1.0", "Sharper edges.")


async def test_a_pre_release_goes_where_every_release_goes_and_nowhere_else(world: World) -> None:
    world.declare(
        "  production: {on: {release: released}}\n  staging: {on: {release: published}}\n"
    )
    await world.github.push(EDGES, {"a": "1"})
    await world.github.publish_release(EDGES, "v2.0-rc1", prerelease=True)
    await world.settled()
    assert (await world.only()).request.environment == "staging"


async def test_a_release_goes_once_to_each_environment_that_follows(world: World) -> None:
    world.declare(
        "  production: {on: {release: released}}\n  staging: {on: {release: published}}\n"
    )
    await world.github.push(EDGES, {"a": "1"})
    await world.github.publish_release(EDGES, "v2.0")
    await world.settled()
    reached = [each.request.environment for each in await world.asked()]
    assert sorted(reached) == ["production", "staging"]


async def test_a_pre_release_that_becomes_a_release_follows_one_that_was_published_meanwhile(
    world: World,
) -> None:
    world.declare("  production: {on: {release: released}}\n")
    await world.github.push(EDGES, {"a": "1"})
    candidate = await world.github.publish_release(EDGES, "v2.0", prerelease=True)
    await world.github.push(EDGES, {"a": "2"})
    await world.github.publish_release(EDGES, "v1.9")
    await world.settled()
    await world.github.make_final(EDGES, candidate)
    await world.settled()
    assert [each.request.release for each in await world.asked()] == ["v1.9", "v2.0"]


async def test_a_release_from_a_branch_that_is_not_allowed_is_refused(world: World) -> None:
    world.declare("  production: {on: {release: published}}\n")
    sha = await world.github.push(EDGES, {"a": "1"}, "experiment")
    await world.github.publish_release(EDGES, "v1.0", target="experiment")
    await world.settled()
    assert await world.asked() == []
    check = await world.github.expect_check(sha)
    assert "commit_elsewhere" in (check.summary or "")


async def test_an_older_release_that_comes_late_does_not_follow_a_newer_one(world: World) -> None:
    world.declare("  production: {on: {release: published}}\n")
    world.github.webhooks.is_held = True
    await world.github.push(EDGES, {"a": "1"})
    await world.github.publish_release(EDGES, "v1.0")
    older = world.github.webhooks.all[-1]
    await world.github.push(EDGES, {"a": "2"})
    await world.github.publish_release(EDGES, "v1.1")
    for told in (world.github.webhooks.all[-1], older):
        await world.github.webhooks.deliver(told)
        await world.settled()
    assert (await world.only()).request.release == "v1.1"


async def test_an_older_release_comes_too_late_however_much_was_deployed_elsewhere_since(
    world: World,
) -> None:
    world.declare("  production: {on: {release: published}}\n  staging: {on: {push: [main]}}\n")
    world.github.webhooks.is_held = True
    await world.github.push(EDGES, {"a": "1"})
    await world.github.publish_release(EDGES, "v1.0")
    older = world.github.webhooks.all[-1]
    await world.github.publish_release(EDGES, "v1.1")
    await world.github.webhooks.deliver(world.github.webhooks.all[-1])
    await world.settled()
    released = await world.only()
    await world.was_deployed_to("staging", 60)
    await world.github.webhooks.deliver(older)
    await world.settled()
    asked = await world.deployments.list(environment="production")
    assert [each.id for each in asked] == [released.id]


async def test_a_release_whose_tag_was_moved_out_of_its_branch_is_refused(world: World) -> None:
    world.declare("  production: {on: {release: published}}\n")
    world.github.webhooks.is_held = True
    await world.github.publish_release(EDGES, "v1.0")
    told = world.github.webhooks.all[-1]
    evil = await world.github.push(EDGES, {"a": "evil"}, "evil")
    objects.move(world.github.world.repo(EDGES).git, "refs/tags/v1.0", evil)
    await world.github.webhooks.deliver(told)
    await world.settled()
    assert await world.asked() == []


async def test_a_release_with_broken_rules_shows_so_on_its_commit(world: World) -> None:
    world.declare("  production: {on: {release: published}}\n")
    world.github.webhooks.is_held = True
    broken = {PROJECT_FILE: "environments:\n  production: {onn: 1}\n"}
    sha = await world.github.push(EDGES, broken)
    world.github.webhooks.is_held = False
    await world.github.publish_release(EDGES, "v1")
    await world.settled()
    (check,) = world.github.checks(sha)
    assert check.conclusion == "failure"
    # GitHub tells of it twice.
    assert await world.decisions() == [("ada", "release v1", ["project_invalid"])] * 2


CHECKED = "  production: {{on: {{release: {0}}}, requires: [{{checks: [unit]}}]}}\n"


async def awaits_checks(
    world: World, follows: str = "published", *, prerelease: bool = False
) -> tuple[str, Release]:
    """A release that is deployed when the check of its commit has ended."""
    world.declare(CHECKED.format(follows))
    sha = await world.github.push(EDGES, {"a": "1"})
    made = await world.github.publish_release(EDGES, "v1.0", prerelease=prerelease)
    await world.settled()
    return sha, made


async def passes(world: World, sha: str) -> None:
    await world.github.report_check(EDGES, sha, "unit")
    await world.settled()


GONE = [GitHubServer.delete_release, GitHubServer.unpublish]


@pytest.mark.parametrize("end", GONE)
async def test_a_release_that_is_gone_when_its_checks_have_ended_is_not_deployed(
    world: World, end: Callable[..., Awaitable[None]]
) -> None:
    sha, made = await awaits_checks(world)
    world.github.webhooks.is_held = True
    await end(world.github, EDGES, made)
    world.github.webhooks.is_held = False
    await passes(world, sha)
    assert await world.asked() == []


@pytest.mark.parametrize("end", GONE)
async def test_a_release_that_goes_awaits_nothing_any_more_and_says_so(
    world: World, end: Callable[..., Awaitable[None]]
) -> None:
    sha, made = await awaits_checks(world)
    await end(world.github, EDGES, made)
    await world.settled()
    assert await world.deployer.awaiting.list() == ()
    name = check_name("production")
    check = await world.github.expect_check(sha, name=name, conclusion="skipped")
    assert check.title == "v1.0 is no release any more"


async def test_a_release_that_was_deleted_before_it_was_heard_of_is_not_deployed(
    world: World,
) -> None:
    world.declare("  production: {on: {release: published}}\n")
    world.github.webhooks.is_held = True
    made = await world.github.publish_release(EDGES, "v1.0")
    told = world.github.webhooks.all[-1]
    await world.github.delete_release(EDGES, made)
    await world.github.webhooks.deliver(told)
    await world.settled()
    assert await world.asked() == []


async def test_a_release_that_goes_with_its_tag_says_so_too(world: World) -> None:
    sha, made = await awaits_checks(world)
    objects.move(world.github.world.repo(EDGES).git, "refs/tags/v1.0", None)
    await world.github.delete_release(EDGES, made)
    await world.github.expect_check(sha, name=check_name("production"), conclusion="skipped")


@pytest.mark.parametrize(("follows", "deployed"), [("published", 1), ("released", 0)])
async def test_a_release_that_is_a_pre_release_again_goes_where_those_go(
    world: World, follows: str, deployed: int
) -> None:
    sha, made = await awaits_checks(world, follows)
    made.prerelease = True
    await passes(world, sha)
    assert len(await world.asked()) == deployed


async def test_a_release_of_which_nobody_knows_whether_it_is_there_is_refused(
    world: World,
) -> None:
    world.declare("  production: {on: {release: published}}\n")
    sha = await world.github.push(EDGES, {"a": "1"})
    world.github.fail("GET", f"/repos/{EDGES}/releases/*", error(500), times=100)
    await world.github.publish_release(EDGES, "v1.0")
    await world.settled()
    assert await world.asked() == []
    check = await world.github.expect_check(sha, name=check_name("production"))
    assert "github_unreachable" in (check.summary or "").replace("\\", "")


async def test_the_commit_of_a_release_is_the_one_that_it_had_before_its_checks_were_awaited(
    world: World,
) -> None:
    sha, _ = await awaits_checks(world)
    other = await world.github.push(EDGES, {"a": "2"})
    await world.github.report_check(EDGES, other, "unit")
    objects.move(world.github.world.repo(EDGES).git, "refs/tags/v1.0", other)
    await passes(world, sha)
    assert await world.asked() == []
    check = await world.github.expect_check(sha, name=check_name("production"))
    assert check.conclusion == "action_required"
    assert other in (check.summary or "")
    assert "release_changed" in (check.summary or "").replace("\\", "")


async def test_a_tag_that_moves_takes_nothing_back_that_was_deployed_before(world: World) -> None:
    world.declare(
        "  staging: {on: {release: published}}\n"
        "  production: {on: {release: published}, requires: [{checks: [unit]}]}\n"
    )
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.github.publish_release(EDGES, "v1.0")
    await world.settled()
    other = await world.github.push(EDGES, {"a": "2"})
    objects.move(world.github.world.repo(EDGES).git, "refs/tags/v1.0", other)
    await passes(world, sha)
    assert (await world.only()).request.environment == "staging"
    refused = [each for each in world.github.checks(sha) if each.conclusion == "action_required"]
    assert [each.name for each in refused] == [check_name("production")]


async def test_a_release_that_has_another_tag_when_it_is_heard_of_is_not_deployed(
    world: World,
) -> None:
    world.declare("  production: {on: {release: published}}\n")
    world.github.webhooks.is_held = True
    made = await world.github.publish_release(EDGES, "v1.0")
    told = world.github.webhooks.all[-1]
    other = await world.github.push(EDGES, {"a": "2"})
    git = world.github.world.repo(EDGES).git
    objects.move(git, "refs/tags/v2.0", other)
    objects.move(git, "refs/tags/v1.0", None)
    made.tag = "v2.0"
    await world.github.webhooks.deliver(told)
    await world.settled()
    assert await world.asked() == []
    check = await world.github.expect_check(other, name=check_name("production"))
    assert "release_changed" in (check.summary or "").replace("\\", "")


async def test_a_release_that_gets_another_tag_while_its_checks_are_awaited_is_not_deployed(
    world: World,
) -> None:
    sha, made = await awaits_checks(world)
    objects.move(world.github.world.repo(EDGES).git, "refs/tags/v2.0", sha)
    made.tag = "v2.0"
    await passes(world, sha)
    assert await world.asked() == []
    check = await world.github.expect_check(sha, name=check_name("production"))
    assert "release_changed" in (check.summary or "").replace("\\", "")
