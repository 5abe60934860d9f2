"""Commands whose answer does not get out, and what comes of them when their comment comes again."""

from collections.abc import Awaitable, Callable

import pytest

from bot.domain.deployment import State
from bot.domain.github import Permission
from bot.domain.reasons import Code, StoppedError
from bot.store.deliveries import DeliveryState
from handlers.commands.answers import Refused
from handlers.github import answering, commands
from tests.handlers.github.world import EDGES, World
from tests.standins.github.faults import error
from tests.standins.github.state import PullRequest
from tests.standins.github.webhooks import Delivery

COMMENTS = "*/issues/*/comments"
LOCKED = error(403, "Unable to create comment because issue is locked.")


async def opened(world: World) -> PullRequest:
    world.declare("  staging: {}\n  production: {}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    world.github.advance(5)
    return pull


def raises(stopped: StoppedError) -> Callable[..., Awaitable[bool]]:
    async def stop(*_args: object) -> bool:
        raise stopped

    return stop


def last_comment(world: World) -> Delivery:
    return [each for each in world.github.webhooks.all if each.event == "issue_comment"][-1]


async def test_an_answer_that_github_does_not_take_keeps_nothing_from_being_done(
    world: World,
) -> None:
    pull = await opened(world)
    world.github.fail("POST", COMMENTS, LOCKED)
    await world.comment(pull, "/pachops lock production busy\n/pachops deploy staging")
    assert (await world.only()).request.environment == "staging"


async def test_that_an_answer_was_not_taken_is_in_what_was_done(world: World) -> None:
    pull = await opened(world)
    world.github.fail("POST", COMMENTS, LOCKED)
    await world.comment(pull, "/pachops lock production busy")
    state = await world.deliveries.state(last_comment(world).guid)
    assert state == (
        DeliveryState.DONE,
        "lock production busy: answered; GitHub does not take the answer",
    )


async def test_a_failed_delivery_that_comes_again_does_not_do_what_it_did(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops deploy staging")
    world.github.allow("bob", EDGES, Permission.WRITE)
    broken = StoppedError(Code.GITHUB_REFUSED, "it is gone")
    with monkeypatch.context() as patch:
        patch.setattr(answering, "answer", raises(broken))
        await world.comment(pull, "/pachops cancel")
    cancel = last_comment(world)
    state = await world.deliveries.state(cancel.guid)
    assert state is not None
    assert state[0] is DeliveryState.FAILED
    await world.comment(pull, "/pachops deploy staging", by="bob")
    await world.github.webhooks.deliver(cancel, again=True)
    await world.settled()
    assert [each.state for each in await world.asked()] == [State.FINISHED, State.WAITING]
    (told,) = world.answers(pull)
    assert "it is cancelled" in told


async def told_at_last(
    world: World, monkeypatch: pytest.MonkeyPatch, pull: PullRequest, command: str
) -> str:
    """The answer to a command whose delivery failed, and came again."""
    broken = StoppedError(Code.GITHUB_REFUSED, "it is gone")
    with monkeypatch.context() as patch:
        patch.setattr(answering, "answer", raises(broken))
        await world.comment(pull, command)
    delivery = last_comment(world)
    state = await world.deliveries.state(delivery.guid)
    assert state is not None
    assert state[0] is DeliveryState.FAILED
    await world.github.webhooks.deliver(delivery, again=True)
    await world.settled()
    (told,) = world.answers(pull)
    return told


async def test_a_plan_whose_answer_was_not_told_is_told_when_it_comes_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = await opened(world)
    told = await told_at_last(world, monkeypatch, pull, "/pachops plan staging")
    assert "a plan for staging" in told


async def test_what_was_refused_for_a_while_is_done_when_it_comes_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = await opened(world)

    async def away(*_args: object, **_named: object) -> Refused:
        reason = StoppedError(Code.GITHUB_UNREACHABLE, "it answers 502").reason
        return Refused((reason,))

    with monkeypatch.context() as patch:
        patch.setattr(commands, "obey", away)
        broken = StoppedError(Code.GITHUB_REFUSED, "it is gone")
        patch.setattr(answering, "answer", raises(broken))
        await world.comment(pull, "/pachops lock staging busy")
    await world.github.webhooks.deliver(last_comment(world), again=True)
    await world.settled()
    (told,) = world.answers(pull)
    assert "staging is locked by ada" in told
