"""What was allowed is looked at again before the update: a conversation with GitHub's stand-in."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.approval import Cast, Verdict, Vote
from bot.domain.deployment import Actor, Deployment, Outcome
from bot.domain.github import Permission
from bot.domain.reasons import Code, StoppedError
from bot.domain.trust import Trust
from bot.services.github import GitHub
from bot.store.database import Database
from bot.store.deployments import WANTED
from handlers.commands.desk import Client, Desk
from handlers.commands.second_look import SecondLook
from tests.handlers.github.world import EDGES, World, opened
from tests.standins.github import objects

STAGING = "  staging:\n    branches: [main]\n"


@pytest.fixture
async def world(tmp_path: Path, database: Database) -> AsyncIterator[World]:
    async with opened(tmp_path, database) as world:
        world.declare(STAGING)
        yield world


async def codes(world: World) -> list[Code]:
    look = SecondLook(world.desk)
    return [each.code for each in await look(await world.only())]


async def test_what_has_not_changed_goes_on(world: World) -> None:
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    assert await codes(world) == []


@pytest.mark.parametrize(
    "ref",
    ["", "HEAD", "@", "feature", "heads/feature", "refs/heads/feature", "refs/pull/1/head"],
)
async def test_a_head_that_moved_meanwhile_does_not(world: World, ref: str) -> None:
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    assert pull.number == 1
    await world.comment(pull, f"/pachops deploy staging {ref}")
    assert (await world.only()).request.commit.sha == pull.head_sha
    await world.github.push(EDGES, {"a": "2"}, "feature")
    assert await codes(world) == [Code.HEAD_MOVED]


async def test_a_commit_that_was_written_out_goes_on_when_the_head_moves(world: World) -> None:
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, f"/pachops deploy staging {pull.head_sha}")
    await world.github.push(EDGES, {"a": "2"}, "feature")
    assert await codes(world) == []


def of_commit(deployment: Deployment, sha: str) -> Deployment:
    request = deployment.request
    return replace(deployment, request=replace(request, commit=replace(request.commit, sha=sha)))


async def test_another_commit_with_the_same_first_digits_is_not_looked_at(world: World) -> None:
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    short = pull.head_sha[:7]
    await world.comment(pull, f"/pachops deploy staging {short}")
    look, deployment = SecondLook(world.desk), await world.only()
    assert await look(deployment) == ()
    (reason,) = await look(of_commit(deployment, f"{short}{'0' * 33}"))
    assert reason.code is Code.REF_UNKNOWN


async def test_one_commit_is_not_let_through_for_another(world: World) -> None:
    world.declare("  staging: {on: {push: [main]}}\n")
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    (reason,) = await SecondLook(world.desk)(of_commit(await world.only(), "0" * 40))
    assert reason.code is Code.FACT_UNKNOWN
    assert reason.fact == f"{sha} was looked at in place of {'0' * 40}"


async def test_a_push_goes_on_as_long_as_its_branch_has_it(world: World) -> None:
    world.declare("  staging: {on: {push: [main]}, approvals: 1}\n")
    git = world.github.world.repo(EDGES).git
    before = objects.resolve(git, "main")
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    look, deployment = SecondLook(world.desk), await world.only()
    missing = [Code.APPROVAL_MISSING]
    await world.github.push(EDGES, {"a": "2"}, "main")
    assert [each.code for each in await look(deployment)] == missing
    objects.move(git, "refs/heads/main", before)
    (reason,) = await look(deployment)
    assert reason.code is Code.COMMIT_ELSEWHERE
    assert reason.fact == f"{sha} was pushed to main, which does not have it any more"
    assert "`/pachops deploy staging main`" in reason.next_step


PREVIEW = "  preview: {on: {push: ['feature/*']}, branches: [staging, feature/a, 'release/*']}\n"


@pytest.mark.parametrize("into", ["main", "staging", "release/1"])
async def test_a_push_goes_on_when_its_branch_was_merged_and_deleted(
    world: World, into: str
) -> None:
    world.declare(PREVIEW)
    git = world.github.world.repo(EDGES).git
    sha = await world.github.push(EDGES, {"a": "1"}, "feature/a")
    await world.settled()
    objects.move(git, f"refs/heads/{into}", sha)
    await world.github.push(EDGES, {"b": "1"}, into)
    objects.move(git, "refs/heads/feature/a", None)
    assert await codes(world) == []


@pytest.mark.parametrize("elsewhere", ["", "mine"])
async def test_a_push_whose_branch_is_gone_is_told_without_that_branch(
    world: World, elsewhere: str
) -> None:
    world.declare(PREVIEW)
    git = world.github.world.repo(EDGES).git
    sha = await world.github.push(EDGES, {"a": "1"}, "feature/a")
    await world.github.push(EDGES, {"b": "1"}, "feature/a-2")
    await world.settled()
    if elsewhere:
        objects.move(git, f"refs/heads/{elsewhere}", sha)
    objects.move(git, "refs/heads/feature/a", None)
    (reason,) = await SecondLook(world.desk)((await world.asked())[0])
    assert reason.code is Code.COMMIT_ELSEWHERE
    assert reason.fact.startswith(f"{sha} was pushed to feature/a, which is gone")
    assert "feature/a" not in reason.next_step
    assert "staging, release/*" in reason.next_step


async def test_a_branch_that_was_put_back_counts_though_others_have_the_commit(
    world: World,
) -> None:
    world.declare("  staging: {on: {push: [deploy/staging]}}\n")
    git = world.github.world.repo(EDGES).git
    before = objects.resolve(git, "main")
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.github.move(EDGES, "deploy/staging", sha)
    await world.settled()
    objects.move(git, "refs/heads/deploy/staging", before)
    assert await codes(world) == [Code.COMMIT_ELSEWHERE]


async def test_a_pull_request_that_was_closed_meanwhile_does_not(world: World) -> None:
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    await world.github.close(pull)
    assert await codes(world) == [Code.PULL_REQUEST_CLOSED]


async def test_a_pull_request_that_was_merged_meanwhile_does(world: World) -> None:
    """To merge right after the command is ordinary; what that pushes waits behind it in line."""
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    await world.github.close(pull, merged=True)
    assert await codes(world) == []


async def test_whoever_lost_the_permission_meanwhile_does_not(world: World) -> None:
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    world.github.allow("ada", EDGES, Permission.READ)
    assert await codes(world) == [Code.PERMISSION_MISSING]


async def test_rules_that_became_stricter_meanwhile_count(world: World) -> None:
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    await world.github.push(
        EDGES, {".pachops.yml": f"environments:\n{STAGING}    requires: [review]\n"}
    )
    assert await codes(world) == [Code.REVIEW_MISSING]


LEADS = "  staging: {branches: [main], deployers: {teams: [acme/ml, acme/ops]}}\n"
CHECKED = "  staging: {branches: [main, 'release/*'], requires: [checks]}\n"
FRESH = "  staging: {requires: [fresh]}\n"


async def leaves_the_team(world: World) -> None:
    world.github.team("acme/ml", "grace")


async def fails(world: World) -> None:
    world.github.check(EDGES, head(world, "main"), "unit", "failure")


async def is_taken_out(world: World) -> None:
    git = world.github.world.repo(EDGES).git
    objects.move(git, "refs/heads/release/1", head(world, "main"))


async def falls_behind(world: World) -> None:
    await world.github.push(EDGES, {"c": "1"})


def head(world: World, branch: str) -> str:
    found = objects.branch(world.github.world.repo(EDGES).git, branch)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("rules", "named", "happens", "expected"),
    [
        (LEADS, "", leaves_the_team, Code.NOT_A_DEPLOYER),
        (CHECKED, "main", fails, Code.CHECKS_FAILED),
        (CHECKED, "release/1~", is_taken_out, Code.COMMIT_ELSEWHERE),
        (FRESH, "", falls_behind, Code.BEHIND_BASE),
    ],
)
async def test_what_was_true_when_it_was_asked_for_is_asked_again(
    world: World,
    rules: str,
    named: str,
    happens: Callable[[World], Awaitable[None]],
    expected: Code,
) -> None:
    world.redeclare(rules)
    world.github.team("acme/ml", "ada")
    world.github.team("acme/ops", "grace")
    older = await world.github.push(EDGES, {"a": "1"}, "release/1")
    await world.github.push(EDGES, {"a": "2"}, "release/1")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"b": "1"})
    for sha in (older, head(world, "main")):
        world.github.check(EDGES, sha, "unit")
    await world.comment(pull, f"/pachops deploy staging {named.replace('release/1~', older)}")
    before = world.github.called("POST", "/graphql")
    assert await codes(world) == []
    assert world.github.called("POST", "/graphql") == before + 1
    await happens(world)
    assert await codes(world) == [expected]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (STAGING, CHECKED, [Code.CHECKS_FAILED]),
        (CHECKED, LEADS, [Code.NOT_A_DEPLOYER]),
        (CHECKED, STAGING, []),
        (LEADS.replace("ml", "sre"), CHECKED, [Code.CHECKS_FAILED]),
    ],
)
async def test_what_the_rules_want_by_now_is_asked_even_if_it_was_not_foreseen(
    world: World, before: str, after: str, expected: list[Code]
) -> None:
    world.redeclare(before)
    world.github.team("acme/ml", "grace")
    world.github.team("acme/ops", "grace")
    world.github.team("acme/sre", "ada")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"b": "1"})
    world.github.check(EDGES, head(world, "main"), "unit")
    await world.comment(pull, "/pachops deploy staging main")
    deployed = (await world.only()).request.commit.sha
    world.redeclare(after)
    world.github.check(EDGES, deployed, "unit", "failure")
    assert await codes(world) == expected


async def test_one_that_was_written_down_before_anything_was_foreseen_is_looked_at(
    world: World,
) -> None:
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    deployment = await world.only()
    stored = await world.deployments.load(deployment.id, WANTED)
    del stored["question"]
    await world.deployments.save(deployment.id, WANTED, stored)
    assert await codes(world) == []


@pytest.mark.parametrize(
    ("voters", "expected"),
    [
        ((), [Code.APPROVAL_MISSING]),
        (("grace",), [Code.APPROVAL_MISSING]),
        (("grace", "linus"), []),
    ],
)
async def test_approvals_that_the_rules_ask_for_by_now_must_have_been_given(
    world: World, voters: tuple[str, ...], expected: list[Code]
) -> None:
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    if voters:
        await world.waits_for_approval(await world.only(), len(voters))
    for each in voters:
        world.github.allow(each, EDGES, Permission.WRITE)
        await world.comment(pull, "/pachops approve", by=each)
    await world.github.push(EDGES, {".pachops.yml": f"environments:\n{STAGING}    approvals: 2\n"})
    assert await codes(world) == expected


async def test_an_approval_of_who_lost_the_right_does_not_count(world: World) -> None:
    await world.github.push(EDGES, {".pachops.yml": f"environments:\n{STAGING}    approvals: 1\n"})
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    await world.waits_for_approval(await world.only())
    world.github.allow("grace", EDGES, Permission.WRITE)
    await world.comment(pull, "/pachops approve", by="grace")
    assert await codes(world) == []
    world.github.allow("grace", EDGES, Permission.READ)
    missing, why = await SecondLook(world.desk)(await world.only())
    assert missing.code is Code.APPROVAL_MISSING
    assert "not counted by now: grace" in missing.fact
    assert why.code is Code.PERMISSION_MISSING
    assert why.fact.startswith("grace has read permission")


async def test_an_approval_at_a_terminal_counts_as_long_as_its_list_lets_terminals_in(
    world: World,
) -> None:
    one = f"environments:\n{STAGING}    approvals: "
    await world.github.push(EDGES, {".pachops.yml": f"{one}1\n"})
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    waiting = await world.only()
    await world.waits_for_approval(waiting)
    vote = Vote(Actor("root", "cli"), Verdict.APPROVE, time.time())
    assert await world.desk.deployer.approvals.vote(waiting.id, vote) is Cast.COUNTED
    assert await codes(world) == []
    for more, expected in (
        ("", [Code.APPROVAL_MISSING, Code.NOT_AN_APPROVER]),
        (", terminal: true", []),
    ):
        who = f"{one}{{who: {{users: [grace]{more}}}}}\n"
        await world.github.push(EDGES, {".pachops.yml": who})
        assert await codes(world) == expected


async def test_one_that_is_forced_needs_no_approvals_that_came_since(world: World) -> None:
    rules = f"{STAGING}    force: {{users: [ada]}}\n"
    await world.github.push(EDGES, {".pachops.yml": f"environments:\n{rules}"})
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging --force it burns")
    stricter = f"environments:\n{rules}    approvals: 2\n"
    await world.github.push(EDGES, {".pachops.yml": stricter})
    assert await codes(world) == []


async def test_rules_that_do_not_parse_any_more_let_nothing_through(world: World) -> None:
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    await world.github.push(EDGES, {".pachops.yml": "environments: 7\n"})
    assert await codes(world) == [Code.PROJECT_INVALID]


async def test_a_branch_that_moved_on_goes_on_with_the_commit_that_was_fixed(world: World) -> None:
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging main")
    await world.github.push(EDGES, {"b": "2"})
    assert await codes(world) == []


async def test_a_forks_commit_goes_on_and_stays_a_forks(world: World) -> None:
    await world.github.push(EDGES, {".pachops.yml": f"environments:\n{STAGING}    forks: true\n"})
    world.github.fork(EDGES, "eve")
    pull = await world.github.open_pull_request(EDGES, "eve:feature", files={"a": "1"}, by="eve")
    await world.comment(pull, f"/pachops deploy staging {pull.head_sha}")
    assert await codes(world) == []
    deployment = await world.only()
    as_our_own = replace(deployment.request, trust=Trust.TRUSTED)
    (reason,) = await SecondLook(world.desk)(replace(deployment, request=as_our_own))
    assert reason.code is Code.FORK_NOT_ALLOWED


async def test_a_rollback_needs_the_permission_still(world: World) -> None:
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops rollback staging")
    assert await codes(world) == []
    world.github.allow("ada", EDGES, Permission.READ)
    assert await codes(world) == [Code.PERMISSION_MISSING]


async def test_a_push_ends_before_a_rollback_that_waits_behind_it_and_never_after_one(
    world: World,
) -> None:
    rules = "environments:\n  staging: {on: {push: [main]}}\n"
    await world.github.push(EDGES, {".pachops.yml": rules})
    await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    pushed = (await world.asked())[-1]
    look = SecondLook(world.desk)
    back = await world.was_rolled_back()
    assert await look(pushed) == ()
    await world.deployments.finish(back.id, Outcome.SUCCEEDED)
    assert [each.code for each in await look(pushed)] == [Code.HELD]


class AwayAtFirst:
    """GitHub, after so many calls that it does not answer."""

    def __init__(self, github: GitHub, times: int) -> None:
        self._github = github
        self._times = times

    def for_repository(self, owner: str, name: str, installation: int | None = None) -> Client:
        if self._times > 0:
            self._times -= 1
            raise StoppedError(Code.GITHUB_UNREACHABLE, "it does not answer")
        return self._github.for_repository(owner, name, installation)


@pytest.mark.parametrize(("times", "expected"), [(2, []), (3, [Code.GITHUB_UNREACHABLE])])
async def test_github_that_is_away_is_waited_for_and_not_for_ever(
    world: World, times: int, expected: list[Code]
) -> None:
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    waited = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    desk = Desk(github=AwayAtFirst(world.client, times), deployer=world.deployer)
    look = SecondLook(desk, pauses=(5.0, 60.0), sleep=sleep)
    reasons = await look(await world.only())
    assert ([each.code for each in reasons], waited) == (expected, [5.0, 60.0])
