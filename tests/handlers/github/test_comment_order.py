"""Comments that take long, and that come late."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.deployment import Actor, Request
from bot.domain.github import Permission
from bot.domain.lock import Lock
from bot.domain.plan import Plan
from tests.handlers.github.world import EDGES, FOLLOWS_MAIN, PATIENCE, World
from tests.standins.github.clock import written
from tests.standins.github.state import PullRequest


async def opened(world: World) -> PullRequest:
    world.declare("  staging: {}\n")
    return await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})


def plans_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """No plan is made before this."""
    plan, goes_on = world.deployer.plan, asyncio.Event()

    async def plan_at_last(request: Request) -> Plan:
        await goes_on.wait()
        return await plan(request)

    monkeypatch.setattr(world.deployer, "plan", plan_at_last)
    return goes_on


async def test_a_plan_that_takes_long_is_acknowledged_and_holds_up_no_other_comment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = await opened(world)
    goes_on = plans_wait(world, monkeypatch)
    asked = await world.github.comment(pull, "/pachops plan\n/pachops status", by="ada")
    await world.github.comment(pull, "/pachops lock staging", by="ada")
    async with asyncio.timeout(PATIENCE):
        while not (world.answers(pull) and world.reactions(asked)):  # noqa: ASYNC110 - no signal
            await asyncio.sleep(0.01)
    (locked,) = world.answers(pull)
    assert "staging is locked by ada" in locked
    goes_on.set()
    await world.settled()
    _, answer = world.answers(pull)
    planned, _, told = answer.partition("\n---\n")
    assert "a plan for staging" in planned
    assert "locked" in told
    assert world.reactions(asked) == ["eyes"]
    assert await world.deliveries.repositories(9) == [EDGES]


async def test_a_second_plan_is_acknowledged_while_the_first_is_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = await opened(world)
    goes_on = plans_wait(world, monkeypatch)
    asked = [await world.github.comment(pull, "/pachops plan", by="ada") for _ in range(2)]
    async with asyncio.timeout(PATIENCE):
        while not all(map(world.reactions, asked)):  # noqa: ASYNC110 - no signal
            await asyncio.sleep(0.01)
    assert world.answers(pull) == []
    goes_on.set()
    await world.settled()
    assert [world.reactions(each) for each in asked] == [["eyes"], ["eyes"]]
    assert len(world.answers(pull)) == 2


async def test_a_plan_beside_what_changes_something_keeps_its_place(world: World) -> None:
    pull = await opened(world)
    await world.github.comment(pull, "/pachops plan\n/pachops lock staging", by="ada")
    await world.github.comment(pull, "/pachops unlock staging", by="ada")
    await world.settled()
    answer, unlocked = world.answers(pull)
    planned, _, locked = answer.partition("\n---\n")
    assert "a plan for staging" in planned
    assert "is locked" in locked
    assert "is released" in unlocked


async def delivered_late(
    world: World, pull: PullRequest, body: str, hours: float, by: str = "ada"
) -> None:
    hooks = world.github.webhooks
    hooks.is_held = True
    made = await world.github.comment(pull, body, by=by)
    hooks.is_held = False
    held = hooks.all[-1]
    earlier = made.created_at - timedelta(hours=hours)
    at, before = (written(each).encode() for each in (made.created_at, earlier))
    await hooks.deliver(replace(held, body=held.body.replace(at, before)))
    await world.settled()


@pytest.mark.parametrize("command", ["deploy staging", "lock staging", "approve", "unlock staging"])
async def test_what_was_written_long_ago_is_not_done(world: World, command: str) -> None:
    pull = await opened(world)
    await delivered_late(world, pull, f"/pachops {command}", hours=12.1)
    (answer,) = world.answers(pull)
    assert "command_outdated" in answer
    assert "more than 12 hours ago" in answer
    assert "Write it again" in answer
    assert await world.asked() == []
    await world.comment(pull, "/pachops why")
    assert "command_outdated" in world.answers(pull)[-1]


async def test_what_was_written_some_hours_ago_is_done(world: World) -> None:
    pull = await opened(world)
    await delivered_late(world, pull, "/pachops lock staging", hours=11.9)
    (answer,) = world.answers(pull)
    assert "staging is locked by ada" in answer


async def test_what_was_done_at_a_terminal_is_not_undone(world: World) -> None:
    pull = await opened(world)
    locks, address = world.deployer.locks, f"{world.github.url}/{EDGES}.git"
    joan, now = Actor("joan", "cli"), time.time()
    await locks.take(Lock("1", address, "staging", joan, "", now), now)
    await locks.release(address, "staging", "1", joan, now)
    await delivered_late(world, pull, "/pachops lock staging", hours=0.1)
    (answer,) = world.answers(pull)
    assert "`unlock staging` by joan at" in answer
    assert await locks.list(address, time.time()) == ()


async def test_a_commit_that_was_pushed_since_is_not_undone(world: World) -> None:
    pull = await opened(world)
    world.redeclare(FOLLOWS_MAIN)
    sha = await world.github.push(EDGES, {"b": "1"})
    await world.settled()
    await delivered_late(world, pull, "/pachops deploy staging", hours=0.3)
    assert "a push by ada at" in world.answers(pull)[-1]
    assert (await world.only()).request.commit.sha == sha


async def test_a_vote_is_on_what_was_asked_before_it_was_written(world: World) -> None:
    pull = await opened(world)
    world.redeclare("  staging: {approvals: 1}\n")
    world.github.allow("grace", EDGES, Permission.WRITE)
    await world.comment(pull, "/pachops deploy staging", by="ada")
    deployment = await world.only()
    proposal = await world.waits_for_approval(deployment)
    for line in ("approve", f"reject {deployment.id}"):
        await delivered_late(world, pull, f"/pachops {line}", hours=0.1, by="grace")
        assert "command_outdated" in world.answers(pull)[-1]
    asked = await world.deployer.approvals.get(deployment.id)
    assert asked is not None
    assert asked.votes == ()
    seen = f"approve {deployment.id} {proposal.sha[:8]}"
    await delivered_late(world, pull, f"/pachops {seen}", hours=0.1, by="grace")
    assert "command_outdated" not in world.answers(pull)[-1]


async def test_what_only_tells_is_told_however_late(world: World) -> None:
    pull = await opened(world)
    await delivered_late(world, pull, "/pachops status", hours=100.0)
    (answer,) = world.answers(pull)
    assert "command_outdated" not in answer
