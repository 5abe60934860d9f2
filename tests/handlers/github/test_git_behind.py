"""GitHub tells of a push or a release before its git shows it: it is looked for again, and then said."""

from dataclasses import replace

import pytest

from bot.domain.deployment import Commit
from bot.domain.reasons import Code, StoppedError
from bot.store.deliveries import DeliveryState
from handlers.github import push
from handlers.reports.github.check import check_name
from tests.handlers.github.world import EDGES, FOLLOWS_MAIN, World
from tests.standins.github import objects

FOLLOWS_RELEASES = "  production: {on: {release: published}}\n"
ALWAYS = 100


class LateGit:
    """Shows what was there before, for a number of looks."""

    def __init__(self, world: World, shown: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looks = ALWAYS
        self._shown = shown
        self._now = world.deployer.resolve
        monkeypatch.setattr(world.deployer, "resolve", self.resolve)

    async def resolve(self, repository: str, ref: str) -> Commit:
        found = await self._now(repository, ref)
        self.looks -= 1
        if self.looks < 0:
            return found
        if self._shown is None:
            raise StoppedError(Code.REF_UNKNOWN, f"there is no {ref}")
        return replace(found, sha=self._shown)


def main_is(world: World) -> str:
    found = objects.branch(world.github.world.repo(EDGES).git, "main")
    assert found
    return found


async def says_so(world: World, sha: str, environment: str) -> None:
    check = await world.github.expect_check(sha, name=check_name(environment))
    assert check.conclusion == "action_required"
    assert "git_behind" in (check.summary or "").replace("\\", "")
    assert await world.asked() == []


async def test_a_push_that_git_shows_a_moment_later_is_deployed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(FOLLOWS_MAIN)
    LateGit(world, main_is(world), monkeypatch).looks = 2
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    assert (await world.only()).request.commit.sha == sha
    # Its API may be as late.
    assert world.github.called("GET", "/git/matching-refs") == 0


async def test_a_push_that_git_does_not_show_is_said_on_its_commit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(FOLLOWS_MAIN)
    monkeypatch.setattr(push, "LONGEST_LAG", 0.0)
    before = main_is(world)
    LateGit(world, before, monkeypatch)
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    await says_so(world, sha, "staging")


async def test_a_new_branch_that_git_shows_a_moment_later_is_deployed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare("  staging: {on: {push: [feature]}}\n")
    LateGit(world, None, monkeypatch).looks = 1
    sha = await world.github.push(EDGES, {"a": "1"}, "feature")
    await world.settled()
    assert (await world.only()).request.commit.sha == sha


@pytest.mark.parametrize("branch", ["main", "feature"])
async def test_a_branch_that_is_put_back_or_deleted_before_its_push_is_heard_of_has_moved_on(
    world: World, branch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "LONGEST_LAG", 0.0)
    world.declare("  staging: {on: {push: [main, feature]}}\n")
    git = world.github.world.repo(EDGES).git
    before = objects.branch(git, branch)
    await world.github.push(EDGES, {"b": "1"}, f"{branch}-2")
    world.github.webhooks.is_held = True
    await world.github.push(EDGES, {"a": "1"}, branch)
    told = world.github.webhooks.all[-1]
    objects.move(git, f"refs/heads/{branch}", before)
    await world.github.webhooks.deliver(told)
    await world.settled()
    state = await world.deliveries.state(told.guid)
    moved_on = f"{branch} has moved on, which is told by another delivery"
    assert state == (DeliveryState.DONE, moved_on)
    assert await world.decisions() == []


async def test_a_branch_that_is_put_back_while_checks_are_awaited_has_moved_on(
    world: World,
) -> None:
    world.declare("  staging: {on: {push: [main]}, requires: [{checks: [unit]}]}\n")
    before = main_is(world)
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    objects.move(world.github.world.repo(EDGES).git, "refs/heads/main", before)
    await world.github.report_check(EDGES, sha, "unit")
    check = await world.github.expect_check(sha, name=check_name("staging"), conclusion="skipped")
    assert check.title == "main has moved on"


async def test_a_release_whose_tag_git_shows_a_moment_later_is_deployed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(FOLLOWS_RELEASES)
    LateGit(world, None, monkeypatch).looks = 2
    await world.github.publish_release(EDGES, "v1.0")
    await world.settled()
    assert (await world.only()).request.release == "v1.0"


async def test_a_release_whose_tag_git_does_not_show_is_said_on_the_commit_that_github_names(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(FOLLOWS_RELEASES)
    LateGit(world, None, monkeypatch)
    await world.github.publish_release(EDGES, "v1.0")
    await world.settled()
    await says_so(world, main_is(world), "production")


async def test_a_release_whose_tag_nobody_shows_is_a_delivery_that_failed_and_a_decision(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.declare(FOLLOWS_RELEASES)
    world.github.webhooks.is_held = True
    await world.github.publish_release(EDGES, "v1.0")
    told = world.github.webhooks.all[-1]
    objects.move(world.github.world.repo(EDGES).git, "refs/tags/v1.0", None)
    await world.github.webhooks.deliver(told)
    await world.settled()
    state = await world.deliveries.state(told.guid)
    assert state is not None
    assert state[0] is DeliveryState.FAILED
    assert await world.decisions() == [("ada", "release v1.0", ["git_behind"])]
    assert [each.levelname for each in caplog.records if "given up" in each.message] == ["ERROR"]
