"""What awaits the checks of its commit: it is seen, and can be stopped."""

import json
import time

import pytest

from bot.domain.deployment import Actor, State
from handlers.commands.asking import ask
from handlers.commands.errand import Errand
from handlers.commands.gathering import Wish
from handlers.reports.github.check import check_name
from tests.handlers.github.world import EDGES, World

REQUIRES = "    requires: [{checks: [unit]}]\n"
FOLLOWS = f"  staging:\n    on: {{push: [main]}}\n{REQUIRES}"
FOLLOWS_PULLS = f"  staging:\n    on: {{pull_request: always}}\n{REQUIRES}"
TWO = FOLLOWS + FOLLOWS.replace("staging", "production")
ADA = Actor("ada", "github")


async def pushed(world: World, rules: str = FOLLOWS) -> str:
    """A commit of main that awaits its checks."""
    world.declare(rules)
    sha = await world.github.push(EDGES, {"a": "2"})
    await world.settled()
    return sha


async def passes(world: World, sha: str) -> None:
    await world.github.report_check(EDGES, sha, "unit")
    await world.settled()


def cancel_while_the_gate_is_asked(
    world: World, deployment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def asked_slowly(errand: Errand, wish: Wish, part: str) -> object:
        await world.deployer.cancel(deployment, ADA)
        return await ask(errand, wish, part)

    monkeypatch.setattr("handlers.github.answering.ask", asked_slowly)


async def test_status_names_what_awaits_its_checks(world: World) -> None:
    sha = await pushed(world)
    (awaited,) = await world.deployer.awaiting.list()
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops status")
    answer = world.answers(pull)[-1]
    assert all(each in answer for each in ("staging gets", sha[:7], awaited.id, "unit"))


async def test_what_was_deployed_awaits_nothing_any_more(world: World) -> None:
    await passes(world, await pushed(world))
    assert await world.deployer.awaiting.list() == ()


async def test_it_has_the_id_that_its_deployment_gets(world: World) -> None:
    sha = await pushed(world)
    (awaited,) = await world.deployer.awaiting.list()
    await passes(world, sha)
    assert (await world.only()).id == awaited.id


async def test_cancel_by_its_id_keeps_it_from_being_deployed(world: World) -> None:
    sha = await pushed(world)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    (awaited,) = await world.deployer.awaiting.list()
    await world.comment(pull, f"/pachops cancel {awaited.id[-6:]}")
    assert "awaited its checks; it is cancelled" in world.answers(pull)[-1]
    await passes(world, sha)
    assert await world.asked() == []


async def test_that_it_was_cancelled_is_said_on_its_commit(world: World) -> None:
    sha = await pushed(world)
    (awaited,) = await world.deployer.awaiting.list()
    await world.deployer.cancel(awaited.id, ADA)
    world.inbox.wake()
    check = await world.github.expect_check(sha, name=check_name("staging"), conclusion="cancelled")
    assert "ada cancelled it" in (check.summary or "")


async def test_cancel_without_an_id_means_what_the_pull_request_brought(world: World) -> None:
    world.declare(FOLLOWS_PULLS)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    await world.comment(pull, "/pachops cancel")
    assert any("ada cancelled it" in each for each in world.answers(pull))
    await passes(world, pull.head_sha)
    assert await world.asked() == []


async def test_cancel_on_a_pull_request_does_not_mean_what_a_push_brought(world: World) -> None:
    await pushed(world)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops cancel")
    assert "deployment_unknown" in world.answers(pull)[-1]
    assert len(await world.deployer.awaiting.list()) == 1


async def test_who_may_not_deploy_cannot_cancel_it(world: World) -> None:
    await pushed(world)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    (awaited,) = await world.deployer.awaiting.list()
    await world.comment(pull, f"/pachops cancel {awaited.id}", by="eve")
    assert "permission_missing" in world.answers(pull)[-1]
    assert await world.deployer.awaiting.list() == (awaited,)


async def test_the_other_environments_of_a_push_go_on(world: World) -> None:
    sha = await pushed(world, TWO)
    staging, _ = await world.deployer.awaiting.list()
    await world.deployer.cancel(staging.id, ADA)
    await passes(world, sha)
    assert [each.request.environment for each in await world.asked()] == ["production"]


async def test_what_was_cancelled_stays_so_while_another_environment_waits(world: World) -> None:
    await pushed(world, TWO)
    staging, production = await world.deployer.awaiting.list()
    await world.deployer.cancel(staging.id, ADA)
    world.inbox.wake()
    await world.settled()
    assert await world.deployer.awaiting.list() == (production,)


async def test_that_it_is_cancelled_is_in_the_audit(world: World) -> None:
    await pushed(world)
    (awaited,) = await world.deployer.awaiting.list()
    await world.deployer.cancel(awaited.id, ADA)
    rows = [json.loads(each.body) for each in await world.deployer.audit.read()]
    (row,) = [each for each in rows if each["action"] == "cancel_requested"]
    assert (row["actor"]["name"], row["environment"]) == ("ada", "staging")
    assert row["deployment"] == awaited.id


@pytest.mark.parametrize("merged", [False, True])
async def test_a_pull_request_that_is_closed_awaits_nothing(world: World, *, merged: bool) -> None:
    world.declare(FOLLOWS_PULLS)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    await world.github.close(pull, merged=merged)
    await world.settled()
    assert await world.deployer.awaiting.list() == ()
    how = f"by {'merging' if merged else 'closing'} pull request"
    assert any(f"ada ({how} " in each and "cancelled it" in each for each in world.answers(pull))


async def test_a_newer_commit_of_the_branch_ends_what_awaits_at_once(world: World) -> None:
    older = await pushed(world)
    newer = await world.github.push(EDGES, {"a": "3"})
    await world.settled()
    (awaited,) = await world.deployer.awaiting.list()
    assert awaited.request.commit.sha == newer
    await world.github.expect_check(older, name=check_name("staging"), conclusion="skipped")


async def test_what_is_cancelled_while_the_gate_is_asked_is_cancelled_as_a_deployment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha = await pushed(world)
    (awaited,) = await world.deployer.awaiting.list()
    cancel_while_the_gate_is_asked(world, awaited.id, monkeypatch)
    await passes(world, sha)
    assert (await world.only()).state is State.FINISHED


async def test_what_is_cancelled_just_before_it_waits_again_is_told_at_the_next_look(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha = await pushed(world, FOLLOWS.replace("unit", "unit, lint"))
    (awaited,) = await world.deployer.awaiting.list()
    cancel_while_the_gate_is_asked(world, awaited.id, monkeypatch)
    await passes(world, sha)
    assert await world.deliveries.go_on_by(time.time()) == 1
    world.inbox.wake()
    check = await world.github.expect_check(sha, name=check_name("staging"), conclusion="cancelled")
    assert "ada cancelled it" in (check.summary or "")
