"""Comments and buttons that come after what was said later."""

import pytest

from bot.domain.deployment import Outcome
from bot.domain.github import Permission
from bot.services.github import Action, CheckReport
from handlers.reports.github.check import Button, check_name
from tests.handlers.github.world import EDGES, FOLLOWS_MAIN, World
from tests.standins.github.state import PullRequest
from tests.standins.github.webhooks import Delivery

REFUSED = "command_outdated"


async def opened(world: World, name: str = "feature") -> PullRequest:
    pull = await world.github.open_pull_request(EDGES, name, files={"a": name})
    world.github.advance(5)
    return pull


async def missed(world: World, pull: PullRequest, body: str, *, by: str = "ada") -> Delivery:
    """A comment that does not reach the bot."""
    hooks = world.github.webhooks
    hooks.is_held = True
    await world.github.comment(pull, body, by=by)
    hooks.is_held = False
    world.github.advance(30)
    return hooks.all[-1]


async def comes(world: World, *held: Delivery) -> None:
    for each in held:
        assert await world.github.webhooks.deliver(each) == 202
    await world.settled()


async def is_locked(world: World) -> bool:
    found = await world.deployer.standing(f"{world.github.url}/{EDGES}.git", "staging")
    return bool(found.locks)


@pytest.fixture(autouse=True)
def declared(world: World) -> None:
    world.declare("  staging: {}\n")


async def test_a_deployment_that_was_cancelled_before_it_came(world: World) -> None:
    pull = await opened(world)
    held = await missed(world, pull, "/pachops deploy staging")
    await world.comment(pull, "/pachops cancel")
    await comes(world, held)
    assert await world.asked() == []
    answer = world.answers(pull)[-1]
    assert REFUSED in answer
    assert "`cancel` by ada at" in answer
    assert "Write it again" in answer


async def test_who_may_not_write_cancels_nothing_by_it(world: World) -> None:
    pull = await opened(world)
    world.github.allow("eve", EDGES, Permission.READ)
    world.github.allow("grace", EDGES, Permission.WRITE)
    held = await missed(world, pull, "/pachops deploy staging")
    other = await missed(world, pull, "/pachops deploy staging")
    await world.comment(pull, "/pachops cancel", by="eve")
    await comes(world, held)
    assert len(await world.asked()) == 1
    await world.deployments.finish((await world.only()).id, Outcome.SUCCEEDED)
    await world.comment(pull, "/pachops cancel", by="grace")
    await comes(world, other)
    assert REFUSED in world.answers(pull)[-1]


async def test_a_lock_that_was_released_before_it_came(world: World) -> None:
    pull = await opened(world)
    held = await missed(world, pull, "/pachops lock staging")
    await world.comment(pull, "/pachops unlock staging")
    await comes(world, held)
    assert not await is_locked(world)
    assert REFUSED in world.answers(pull)[-1]


async def test_a_rollback_that_was_asked_for_again(world: World) -> None:
    pull = await opened(world)
    held = await missed(world, pull, "/pachops rollback staging")
    await world.comment(pull, "/pachops rollback staging")
    await comes(world, held)
    await world.only()


async def test_an_older_pull_requests_deployment(world: World) -> None:
    pull, newer = await opened(world), await opened(world, "newer")
    held = await missed(world, pull, "/pachops deploy staging")
    await world.comment(newer, "/pachops deploy staging", by="grace")
    world.github.allow("grace", EDGES, Permission.WRITE)
    await world.comment(newer, "/pachops deploy staging", by="grace")
    await comes(world, held)
    assert (await world.only()).request.commit.sha == newer.head_sha
    assert "`deploy staging` by grace at" in world.answers(pull)[-1]
    await world.comment(pull, "/pachops deploy staging")
    assert (await world.asked())[-1].request.commit.sha == pull.head_sha


async def test_a_cancel_that_meant_what_ran_before(world: World) -> None:
    pull = await opened(world)
    await world.comment(pull, "/pachops deploy staging")
    held = await missed(world, pull, "/pachops cancel")
    await world.deployments.finish((await world.only()).id, Outcome.FAILED)
    await world.comment(pull, "/pachops deploy staging")
    await comes(world, held)
    assert (await world.asked())[-1].cancel_requested_by is None
    assert REFUSED in world.answers(pull)[-1]


async def test_after_an_outage_all_are_done_in_their_order(world: World) -> None:
    pull = await opened(world)
    lines = ("deploy staging", "cancel", "lock staging", "unlock staging", "deploy staging")
    held = [await missed(world, pull, f"/pachops {line}") for line in lines]
    await comes(world, *held)
    assert REFUSED not in "".join(world.answers(pull))
    cancelled, deployed = await world.asked()
    assert cancelled.cancel_requested_by == "ada"
    assert deployed.outcome is None
    assert not await is_locked(world)


async def test_what_was_taken_before_it_was_broken_off_is_not_refused_then(world: World) -> None:
    pull = await opened(world)
    other = await opened(world, "other")

    async def breaks_off(_delivery: object) -> None:
        world.interrupts = go_on
        await world.github.comment(other, "/pachops deploy staging")
        raise RuntimeError

    async def go_on(_delivery: object) -> None:
        """Nothing more."""

    world.interrupts = breaks_off
    await world.comment(pull, "/pachops deploy staging")
    assert REFUSED not in "".join(world.answers(pull))
    assert len(await world.asked()) == 2


async def test_what_only_tells_is_told(world: World) -> None:
    pull = await opened(world)
    held = [await missed(world, pull, f"/pachops {each}") for each in ("status", "why")]
    await world.comment(pull, "/pachops deploy staging")
    await comes(world, *held)
    assert REFUSED not in "".join(world.answers(pull))


async def test_a_button_that_comes_after_a_later_deployment(world: World) -> None:
    world.declare(FOLLOWS_MAIN)
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    first = await world.only()
    again = Action("Deploy again", "Deploy this commit again", Button.DEPLOY)
    client = world.client.for_repository("acme", "edges")
    report = CheckReport("deployed", "deployed", actions=(again,))
    await client.create_check(sha, check_name("staging"), report, external_id=first.id)
    check = await world.github.expect_check(sha)
    pull = await opened(world)
    hooks = world.github.webhooks
    hooks.is_held = True
    await world.github.press(EDGES, check, Button.DEPLOY)
    hooks.is_held = False
    held = hooks.all[-1]
    world.github.advance(120)
    # It was sent before it came, as the look for missed webhooks notes it.
    pressed_at = world.github.world.clock.now() - 120
    await world.deliveries.note_missed(held.guid, pressed_at)
    await world.comment(pull, "/pachops deploy staging")
    await comes(world, held)
    assert len(await world.asked()) == 2
    ((_, line, reasons),) = (await world.decisions())[-1:]
    assert (line, reasons) == ("deploy", [REFUSED])
