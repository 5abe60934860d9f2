"""When a comment is seen to have been read, whatever is before it and however long it takes."""

import asyncio

import pytest

from bot.domain.deployment import Commit
from bot.domain.github import Permission
from handlers import greetings
from handlers.github import seen
from tests.handlers.github.world import EDGES, PATIENCE, World
from tests.standins.github.faults import Fault, error, held
from tests.standins.github.state import Comment, PullRequest

REACTION = ("POST", "/reactions")


@pytest.fixture
async def pull(world: World) -> PullRequest:
    world.declare("  staging: {}\n")
    return await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})


@pytest.fixture
def waits_unseen_for_no_time(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    del world
    monkeypatch.setattr(greetings, "PATIENCE_SECONDS", 0.0)


@pytest.fixture
def is_soon_shown(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    del world
    monkeypatch.setattr(seen, "SOON_SECONDS", 0.0)


async def holds_up_all(world: World, pull: PullRequest) -> asyncio.Event:
    """A comment whose turn does not end before this."""
    await world.settled()
    answered = asyncio.Event()
    world.github.fail("POST", "/graphql", held(answered))
    await world.github.comment(pull, "/pachops deploy staging", by="ada")
    await world.github.expect_call("POST", "/graphql")
    return answered


async def expect_seen(world: World, comment: Comment) -> None:
    async with asyncio.timeout(PATIENCE):
        while not world.reactions(comment):  # noqa: ASYNC110 - no signal
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("waits_unseen_for_no_time")
async def test_comments_behind_one_that_takes_long_are_seen_to_have_come(
    world: World, pull: PullRequest
) -> None:
    answered = await holds_up_all(world, pull)
    others = [
        await world.github.comment(pull, each, by="ada")
        for each in ("/pachops deploy staging", "/pachops lock staging", "/pachops help")
    ]
    for each in others:
        await expect_seen(world, each)
    assert await world.asked() == []
    assert world.answers(pull) == []
    answered.set()
    await world.settled()


@pytest.mark.usefixtures("waits_unseen_for_no_time")
async def test_a_deployment_that_was_seen_to_wait_costs_no_further_call(
    world: World, pull: PullRequest
) -> None:
    answered = await holds_up_all(world, pull)
    await expect_seen(world, await world.github.comment(pull, "/pachops deploy staging"))
    answered.set()
    await world.settled()
    assert len(await world.asked()) == 2
    assert world.github.called(*REACTION) == 2


@pytest.mark.usefixtures("waits_unseen_for_no_time")
@pytest.mark.parametrize(
    "body", ["Looks good to me.", "```\n/pachops deploy\n```", "/pachopz deploy staging"]
)
async def test_what_waits_and_is_no_command_has_no_reaction(
    world: World, pull: PullRequest, body: str
) -> None:
    answered = await holds_up_all(world, pull)
    no_command = await world.github.comment(pull, body, by="ada")
    await expect_seen(world, await world.github.comment(pull, "/pachops help", by="ada"))
    answered.set()
    await world.settled()
    assert world.reactions(no_command) == []


@pytest.mark.usefixtures("waits_unseen_for_no_time")
async def test_where_github_takes_no_reaction_from_what_waits_it_has_it_when_it_is_accepted(
    world: World, pull: PullRequest
) -> None:
    answered = await holds_up_all(world, pull)
    world.github.fail("POST", "*/reactions", error(404))
    waits = await world.github.comment(pull, "/pachops deploy staging", by="ada")
    await world.github.expect_call(*REACTION)
    assert world.reactions(waits) == []
    answered.set()
    await world.settled()
    assert world.reactions(waits) == ["eyes"]


@pytest.mark.usefixtures("waits_unseen_for_no_time")
async def test_whoever_has_no_rights_is_answered_as_ever_when_it_is_their_turn(
    world: World, pull: PullRequest
) -> None:
    world.github.allow("eve", EDGES, Permission.READ)
    answered = await holds_up_all(world, pull)
    await expect_seen(world, await world.github.comment(pull, "/pachops deploy", by="eve"))
    answered.set()
    await world.settled()
    assert len(await world.asked()) == 1
    assert "Ask somebody with write permission" in world.answers(pull)[0]


@pytest.mark.usefixtures("is_soon_shown")
async def test_a_command_that_git_keeps_waiting_is_seen_before_it_is_accepted(
    world: World, pull: PullRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve, goes_on = world.deployer.resolve, asyncio.Event()

    async def resolve_at_last(repository: str, ref: str) -> Commit:
        await goes_on.wait()
        return await resolve(repository, ref)

    monkeypatch.setattr(world.deployer, "resolve", resolve_at_last)
    comment = await world.github.comment(pull, "/pachops deploy staging main", by="ada")
    await expect_seen(world, comment)
    assert await world.asked() == []
    goes_on.set()
    await world.settled()
    assert len(await world.asked()) == 1
    assert world.github.called(*REACTION) == 1


@pytest.mark.usefixtures("is_soon_shown")
async def test_an_early_reaction_that_fails_stops_nothing_and_comes_later(
    world: World, pull: PullRequest
) -> None:
    await world.settled()
    answered = asyncio.Event()
    world.github.fail("POST", "/graphql", held(answered))
    world.github.fail("POST", "*/reactions", error(422))
    comment = await world.github.comment(pull, "/pachops deploy staging", by="ada")
    await world.github.expect_call(*REACTION)
    answered.set()
    await world.settled()
    assert len(await world.asked()) == 1
    assert world.reactions(comment) == ["eyes"]


@pytest.mark.usefixtures("is_soon_shown")
async def test_an_early_reaction_that_hangs_holds_up_no_answer(
    world: World, pull: PullRequest
) -> None:
    await world.settled()
    never, refused = asyncio.Event(), asyncio.Event()
    world.github.allow("eve", EDGES, Permission.READ)
    world.github.fail("POST", "/graphql", held(refused))
    world.github.fail("POST", "*/reactions", Fault(hold=never))
    await world.github.comment(pull, "/pachops deploy", by="eve")
    await world.github.expect_call(*REACTION)
    refused.set()
    await world.settled()
    assert "Ask somebody with write permission" in world.answers(pull)[0]
    never.set()
