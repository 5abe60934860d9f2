"""Names go from one repository to another, and GitHub shows one no more, or a crash comes between."""

import pytest

from bot.domain.deployment import Actor
from bot.store.deliveries import DeliveryState
from bot.store.names import Named
from tests.handlers.github.test_moving import (
    BETWEEN,
    NEW,
    OLD,
    arrive,
    asked_before,
    both,
    deployed,
    locked,
    opened,
    untold,
    world,
)
from tests.handlers.github.world import EDGES, World
from tests.standins.github.faults import error

__all__ = ["world"]


async def test_what_is_told_of_what_is_gone_holds_up_nobody_who_has_its_name(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    first = await opened(world, EDGES)
    await world.comment(first, "/pachops lock staging")
    told = await asked_before(world, first)
    del world.github.world.repos[EDGES]
    again = await opened(world, EDGES)
    await world.comment(again, "/pachops status")
    answers = len(world.answers(again))
    await arrive(world, told)
    state = await world.deliveries.state(told.guid)
    assert state is not None
    assert state[0] is DeliveryState.FAILED
    assert "github_refused: GitHub says that acme/edges is another" in (state[1] or "")
    assert "is given up after 1 attempts" in caplog.text
    assert len(world.answers(again)) == answers


async def test_a_new_name_that_is_told_of_what_is_gone_holds_up_nobody_who_has_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    first = await opened(world, EDGES)
    await world.comment(first, "/pachops lock staging")
    told = await untold(world, EDGES, "edges-old")
    del world.github.world.repos[OLD]
    await world.comment(await opened(world, OLD), "/pachops status")
    await arrive(world, told)
    assert "is given up after 1 attempts" in caplog.text


async def test_what_was_sent_before_a_name_undoes_it_not_where_github_does_not_say(
    world: World,
) -> None:
    first = await opened(world, EDGES)
    await world.comment(first, "/pachops lock staging")
    told = await asked_before(world, first)
    await world.github.rename(EDGES, "edges-old")
    await world.settled()
    world.github.fail("GET", "/repositories/*", error(404))
    await arrive(world, told)
    assert world.github.pending_faults() == 0
    assert await locked(world) == {OLD: "staging"}
    assert await deployed(world) == [OLD]


async def test_a_name_before_the_last_that_is_told_late_undoes_it_not_where_github_does_not_say(
    world: World,
) -> None:
    await both(world)
    told = [await untold(world, EDGES, "between"), await untold(world, BETWEEN, "edges-old")]
    world.github.fail("GET", "/repositories/*", error(404), times=2)
    await arrive(world, *reversed(told))
    assert world.github.pending_faults() == 0
    assert await locked(world) == {OLD: "staging", NEW: "production"}


@pytest.mark.parametrize("moves", [0, 1, 2])
@pytest.mark.parametrize("is_renamed", [True, False])
async def test_a_crash_on_the_way_of_a_name_leaves_nobody_aside(
    world: World, monkeypatch: pytest.MonkeyPatch, *, moves: int, is_renamed: bool
) -> None:
    first, second = await both(world)
    await world.comment(first, "/pachops deploy production")
    await untold(world, EDGES, "edges-old")
    renamed = await untold(world, NEW, "edges")
    told = renamed if is_renamed else await asked_before(world, second, "/pachops status")
    left = crash_after(monkeypatch, world, moves)
    await arrive(world, told)
    assert left[0] < 0
    assert await locked(world) == {OLD: "staging", EDGES: "production"}
    assert await deployed(world) == [OLD]


@pytest.mark.parametrize("moves", [1, 2])
async def test_a_crash_between_two_that_swap_their_names_leaves_nobody_aside(
    world: World, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    await both(world)
    await untold(world, EDGES, "between")
    told = await untold(world, NEW, "edges")
    await untold(world, BETWEEN, "edges-new")
    left = crash_after(monkeypatch, world, moves)
    await arrive(world, told)
    assert left[0] < 0
    assert await locked(world) == {NEW: "staging", EDGES: "production"}


def crash_after(monkeypatch: pytest.MonkeyPatch, world: World, moves: int) -> list[int]:
    """The next move after these comes to nothing, once; how many are left until then."""
    rename, left = world.deployer.rename, [moves]

    async def broken(before: Named, after: Named, by: Actor, *, once: str) -> None:
        left[0] -= 1
        if left[0] == -1:
            raise RuntimeError
        await rename(before, after, by, once=once)

    monkeypatch.setattr(world.deployer, "rename", broken)
    return left
