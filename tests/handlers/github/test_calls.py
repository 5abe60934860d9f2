"""How long a comment waits for GitHub: calls that do not need each other are made at once."""

import asyncio

import pytest

from handlers.commands.second_look import SecondLook
from tests.handlers.github.world import EDGES, World
from tests.standins.github.faults import Fault

GRAPH = ("POST", "/graphql")
PUSHES = ("GET", f"/repos/{EDGES}/activity")
PERMISSION = ("GET", f"/repos/{EDGES}/collaborators/")
COMPARISON = ("GET", f"/repos/{EDGES}/compare/")
REACTION = ("POST", "/reactions")


@pytest.mark.parametrize(
    ("rules", "shows_collaborators", "second"),
    [
        ("{}", True, (PUSHES,)),
        ("{}", False, (PUSHES, PERMISSION)),
        ("{requires: [fresh]}", False, (PUSHES, PERMISSION, COMPARISON)),
    ],
)
async def test_a_deployment_is_enqueued_after_two_round_trips(
    world: World,
    rules: str,
    second: tuple[tuple[str, str], ...],
    *,
    shows_collaborators: bool,
) -> None:
    world.declare(f"  staging: {rules}\n")
    world.github.world.shows_collaborators = shows_collaborators
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops help")
    trips = tuple((calls, asyncio.Event()) for calls in ((GRAPH,), second, (REACTION,)))
    for calls, answered in trips:
        for method, part in calls:
            world.github.fail(method, f"*{part}*", Fault(hold=answered))
    before = len(world.github.calls)

    commenting = asyncio.create_task(world.comment(pull, "/pachops deploy"))
    for calls, answered in trips[:2]:
        # None of them is answered before all of them have come.
        for method, part in calls:
            await world.github.expect_call(method, part)
        answered.set()
    await world.github.expect_call(*REACTION)
    # It is on disk before anybody is told of it.
    assert len(await world.asked()) == 1
    trips[2][1].set()
    await commenting

    made = world.github.calls[before:]
    # With the App's name, which is asked for once.
    own = [each for each in made if each.path != "/app"]
    assert len(own) == 1 + len(second) + 1, made


async def test_a_commit_that_is_written_out_takes_one_call(world: World) -> None:
    world.declare("  staging: {}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.client.prefetch()
    await world.settled()
    before = len(world.github.calls)
    await world.comment(pull, f"/pachops deploy staging {pull.head_sha}")
    await world.only()
    assert [each.path for each in world.github.calls[before:-1]] == ["/graphql"]


async def test_the_second_look_takes_one_call(world: World) -> None:
    world.declare("  staging: {}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy")
    before = len(world.github.calls)
    assert await SecondLook(world.desk)(await world.only()) == ()
    assert [each.path for each in world.github.calls[before:]] == ["/graphql"]


@pytest.mark.parametrize(
    ("rest", "first", "second"),
    [
        # The pull request, its checks, statuses and reviews, the rules and the permission; and
        # when the head moved.
        ({"has_graphql": False}, 7, 6),
        # The one that GraphQL does not say.
        ({"shows_collaborators": False}, 3, 2),
    ],
)
async def test_what_the_gate_costs_where_rest_is_asked(
    world: World, rest: dict[str, bool], first: int, second: int
) -> None:
    world.declare("  staging: {}\n")
    vars(world.github.world).update(rest)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    # A server without GraphQL is asked for it once.
    await world.comment(pull, "/pachops plan")
    before = len(world.github.calls)
    await world.comment(pull, "/pachops deploy")
    deployment = await world.only()
    made = world.github.calls[before:]
    assert [each.path.rpartition("/")[2] for each in made[first:]] == ["reactions"], made
    assert await SecondLook(world.desk)(deployment) == ()
    assert len(world.github.calls[before + first + 1 :]) == second


async def test_the_tokens_of_several_comments_are_fetched_once(world: World) -> None:
    world.declare("  staging: {}\n")
    pulls = [await world.github.open_pull_request(EDGES, name, files={name: "1"}) for name in "abc"]
    await asyncio.gather(*(world.github.comment(each, "/pachops deploy") for each in pulls))
    await world.settled()
    assert len(await world.asked()) == 3
    assert world.github.called("POST", "/access_tokens") == 1
    assert world.github.called("GET", "/app") == 1
