"""Commands whose answer does not get out, and what comes of them when their comment comes again."""

import pytest

from bot.domain.reasons import Code
from bot.store.deliveries import DeliveryState
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
    assert state == (DeliveryState.DONE, "lock production busy: answered, which GitHub does not take")
