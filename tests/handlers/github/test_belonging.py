"""Commits of branches that only a pattern allows."""

import pytest

from bot.services.github import further
from handlers.commands import belonging
from tests.handlers.github.world import EDGES, World
from tests.standins.github import objects
from tests.standins.github.state import PullRequest

PATTERN = "  staging: {branches: ['release/*'], on: {release: published}}\n"


async def opened(world: World) -> PullRequest:
    world.declare(PATTERN)
    return await world.github.open_pull_request(EDGES, "feature", files={"b": "1"})


async def test_the_head_of_such_a_branch_may_be_deployed(world: World) -> None:
    pull = await opened(world)
    sha = await world.github.push(EDGES, {"a": "1"}, "release/1")
    await world.comment(pull, f"/pachops deploy staging {sha}")
    assert (await world.only()).request.commit.sha == sha


async def test_an_older_commit_of_such_a_branch_may_be_deployed(world: World) -> None:
    pull = await opened(world)
    sha = await world.github.push(EDGES, {"a": "1"}, "release/1")
    await world.github.push(EDGES, {"a": "2"}, "release/1")
    await world.github.push(EDGES, {"a": "3"}, "release/2")
    await world.comment(pull, f"/pachops deploy staging {sha}")
    assert (await world.only()).request.commit.sha == sha


async def test_a_release_of_such_a_branch_is_deployed_whatever_its_author_says_of_it(
    world: World,
) -> None:
    world.declare(PATTERN)
    sha = await world.github.push(EDGES, {"a": "1"}, "release/1")
    await world.github.publish_release(EDGES, "v1", target=sha)
    await world.settled()
    assert (await world.only()).request.release == "v1"


async def test_a_commit_of_a_branch_that_no_pattern_allows_is_refused(world: World) -> None:
    pull = await opened(world)
    await world.github.push(EDGES, {"a": "1"}, "release/1")
    for elsewhere in ("other", "release/1/deeper", "releases"):
        sha = await world.github.push(EDGES, {elsewhere: "1"}, elsewhere.replace("1/", "2/"))
        await world.comment(pull, f"/pachops deploy staging {sha}")
        assert "commit_elsewhere" in world.answers(pull)[-1]
    assert await world.asked() == []


async def test_many_other_branches_do_not_hide_those_of_several_patterns(world: World) -> None:
    world.declare("  staging: {branches: [main, 'release/*', 'hotfix/*']}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"b": "1"})
    sha = await world.github.push(EDGES, {"a": "1"}, "release/1")
    await world.github.push(EDGES, {"a": "2"}, "release/1")
    git = world.github.world.repo(EDGES).git
    for number in range(120):
        objects.move(git, f"refs/heads/chore/{number:03}", pull.head_sha)
    await world.comment(pull, f"/pachops deploy staging {sha}")
    assert (await world.only()).request.commit.sha == sha
    assert world.github.called("POST", "/graphql") == 2
    assert world.github.called("GET", "/compare/") == 0


@pytest.mark.parametrize("has_graphql", [True, False])
@pytest.mark.parametrize(
    ("branch", "said"),
    [
        # It is the head of one further on, which the list of them says.
        ("release/9", None),
        ("other", "name the branch in its place"),
    ],
)
async def test_where_not_all_branches_are_looked_at_nobody_says_that_it_is_in_none(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    branch: str,
    said: str | None,
    *,
    has_graphql: bool,
) -> None:
    monkeypatch.setattr(belonging, "MOST_BRANCHES", 1)
    monkeypatch.setattr(further, "MOST_BRANCHES", 1)
    world.github.world.has_graphql = has_graphql
    pull = await opened(world)
    for number in range(2):
        await world.github.push(EDGES, {"a": str(number)}, f"release/{number}")
    sha = await world.github.push(EDGES, {"a": "9"}, branch)
    await world.comment(pull, f"/pachops deploy staging {sha}")
    if said is None:
        assert (await world.only()).request.commit.sha == sha
    else:
        assert said in world.answers(pull)[-1]
        assert await world.asked() == []
