"""Environments that require checks: who deploys what, and when."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.deployment import Trigger
from bot.domain.reasons import Code, StoppedError
from bot.store.awaiting import Awaiting
from bot.store.database import Database
from bot.store.deliveries import DeliveryState
from handlers.github import words
from handlers.github.awaiting import LOOK_SECONDS
from handlers.reports.github.check import check_name
from tests.handlers.github.bot import Bot
from tests.handlers.github.world import EDGES, World
from tests.standins.github import objects
from tests.standins.github.faults import Fault, garbled

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


@pytest.mark.parametrize("has_graphql", [True, False])
async def test_a_branch_that_is_where_the_head_is_is_judged_by_the_same_checks(
    world: World, *, has_graphql: bool
) -> None:
    world.declare(TAKES)
    world.github.world.has_graphql = has_graphql
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    git = world.github.world.repo(EDGES).git
    objects.move(git, "refs/heads/main", pull.head_sha)
    world.github.check(EDGES, pull.head_sha, "unit")
    await world.comment(pull, "/pachops deploy staging main")
    assert (await world.only()).request.commit.sha == pull.head_sha


PAGE_NOT_READ = {
    "data": {"repository": None},
    "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Too much.", "path": []}],
}


@pytest.mark.parametrize("is_head", [True, False])
async def test_a_check_on_a_page_that_was_not_read_does_not_pass(
    world: World, *, is_head: bool
) -> None:
    world.declare("  staging:\n    requires: [checks]\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    sha = pull.head_sha
    if not is_head:
        await world.github.push(EDGES, {"a": "2"}, "feature")
    for number in range(110):
        world.github.check(EDGES, sha, f"check {number:03}")
    world.github.status(EDGES, sha, "last", "failure")
    await world.settled()
    for _ in range(1 if is_head else 2):
        world.github.fail("POST", "/graphql", Fault())
    world.github.fail("POST", "/graphql", garbled(json.dumps(PAGE_NOT_READ).encode()))
    await world.comment(pull, f"/pachops deploy staging {sha}")
    assert "checks_failed" in world.answers(pull)[-1]
    assert world.github.pending_faults() == 0
    assert await world.asked() == []


async def pushed_late(world: World, conclusion: str) -> str:
    """The bot hears of a push when its check has ended; the commit."""
    world.declare(FOLLOWS)
    world.github.webhooks.is_held = True
    sha = await world.github.push(EDGES, {"a": "2"})
    world.github.check(EDGES, sha, "unit", conclusion)
    await world.github.webhooks.deliver(world.github.webhooks.all[-1])
    await world.settled()
    return sha


async def test_a_push_is_deployed_where_its_checks_succeeded_before(world: World) -> None:
    sha = await pushed_late(world, "success")
    assert (await world.only()).request.commit.sha == sha


async def test_a_push_whose_checks_failed_before_says_so_on_its_commit(world: World) -> None:
    sha = await pushed_late(world, "failure")
    check = await world.github.expect_check(sha, name=check_name("staging"))
    assert "checks_failed" in (check.summary or "")
    assert await world.asked() == []


async def test_a_push_is_deployed_when_its_checks_have_ended(world: World) -> None:
    world.declare(FOLLOWS)
    sha = await world.github.push(EDGES, {"a": "2"})
    await world.settled()
    check = await world.github.expect_check(sha, name=check_name("staging"))
    assert words.AWAITED in (check.summary or "")
    assert await world.asked() == []
    await world.github.report_check(EDGES, sha, "unit")
    await world.settled()
    request = (await world.only()).request
    assert (request.commit.sha, request.trigger) == (sha, Trigger.PUSH)


async def test_who_asks_again_for_what_awaits_its_checks_has_it_looked_at_once_more(
    world: World,
) -> None:
    world.declare(FOLLOWS)
    sha = await world.github.push(EDGES, {"a": "2"})
    await world.settled()
    check = await world.github.expect_check(sha, name=check_name("staging"))
    await world.github.rerun(EDGES, check)
    await world.settled()
    assert await world.asked() == []
    assert (check.status, words.AWAITED in (check.summary or "")) == ("completed", True)

    # Nobody tells that it has ended.
    world.github.check(EDGES, sha, "unit")
    await world.github.rerun(EDGES, check)
    await world.settled()
    await world.github.report_check(EDGES, sha, "unit")
    await world.settled()
    assert (await world.only()).request.trigger is Trigger.PUSH


async def test_what_was_said_before_the_bot_stopped_is_said_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(FOLLOWS)
    begin, stops = Awaiting.begin, [True]

    async def begin_at_last(*arguments: Any) -> None:
        if stops:
            stops.clear()
            raise StoppedError(Code.DISK_FULL, "no space")
        await begin(*arguments)

    monkeypatch.setattr(Awaiting, "begin", begin_at_last)
    sha = await world.github.push(EDGES, {"a": "2"})
    await world.settled()
    assert not stops
    checks = [each for each in world.github.checks(sha) if each.name == check_name("staging")]
    assert len(checks) == 1


async def test_a_status_is_a_check_too(world: World) -> None:
    world.declare(FOLLOWS)
    sha = await world.github.push(EDGES, {"a": "2"})
    await world.settled()
    await world.github.report_status(EDGES, sha, "unit", "pending")
    # One that has not ended is not even kept.
    assert await world.deliveries.known([world.github.webhooks.all[-1].guid]) == frozenset()
    assert await world.asked() == []
    await world.github.report_status(EDGES, sha, "unit")
    await world.settled()
    await world.only()


async def test_a_push_whose_checks_fail_at_last_says_so(world: World) -> None:
    world.declare(FOLLOWS)
    sha = await world.github.push(EDGES, {"a": "2"})
    await world.github.report_check(EDGES, sha, "unit", "failure")
    await world.settled()
    assert "checks_failed" in (world.github.checks(sha)[-1].summary or "")
    await world.github.report_check(EDGES, sha, "unit")
    await world.settled()
    assert await world.asked() == []


async def test_while_some_checks_have_not_ended_it_is_said_once(world: World) -> None:
    world.declare(FOLLOWS.replace("unit", "unit, lint"))
    sha = await world.github.push(EDGES, {"a": "2"})
    await world.github.report_check(EDGES, sha, "unit")
    await world.settled()
    assert len([each for each in world.github.checks(sha) if each.app_slug == "pachops"]) == 1
    await world.github.report_check(EDGES, sha, "lint")
    await world.settled()
    await world.only()


async def test_a_push_that_awaits_checks_gives_way_to_a_newer_one(world: World) -> None:
    world.declare(FOLLOWS)
    older = await world.github.push(EDGES, {"a": "2"})
    await world.settled()
    newer = await world.github.push(EDGES, {"a": "3"})
    for sha in (older, newer):
        await world.github.report_check(EDGES, sha, "unit")
    await world.settled()
    assert (await world.only()).request.commit.sha == newer
    left = await world.github.expect_check(older, name=check_name("staging"), conclusion="skipped")
    assert left.title == "main has moved on"


async def test_only_what_requires_checks_waits_for_them(world: World) -> None:
    world.declare(f"  dev: {{on: {{push: [main]}}}}\n{FOLLOWS}")
    sha = await world.github.push(EDGES, {"a": "2"})
    await world.settled()
    assert [each.request.environment for each in await world.asked()] == ["dev"]
    for _ in range(2):
        await world.github.report_check(EDGES, sha, "unit")
        await world.settled()
    assert [each.request.environment for each in await world.asked()] == ["dev", "staging"]


async def test_checks_of_another_repository_are_none_of_its(world: World) -> None:
    world.declare(FOLLOWS)
    world.github.repository("acme/other")
    sha = await world.github.push(EDGES, {"a": "2"})
    await world.settled()
    assert await world.deployer.awaiting.checks_ended("acme/other", sha) == 0


async def test_a_pull_request_is_deployed_when_its_checks_have_ended(world: World) -> None:
    world.declare(f"  staging:\n    on: {{pull_request: always}}\n{REQUIRES}")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    assert words.AWAITED in world.answers(pull)[-1]
    await world.github.report_check(EDGES, pull.head_sha, "unit")
    await world.settled()
    assert (await world.only()).request.trigger is Trigger.PULL_REQUEST


async def test_a_closed_pull_request_waits_for_nothing(world: World) -> None:
    world.declare(f"  staging:\n    on: {{pull_request: always}}\n{REQUIRES}")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.github.close(pull)
    await world.github.report_check(EDGES, pull.head_sha, "unit")
    await world.settled()
    assert await world.asked() == []


async def test_a_release_is_deployed_when_its_checks_have_ended(world: World) -> None:
    world.declare(f"  staging:\n    on: {{release: published}}\n{REQUIRES}")
    sha = await world.github.push(EDGES, {"a": "2"})
    await world.github.publish_release(EDGES, "v1")
    await world.github.report_check(EDGES, sha, "unit")
    await world.settled()
    assert (await world.only()).request.release == "v1"


async def test_what_else_stands_in_the_way_is_waited_for_by_nobody(world: World) -> None:
    world.declare(FOLLOWS + "    deployers: {users: [grace]}\n")
    sha = await world.github.push(EDGES, {"a": "2"})
    await world.github.report_check(EDGES, sha, "unit")
    await world.settled()
    check = await world.github.expect_check(sha, name=check_name("staging"))
    assert words.AWAITED not in (check.summary or "")


async def test_where_no_webhook_tells_of_checks_they_are_looked_at_again(world: World) -> None:
    world.declare(FOLLOWS)
    sha = await world.github.push(EDGES, {"a": "2"})
    await world.settled()
    world.github.check(EDGES, sha, "unit")
    assert await world.deliveries.go_on_by(time.time()) == 0
    assert await world.deliveries.go_on_by(time.time() + LOOK_SECONDS + 1) == 1
    world.inbox.wake()
    await world.settled()
    await world.only()


async def test_nobody_waits_for_checks_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.declare(FOLLOWS)
    monkeypatch.setattr("handlers.github.awaiting.LONGEST_WAIT", -1.0)
    sha = await world.github.push(EDGES, {"a": "2"})
    await world.settled()
    check = await world.github.expect_check(sha, name=check_name("staging"))
    assert "checks_missing" in (check.summary or "")
    assert await world.deployer.awaiting.checks_ended(EDGES, sha) == 0


async def test_both_decisions_are_in_the_audit(world: World) -> None:
    world.declare(FOLLOWS)
    sha = await world.github.push(EDGES, {"a": "2"})
    await world.settled()
    await world.github.report_check(EDGES, sha, "unit")
    await world.settled()
    decisions = await world.deployer.audit.about((await world.only()).request.repository)
    assert [json.loads(each.body).get("reasons", []) for each in decisions] == [
        [],
        ["checks_missing"],
    ]


async def test_a_repeated_push_that_awaits_checks_is_known(world: World) -> None:
    world.declare(FOLLOWS)
    await world.github.push(EDGES, {"a": "2"})
    pushed = world.github.webhooks.all[-1]
    await world.settled()
    await world.github.webhooks.deliver(pushed, again=True)
    await world.settled()
    state = await world.deliveries.state(pushed.guid)
    assert state is not None
    assert state[0] is DeliveryState.AWAITING


async def test_what_comes_again_while_it_awaits_checks_is_deployed_once(world: World) -> None:
    """As a commit that is taken back and pushed again, or a pull request that is opened again."""
    world.declare(FOLLOWS)
    sha = await world.github.push(EDGES, {"a": "2"})
    pushed = world.github.webhooks.all[-1]
    await world.settled()
    again = replace(pushed, guid="another", body=pushed.body + b" ")
    await world.github.webhooks.deliver(again)
    await world.settled()
    await world.github.report_check(EDGES, sha, "unit")
    await world.settled()
    assert (await world.only()).request.commit.sha == sha
    first = await world.deliveries.state(pushed.guid)
    assert first == (DeliveryState.DONE, "the same came again, and awaits its checks")


async def test_what_awaits_the_same_checks_for_something_else_is_deployed_too(world: World) -> None:
    world.declare(
        f"  staging:\n    on: {{push: [main]}}\n{REQUIRES}"
        f"  production:\n    on: {{release: published}}\n{REQUIRES}"
    )
    sha = await world.github.push(EDGES, {"a": "2"})
    await world.github.publish_release(EDGES, "v1")
    await world.settled()
    await world.github.report_check(EDGES, sha, "unit")
    await world.settled()
    assert {each.request.environment for each in await world.asked()} == {"staging", "production"}


async def test_what_was_said_of_a_pull_request_gives_way_to_its_deployment(
    world: World, database: Database
) -> None:
    world.declare(f"  staging:\n    on: {{pull_request: always}}\n{REQUIRES}")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    await world.github.report_check(EDGES, pull.head_sha, "unit")
    await world.settled()
    await Bot(world, database).builds()
    (comment,) = world.answers(pull)
    assert "Not deployed" not in comment


async def test_while_another_is_under_way_a_refusal_has_a_comment_of_its_own(
    world: World, database: Database
) -> None:
    world.declare("  staging: {on: {pull_request: always}}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    bot = Bot(world, database)
    await bot.builds()
    world.redeclare(f"  staging:\n    on: {{pull_request: always}}\n{REQUIRES}")
    await world.github.push(EDGES, {"a": "2"}, "feature")
    await world.settled()
    await bot.fails()
    assert sum("Not deployed to" in each for each in world.answers(pull)) == 1


async def test_what_is_refused_beside_what_waits_is_refused_once_and_for_good(
    world: World,
) -> None:
    prod = "  prod:\n    on: {push: [live]}\n"
    follows = FOLLOWS.replace("main", "live")
    world.declare(f"{prod}    deployers: {{users: [grace]}}\n{follows}")
    sha = await world.github.push(EDGES, {"a": "2"}, "live")
    await world.settled()
    await world.github.report_check(EDGES, sha, "lint")
    await world.settled()
    ours = [each.name for each in world.github.checks(sha) if each.app_slug == "pachops"]
    assert sorted(ours) == sorted([check_name("prod"), check_name("staging")])
    world.redeclare(prod + follows)
    await world.github.report_check(EDGES, sha, "unit")
    await world.settled()
    assert [each.request.environment for each in await world.asked()] == ["staging"]
