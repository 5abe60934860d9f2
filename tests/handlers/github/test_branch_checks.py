"""What a pull request's base branch asks for, with GraphQL and without; our own check among it."""

from collections.abc import Callable

import pytest

from bot.domain.github import Permission
from bot.domain.reasons import Code
from bot.store.database import Database
from handlers.commands.second_look import SecondLook
from handlers.reports.github.check import check_name
from tests.handlers.github.bot import Bot
from tests.handlers.github.world import EDGES, World
from tests.standins.github import objects
from tests.standins.github.faults import error
from tests.standins.github.state import PullRequest

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


Trouble = Callable[[World, pytest.MonkeyPatch], None]


def lists_few_commits(_world: World, patch: pytest.MonkeyPatch) -> None:
    """Of very many commits GitHub lists the first ones, so that the head is not among them."""
    patch.setattr("tests.standins.github.graphql.MOST_COMMITS", 1)


def misses_graphql_once(world: World, _patch: pytest.MonkeyPatch) -> None:
    """One answer is wrong."""
    world.github.fail("POST", "*/graphql", error(404, "Not Found"))


def has_no_graphql(world: World, _patch: pytest.MonkeyPatch) -> None:
    """None at all."""
    world.github.world.has_graphql = False


TROUBLES = pytest.mark.parametrize(
    "trouble", [lists_few_commits, misses_graphql_once, has_no_graphql]
)


async def pushed_twice(world: World) -> PullRequest:
    """A pull request of two commits, with the check on its head."""
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.github.push(EDGES, {"a": "2"}, "feature")
    world.github.check(EDGES, pull.head_sha, "unit")
    world.github.allow("grace", EDGES, Permission.WRITE)
    world.github.review(pull, "grace")
    await world.settled()
    world.github.advance(5)
    return pull


@KINDS
@TROUBLES
async def test_a_check_that_the_branch_requires_is_missed_however_it_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str, trouble: Trouble
) -> None:
    world.declare(TAKES)
    setattr(world.github.world.repo(EDGES), kind, ["unit", "e2e"])
    pull = await pushed_twice(world)
    trouble(world, monkeypatch)
    await world.comment(pull, "/pachops deploy staging")
    assert "not reported on" in world.answers(pull)[-1]
    assert await world.asked() == []


@KINDS
@pytest.mark.parametrize("trouble", [lambda _world, _patch: None, has_no_graphql])
async def test_an_older_commit_of_a_pull_request_needs_what_its_head_needs(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: str, trouble: Trouble
) -> None:
    world.declare(TAKES)
    setattr(world.github.world.repo(EDGES), kind, ["unit", "e2e", check_name("staging")])
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    older = pull.head_sha
    world.github.check(EDGES, older, "unit")
    await world.github.push(EDGES, {"a": "2"}, "feature")
    trouble(world, monkeypatch)
    await world.comment(pull, f"/pachops deploy staging {older}")
    assert "not reported on" in world.answers(pull)[-1]
    assert await world.asked() == []

    world.github.check(EDGES, older, "e2e")
    await world.comment(pull, f"/pachops deploy staging {older}")
    assert (await world.only()).request.commit.sha == older


@TROUBLES
async def test_a_check_that_the_branch_requires_by_then_is_missed_in_the_second_look(
    world: World, monkeypatch: pytest.MonkeyPatch, trouble: Trouble
) -> None:
    world.declare(TAKES)
    pull = await pushed_twice(world)
    await world.comment(pull, "/pachops deploy staging")
    world.github.world.repo(EDGES).required_checks = ["unit", "e2e"]
    trouble(world, monkeypatch)
    reasons = await SecondLook(world.desk)(await world.only())
    assert [each.code for each in reasons] == [Code.CHECKS_MISSING]


@TROUBLES
async def test_one_approval_is_not_enough_where_a_ruleset_asks_for_two(
    world: World, monkeypatch: pytest.MonkeyPatch, trouble: Trouble
) -> None:
    world.declare("  staging: {requires: [review]}\n")
    repo = world.github.world.repo(EDGES)
    repo.ruled_review = {"required_approving_review_count": 2}
    pull = await pushed_twice(world)
    trouble(world, monkeypatch)
    await world.comment(pull, "/pachops deploy staging")
    assert Code.REVIEW_MISSING in world.answers(pull)[-1]
    assert await world.asked() == []


async def test_where_checks_are_hidden_githubs_own_decision_on_reviews_counts(
    world: World,
) -> None:
    world.declare("  staging: {requires: [review]}\n")
    del world.github.installation(EDGES).permissions["statuses"]
    repo = world.github.world.repo(EDGES)
    repo.ruled_review = {"required_approving_review_count": 2}
    pull = await pushed_twice(world)
    await world.comment(pull, "/pachops deploy staging")
    assert Code.REVIEW_MISSING in world.answers(pull)[-1]


async def test_what_branch_protection_says_of_reviews_is_unknown_without_graphql(
    world: World,
) -> None:
    world.declare("  staging: {requires: [review]}\n")
    world.github.world.repo(EDGES).requires_review = True
    world.github.world.has_graphql = False
    pull = await pushed_twice(world)
    await world.comment(pull, "/pachops deploy staging")
    assert Code.FACT_UNKNOWN in world.answers(pull)[-1]
    assert await world.asked() == []


async def test_a_branch_at_the_head_needs_what_the_head_needs_without_graphql_too(
    world: World,
) -> None:
    world.declare(TAKES)
    world.github.world.repo(EDGES).required_checks = ["unit", "e2e"]
    world.github.world.has_graphql = False
    pull = await pushed_twice(world)
    objects.move(world.github.world.repo(EDGES).git, "refs/heads/main", pull.head_sha)
    await world.comment(pull, "/pachops deploy staging main")
    assert Code.CHECKS_MISSING in world.answers(pull)[-1]


async def test_a_forks_head_that_is_not_listed_is_judged_by_its_own_checks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare("  staging: {requires: [checks], forks: true}\n")
    world.takes_forks(allowed=True)
    world.github.fork(EDGES, "eve")
    pull = await world.github.open_pull_request(EDGES, "eve:main", files={"a": "1"}, by="eve")
    await world.github.push("eve/edges", {"a": "2"}, by="eve")
    world.github.check(EDGES, pull.head_sha, "unit")
    await world.settled()
    lists_few_commits(world, monkeypatch)
    await world.comment(pull, f"/pachops deploy staging {pull.head_sha}")
    assert (await world.only()).request.commit.sha == pull.head_sha


async def test_force_goes_on_where_it_is_not_known_what_it_skips(world: World) -> None:
    world.declare("  staging: {requires: [review], force: {users: [ada]}}\n")
    world.github.world.repo(EDGES).requires_review = True
    world.github.world.has_graphql = False
    pull = await pushed_twice(world)
    await world.comment(pull, "/pachops deploy staging --force the cluster is on fire")
    await world.only()


async def test_no_author_chooses_a_base_branch_that_asks_for_less(world: World) -> None:
    world.declare("  staging: {requires: [checks, review, fresh]}\n")
    git = world.github.world.repo(EDGES).git
    await world.github.move(EDGES, "mine", objects.resolve(git, "main") or "")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"}, base="mine")
    await world.github.push(EDGES, {"z": "newer"})
    world.github.status(EDGES, pull.head_sha, "mine")
    world.github.allow("grace", EDGES, Permission.WRITE)
    world.github.review(pull, "grace")
    world.github.advance(5)
    await world.comment(pull, "/pachops deploy staging")
    assert "base_not_allowed" in world.answers(pull)[-1]
    assert await world.asked() == []


async def test_another_base_branch_since_stops_before_the_update(world: World) -> None:
    world.declare("  staging: {requires: [fresh]}\n")
    git = world.github.world.repo(EDGES).git
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.github.move(EDGES, "mine", objects.resolve(git, "main") or "")
    world.github.advance(5)
    await world.comment(pull, "/pachops deploy staging")
    pull.base_ref = "mine"
    (reason,) = await SecondLook(world.desk)(await world.only())
    assert reason.code is Code.BASE_NOT_ALLOWED
