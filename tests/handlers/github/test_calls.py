"""How long a comment waits for GitHub: calls that do not need each other are made at once."""

import asyncio

from tests.handlers.github.world import EDGES, World
from tests.standins.github.faults import Fault

FIRST = (
    ("GET", f"/repos/{EDGES}/collaborators/"),
    ("GET", f"/repos/{EDGES}/contents/"),
    ("POST", "/graphql"),
)
SECOND = (("GET", f"/repos/{EDGES}/compare/"), ("GET", f"/repos/{EDGES}/activity"))
REACTION = ("POST", "/reactions")


async def test_a_deployment_is_enqueued_after_two_round_trips(world: World) -> None:
    world.declare("  staging: {}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops help")
    trips = ((FIRST, asyncio.Event()), (SECOND, asyncio.Event()), ((REACTION,), asyncio.Event()))
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
    assert len(made) == len(FIRST) + len(SECOND) + 1, made


async def test_the_tokens_of_several_comments_are_fetched_once(world: World) -> None:
    world.declare("  staging: {}\n")
    pulls = [await world.github.open_pull_request(EDGES, name, files={name: "1"}) for name in "abc"]
    await asyncio.gather(*(world.github.comment(each, "/pachops deploy") for each in pulls))
    await world.settled()
    assert len(await world.asked()) == 3
    assert world.github.called("POST", "/access_tokens") == 1
    assert world.github.called("GET", "/app") == 1
