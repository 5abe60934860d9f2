"""Locks, freezes, teams, force and approvals, asked for in comments on GitHub's stand-in."""

import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.deployment import Actor, Kind, Trigger
from bot.domain.lock import Lock
from bot.project import Project, parse_project
from bot.settings.rules import LimitsSetting
from bot.store.database import Database
from handlers.commands import errand
from tests.handlers.github.world import EDGES, World, opened
from tests.standins.github.state import PullRequest


@pytest.fixture
async def world(tmp_path: Path, database: Database) -> AsyncIterator[World]:
    async with opened(tmp_path, database) as world:
        yield world


async def pull_of(world: World, rules: str = "") -> PullRequest:
    world.declare(f"  staging: {{{rules}}}\n")
    return await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})


async def refused(world: World, pull: PullRequest, command: str = "deploy staging") -> str:
    await world.comment(pull, f"/pachops {command}")
    (answer,) = world.answers(pull)
    assert [each for each in await world.asked() if each.request.kind is Kind.DEPLOY] == []
    return answer.replace("\\", "")


async def lock(world: World, by: str) -> None:
    address = f"{world.github.url}/{EDGES}.git"
    taken = Lock("1", address, "staging", Actor(by, "github"), "an experiment", time.time())
    await world.deployer.locks.take(taken, time.time())
    assert await world.deployer.locks.of(address, "staging", time.time())


async def test_what_another_has_locked_is_refused(world: World) -> None:
    pull = await pull_of(world)
    await lock(world, "grace")
    answer = await refused(world, pull)
    assert "locked" in answer
    assert "grace" in answer
    assert "an experiment" in answer


async def test_the_owner_of_the_lock_deploys(world: World) -> None:
    pull = await pull_of(world)
    await lock(world, "ada")
    await world.comment(pull, "/pachops deploy staging")
    assert (await world.only()).request.actor.name == "ada"


async def test_a_rollback_of_what_another_has_locked_is_refused(world: World) -> None:
    pull = await pull_of(world)
    await lock(world, "grace")
    assert "locked" in await refused(world, pull, "rollback staging")


async def test_a_freeze_is_refused(world: World) -> None:
    pull = await pull_of(world, "not: Mon - Sun UTC")
    assert "environment_frozen" in await refused(world, pull)


async def test_a_team_that_does_not_exist_is_refused_by_its_own_code(world: World) -> None:
    pull = await pull_of(world, "deployers: {teams: [acme/nobody]}")
    answer = await refused(world, pull)
    assert "team_unknown" in answer
    assert "acme/nobody" in answer


async def test_who_is_in_both_teams_deploys_however_many_are_called_alike(world: World) -> None:
    pull = await pull_of(world, "deployers: {teams: [acme/ml]}, force: {teams: [acme/oncall]}")
    world.github.team("acme/ml", *(f"ada-{number:03}" for number in range(100)), "ada")
    world.github.team("acme/oncall", "ada")
    await world.comment(pull, "/pachops deploy staging --force the cluster is on fire")
    assert (await world.only()).request.actor.name == "ada"


async def test_a_time_zone_that_is_none_is_refused_with_its_line(world: World) -> None:
    pull = await pull_of(world, "not: Sat Mars/Olympus")
    answer = await refused(world, pull)
    assert "project_invalid" in answer
    assert ".pachops.yml:2" in answer


async def test_the_same_rules_are_read_once_and_hold_up_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_by: list[threading.Thread] = []

    def read(text: bytes) -> Project:
        read_by.append(threading.current_thread())
        return parse_project(text)

    pull = await pull_of(world, "not: Sun 04:11 - 04:12 UTC")
    monkeypatch.setattr(errand, "parse_project", read)
    for _ in range(2):
        await world.comment(pull, "/pachops deploy staging --force none")
    assert len(world.answers(pull)) == 2
    assert len(read_by) == 1
    assert threading.main_thread() not in read_by


async def test_the_operators_rules_narrow_the_repositorys(world: World) -> None:
    pull = await pull_of(world)
    world.deployer.limits = (LimitsSetting.model_validate({"not": "Mon - Sun UTC"}),)
    assert "environment_frozen" in await refused(world, pull)


async def test_force_is_for_those_who_are_named(world: World) -> None:
    pull = await pull_of(world, "not: Mon - Sun UTC")
    answer = await refused(world, pull, "deploy staging --force it burns")
    assert "force_not_allowed" in answer


async def test_who_is_named_forces_with_a_reason(world: World) -> None:
    pull = await pull_of(world, "not: Mon - Sun UTC, force: {users: [ada]}")
    await lock(world, "grace")
    await world.comment(pull, "/pachops deploy staging --force it burns")
    assert (await world.only()).request.force == "it burns"


async def test_one_that_needs_approvals_is_taken_and_waits_later(world: World) -> None:
    pull = await pull_of(world, "approvals: 1")
    comment = await world.comment(pull, "/pachops deploy staging")
    assert (await world.only()).request.force is None
    assert world.reactions(comment) == ["eyes"]


async def test_after_a_rollback_a_push_is_not_deployed(world: World) -> None:
    pull = await pull_of(world, "on: {push: [main]}")
    await world.comment(pull, "/pachops deploy staging")
    await world.was_rolled_back()
    await world.github.push(EDGES, {"b": "1"}, "main")
    await world.settled()
    assert [each.request.trigger for each in await world.asked()] == [
        Trigger.COMMENT,
        Trigger.COMMENT,
    ]
