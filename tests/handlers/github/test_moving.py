"""Names go from one repository to another, and GitHub tells of it late or in another order."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.domain.audit import Action
from bot.domain.github import Permission
from bot.store.database import Database
from tests.handlers.github.bot import Waits
from tests.handlers.github.world import EDGES, World
from tests.handlers.github.world import opened as listening
from tests.standins.github.faults import error
from tests.standins.github.state import PullRequest
from tests.standins.github.webhooks import Delivery

OLD, NEW, BETWEEN = "acme/edges-old", "acme/edges-new", "acme/between"
RULES = "environments:\n  staging: {}\n  production: {}\n"


@pytest.fixture
async def world(tmp_path: Path, database: Database) -> AsyncIterator[World]:
    async with listening(tmp_path, database, Waits().clock) as world:
        yield world


async def opened(world: World, full_name: str) -> PullRequest:
    world.github.repository(full_name, {".pachops.yml": RULES})
    world.github.allow("grace", full_name, Permission.WRITE)
    return await world.github.open_pull_request(full_name, "feature", files={"a": "1"})


async def both(world: World) -> tuple[PullRequest, PullRequest]:
    """Two repositories, each with a lock of its own."""
    first, second = await opened(world, EDGES), await opened(world, NEW)
    await world.comment(first, "/pachops lock staging")
    await world.comment(second, "/pachops lock production", by="grace")
    return first, second


async def untold(world: World, full_name: str, name: str) -> Delivery:
    """It is renamed, and the bot does not hear of it yet."""
    world.github.webhooks.is_held = True
    await world.github.rename(full_name, name)
    world.github.webhooks.is_held = False
    return world.github.webhooks.all[-1]


async def arrive(world: World, *told: Delivery) -> None:
    for each in told:
        await world.github.webhooks.deliver(each)
        await world.settled()


async def locked(world: World) -> dict[str, str | None]:
    """What is locked, by the name of its repository."""
    locks = await world.deployer.locks.list(None, 0.0)
    root = f"{world.github.url}/"
    return {
        each.repository.removeprefix(root).removesuffix(".git"): each.environment for each in locks
    }


async def deployed(world: World) -> list[str]:
    root = f"{world.github.url}/"
    return [
        each.request.repository.removeprefix(root).removesuffix(".git")
        for each in await world.asked()
    ]


@pytest.mark.parametrize("is_in_order", [True, False])
async def test_a_name_that_goes_on_to_another_is_of_one_at_a_time(
    world: World, *, is_in_order: bool
) -> None:
    first, _ = await both(world)
    await world.comment(first, "/pachops deploy production")
    told = [await untold(world, EDGES, "edges-old"), await untold(world, NEW, "edges")]
    await arrive(world, *told[:: 1 if is_in_order else -1])
    assert await locked(world) == {OLD: "staging", EDGES: "production"}
    assert await deployed(world) == [OLD]


async def test_who_took_the_name_has_its_own_before_the_first_is_told(world: World) -> None:
    await both(world)
    await untold(world, EDGES, "edges-old")
    await arrive(world, await untold(world, NEW, "edges"))
    assert await locked(world) == {OLD: "staging", EDGES: "production"}


async def test_two_that_swap_their_names_and_are_told_at_once_keep_their_own(world: World) -> None:
    await both(world)
    told = [
        await untold(world, EDGES, "between"),
        await untold(world, NEW, "edges"),
        await untold(world, BETWEEN, "edges-new"),
    ]
    await asyncio.gather(*map(world.github.webhooks.deliver, told))
    await world.settled()
    assert await locked(world) == {NEW: "staging", EDGES: "production"}


@pytest.mark.parametrize("is_in_order", [True, False])
async def test_two_that_swap_their_names_keep_their_own(world: World, *, is_in_order: bool) -> None:
    await both(world)
    told = [
        await untold(world, EDGES, "between"),
        await untold(world, NEW, "edges"),
        await untold(world, BETWEEN, "edges-new"),
    ]
    await arrive(world, *told[:: 1 if is_in_order else -1])
    assert await locked(world) == {NEW: "staging", EDGES: "production"}


async def test_two_names_that_are_told_in_the_wrong_order_come_to_the_last(world: World) -> None:
    await both(world)
    told = [await untold(world, EDGES, "between"), await untold(world, BETWEEN, "edges-old")]
    await arrive(world, *reversed(told))
    assert await locked(world) == {OLD: "staging", NEW: "production"}


async def test_a_name_that_it_has_again_and_that_is_told_first_stays(world: World) -> None:
    await both(world)
    told = [await untold(world, EDGES, "between"), await untold(world, BETWEEN, "edges")]
    await arrive(world, *reversed(told))
    assert await locked(world) == {EDGES: "staging", NEW: "production"}


async def test_a_new_name_that_is_told_in_order_costs_no_call(world: World) -> None:
    await both(world)
    await world.github.rename(EDGES, "edges-old")
    await world.settled()
    assert world.github.called("GET", "/repositories/") == 0


async def test_what_is_told_under_a_new_name_passes_no_lock_of_the_old_one(world: World) -> None:
    first, _ = await both(world)
    await untold(world, EDGES, "edges-old")
    await world.comment(first, "/pachops deploy staging", by="grace")
    assert "staging is locked by ada" in world.answers(first)[-1]


async def test_what_is_told_under_a_name_that_was_anothers_meets_nothing_of_it(
    world: World,
) -> None:
    _, second = await both(world)
    await untold(world, EDGES, "edges-old")
    await untold(world, NEW, "edges")
    await world.comment(second, "/pachops deploy staging")
    assert await deployed(world) == [EDGES]
    assert await locked(world) == {OLD: "staging", EDGES: "production"}


async def asked_before(
    world: World, pull: PullRequest, body: str = "/pachops deploy production"
) -> Delivery:
    """A comment that is on its way."""
    world.github.webhooks.is_held = True
    await world.github.comment(pull, body)
    world.github.webhooks.is_held = False
    return world.github.webhooks.all[-1]


async def test_what_was_sent_before_and_comes_just_after_acts_on_the_new_name(
    world: World,
) -> None:
    first = await opened(world, EDGES)
    told = await asked_before(world, first)
    await world.github.rename(EDGES, "edges-old")
    await world.settled()
    await arrive(world, told)
    assert await deployed(world) == [OLD]
    assert len(world.answers(first)) <= 1
    assert await world.deliveries.repositories(1) == [OLD]


async def test_what_was_sent_before_acts_on_no_other_that_has_the_name(world: World) -> None:
    first, _ = await both(world)
    told = await asked_before(world, first)
    await world.github.rename(EDGES, "edges-old")
    await world.github.rename(NEW, "edges")
    await world.settled()
    await arrive(world, told)
    assert await deployed(world) == [OLD]


async def test_a_plan_that_was_asked_for_before_is_of_who_had_the_name(world: World) -> None:
    first, _ = await both(world)
    told = await asked_before(world, first, "/pachops plan production")
    await world.github.rename(EDGES, "edges-old")
    await world.github.rename(NEW, "edges")
    await world.settled()
    await arrive(world, told)
    (planned,) = world.deployer.planned
    assert planned.repository == f"{world.github.url}/{OLD}.git"
    assert "a plan for production" in world.answers(first)[-1]
    (asked,) = [
        each for each in first.repo.comments.values() if each.body.startswith("/pachops plan")
    ]
    assert world.reactions(asked)


async def test_what_waits_of_another_that_has_the_name_stays_its_own(world: World) -> None:
    _, second = await both(world)
    renamed = [await untold(world, EDGES, "edges-old"), await untold(world, NEW, "edges")]
    told = await asked_before(world, second)
    world.github.fail("GET", "/repositories/*", error(503, Retry_After="1"), times=4)
    for each in (renamed[1], told, renamed[0]):
        await world.github.webhooks.deliver(each)
    await world.settled()
    assert await locked(world) == {OLD: "staging", EDGES: "production"}
    assert "production is locked by grace" in world.answers(second)[-1]


async def test_what_is_deleted_and_made_again_keeps_its_lock(world: World) -> None:
    await both(world)
    del world.github.world.repos[EDGES]
    again = await opened(world, EDGES)
    await world.comment(again, "/pachops deploy staging", by="grace")
    assert "staging is locked by ada" in world.answers(again)[-1]


async def test_what_is_gone_is_put_aside_for_another_that_brings_its_own(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    first, _ = await both(world)
    number = first.repo.id
    del world.github.world.repos[EDGES]
    await world.github.rename(NEW, "edges")
    await world.settled()
    assert await locked(world) == {f"{EDGES}~{number}": "staging", EDGES: "production"}
    assert f"what is kept of repository {number} is under {EDGES}~{number} now" in caplog.text


async def test_what_was_put_aside_is_there_again_where_it_is_heard_of(world: World) -> None:
    first, _ = await both(world)
    gone = world.github.world.repos.pop(EDGES)
    await world.github.rename(NEW, "edges")
    await world.settled()
    gone.name = "edges-old"
    world.github.world.repos[OLD] = gone
    world.github.installation(EDGES).repos.add(OLD)
    await world.comment(first, "/pachops deploy staging", by="grace")
    assert "staging is locked by ada" in world.answers(first)[-1]
    assert await locked(world) == {OLD: "staging", EDGES: "production"}


async def test_what_is_told_of_what_is_gone_acts_on_no_other_that_has_its_name(
    world: World,
) -> None:
    first, second = await both(world)
    told = await asked_before(world, first)
    await world.github.rename(EDGES, "edges-old")
    await world.github.rename(NEW, "edges")
    await world.settled()
    del world.github.world.repos[OLD]
    answers = world.answers(second)
    await arrive(world, told)
    _, result = await world.deliveries.state(told.guid) or (None, None)
    assert "refused, github_refused" in (result or "")
    assert world.answers(second) == answers
    assert await deployed(world) == []


async def test_a_name_of_another_is_waited_for_while_github_is_away(world: World) -> None:
    await both(world)
    await untold(world, EDGES, "edges-old")
    told = await untold(world, NEW, "edges")
    world.github.fail("GET", "/repositories/*", error(503, Retry_After="1"), times=5)
    await arrive(world, told)
    assert world.github.pending_faults() == 0
    assert await locked(world) == {OLD: "staging", EDGES: "production"}


@pytest.mark.parametrize("is_in_order", [True, False])
async def test_accounts_that_hand_on_a_name_keep_their_own(
    world: World, *, is_in_order: bool
) -> None:
    first, second = await opened(world, EDGES), await opened(world, "newco/edges")
    await world.comment(first, "/pachops lock staging")
    await world.comment(second, "/pachops lock production", by="grace")
    world.github.webhooks.is_held = True
    told: list[Delivery] = []
    for before, after in (("acme", "apex"), ("newco", "acme")):
        await world.github.rename_owner(before, after)
        told.append(world.github.webhooks.all[-1])
    world.github.webhooks.is_held = False
    await arrive(world, *told[:: 1 if is_in_order else -1])
    assert await locked(world) == {"apex/edges": "staging", EDGES: "production"}


async def test_a_name_that_nothing_is_in_doubt_of_costs_no_call(world: World) -> None:
    first, _ = await both(world)
    await world.comment(first, "/pachops status")
    assert world.github.called("GET", "/repositories/") == 0
    rows = [each.body for each in await world.deployer.audit.read()]
    assert not any(f'"action":"{Action.RENAMED}"' in each for each in rows)
