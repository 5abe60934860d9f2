"""What comes while git, GitHub or the disk is away shows so on its commit."""

from collections.abc import Mapping

import pytest

from bot.domain.deployment import Commit, Deployment
from bot.domain.reasons import Code, StoppedError
from bot.project import PROJECT_FILE
from bot.store.values import JSON
from handlers.reports.github.check import check_name
from tests.handlers.github.outage import Outage
from tests.handlers.github.world import EDGES, FOLLOWS_MAIN, World
from tests.standins.github import objects

AWAY = (Code.REPOSITORY_UNREADABLE, Code.DISK_FULL, Code.GITHUB_UNREACHABLE)


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.inbox.LONGEST_BREAK", 0.0)


def git_is_away(world: World, monkeypatch: pytest.MonkeyPatch, code: Code) -> None:
    async def resolve(repository: str, ref: str) -> Commit:
        raise StoppedError(code, f"git ls-remote {repository} {ref}")

    monkeypatch.setattr(world.deployer, "resolve", resolve)


@pytest.mark.parametrize("code", AWAY)
@pytest.mark.usefixtures("no_patience")
async def test_a_release_while_git_is_away_shows_so_on_its_commit(
    world: World, code: Code, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare("  production: {on: {release: published}}\n")
    await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    git_is_away(world, monkeypatch, code)
    release = await world.github.publish_release(EDGES, "v1.0/rc")
    await world.settled()
    sha = objects.resolve(world.github.world.repo(EDGES).git, release.tag)
    assert sha
    check = await world.github.expect_check(sha, name=check_name("production"))
    assert check.conclusion == "action_required"
    assert code in (check.summary or "").replace("\\", "")
    assert await world.asked() == []
    assert await world.decisions() == [("ada", "deploy production", [code])]


@pytest.mark.usefixtures("no_patience")
async def test_a_release_whose_rules_cannot_be_read_either_shows_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare("  production: {on: {release: published}}\n")
    Outage(monkeypatch)
    git_is_away(world, monkeypatch, Code.REPOSITORY_UNREADABLE)
    await world.github.publish_release(EDGES, "v1.0")
    await world.settled()
    (check,) = world.github.world.repo(EDGES).checks.values()
    assert (check.name, check.conclusion) == (f"pachops: {PROJECT_FILE}", "failure")


@pytest.mark.parametrize("code", [Code.DISK_FULL, Code.GITHUB_UNREACHABLE])
@pytest.mark.usefixtures("no_patience")
async def test_a_push_that_cannot_be_written_down_shows_so_on_its_commit(
    world: World, code: Code, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def submit(_deployment: Deployment, _facts: Mapping[str, JSON]) -> None:
        raise StoppedError(code, "it cannot be written")

    world.declare(FOLLOWS_MAIN)
    monkeypatch.setattr(world.deployer, "submit", submit)
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    check = await world.github.expect_check(sha, name=check_name("staging"))
    assert check.conclusion == "action_required"
    assert code in (check.summary or "").replace("\\", "")


@pytest.mark.usefixtures("no_patience")
async def test_a_push_of_which_nobody_knows_whether_it_is_the_newest_shows_so_on_its_commit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(FOLLOWS_MAIN)
    git_is_away(world, monkeypatch, Code.GITHUB_UNREACHABLE)
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    check = await world.github.expect_check(sha, name=check_name("staging"))
    assert check.conclusion == "action_required"
    assert await world.asked() == []
