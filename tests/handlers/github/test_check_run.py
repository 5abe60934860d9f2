"""The buttons of a check, and checks that are asked for again."""

import asyncio
import time

import pytest

from bot.domain.deployment import Deployment, Kind, Outcome, State, Trigger
from bot.domain.github import Permission
from bot.domain.queue import newer_than
from bot.domain.reasons import Code, StoppedError
from bot.services.github import Action, CheckReport
from bot.store.deliveries import Delivery
from handlers.commands.obey import LONGEST_WAY
from handlers.reports.github.check import Button, check_name
from handlers.reports.github.origin import ORIGIN
from tests.handlers.github.world import EDGES, FOLLOWS_MAIN, World
from tests.standins.github.state import CheckRun

USUAL = (Button.RERUN, Button.CANCEL, Button.DEPLOY)


async def with_check(world: World, hours_ago: float = 0.0) -> tuple[Deployment, CheckRun]:
    """A deployment of a push and its check."""
    world.declare(FOLLOWS_MAIN)
    world.github.webhooks.is_held = hours_ago > 0
    sha = await world.github.push(EDGES, {"a": "1"})
    if hours_ago:
        await missed(world, hours_ago)
    await world.settled()
    deployment = await world.only()
    client = world.client.for_repository("acme", "edges")
    buttons = tuple(Action(each.value, each.value, each.value) for each in USUAL)
    report = CheckReport("running", "running", actions=buttons)
    await client.create_check(sha, check_name("staging"), report, external_id=deployment.id)
    return deployment, await world.github.expect_check(sha)


async def test_the_buttons_deploy_the_same_commit_again(world: World) -> None:
    deployment, check = await with_check(world)
    await world.github.press(EDGES, check, Button.DEPLOY)
    await world.settled()
    await world.github.rerun(EDGES, check)
    await world.settled()
    again = (await world.asked())[1:]
    assert [each.request.trigger for each in again] == [Trigger.CHECK, Trigger.RERUN]
    assert {each.request.commit for each in again} == {deployment.request.commit}


async def test_the_cancel_button_cancels(world: World) -> None:
    _, check = await with_check(world)
    await world.github.press(EDGES, check, Button.CANCEL)
    await world.settled()
    deployment = await world.only()
    assert (deployment.state, deployment.cancel_requested_by) == (State.FINISHED, "ada")


async def test_a_button_needs_the_permission_of_whoever_presses_it(world: World) -> None:
    _, check = await with_check(world)
    world.github.allow("eve", EDGES, Permission.READ)
    for button in USUAL:
        await world.github.press(EDGES, check, button, by="eve")
    await world.settled()
    assert (await world.only()).state is State.WAITING


@pytest.mark.parametrize("kind", [Kind.DEPLOY, Kind.ROLLBACK])
async def test_a_check_that_is_asked_for_again_in_vain_does_not_stay_queued(
    world: World, kind: Kind
) -> None:
    deployment, check = await with_check(world)
    who = "ada"
    if kind is Kind.ROLLBACK:
        await world.was_rolled_back()
        check.external_id = (await world.asked())[-1].id
        origin = await world.origin(deployment)
        await world.deployments.save(check.external_id, ORIGIN, origin.to_json())
    else:
        world.github.allow("eve", EDGES, Permission.READ)
        who = "eve"
    before = len(await world.asked())
    await world.github.rerun(EDGES, check, by=who)
    await world.settled()
    assert len(await world.asked()) == before
    assert (check.status, check.conclusion) == ("completed", "action_required")
    assert "Not deployed to **staging**" in (check.summary or "")


async def test_a_rerun_which_may_be_of_all_that_failed_does_not_pass_a_rollback(
    world: World,
) -> None:
    deployment, check = await with_check(world)
    await world.deployments.finish(deployment.id, Outcome.SUCCEEDED)
    await world.was_rolled_back()
    await world.github.rerun(EDGES, check)
    await world.settled()
    assert len(await world.asked()) == 2
    assert (check.status, check.conclusion) == ("completed", "success")
    assert "rolled back by ada" in (check.summary or "")
    await world.github.press(EDGES, check, Button.DEPLOY)
    await world.settled()
    assert (await world.asked())[-1].request.trigger is Trigger.CHECK


async def test_a_push_that_a_rollback_refused_is_asked_for_by_command(world: World) -> None:
    await with_check(world)
    await world.was_rolled_back()
    sha = await world.github.push(EDGES, {"a": "2"})
    await world.settled()
    check = await world.github.expect_check(sha, conclusion="action_required")
    await world.github.rerun(EDGES, check)
    await world.settled()
    assert len(await world.asked()) == 2
    assert (check.status, check.conclusion) == ("completed", "action_required")
    assert f"/pachops deploy staging {sha}" in (check.summary or "")


async def test_a_refusals_check_that_is_asked_for_again_is_not_queued_for_ever(
    world: World,
) -> None:
    world.declare("  staging: {on: {push: [main]}, deployers: {users: [grace]}}\n")
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    check = await world.github.expect_check(sha, conclusion="action_required")
    await world.github.rerun(EDGES, check)
    await world.settled()
    assert (check.status, check.conclusion) == ("completed", "action_required")
    assert "Not deployed to **staging**" in (check.summary or "")


async def test_what_was_refused_is_deployed_when_who_may_asks_for_its_check_again(
    world: World,
) -> None:
    world.declare("  staging: {on: {push: [main]}, deployers: {users: [grace]}}\n")
    world.github.allow("grace", EDGES, Permission.WRITE)
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    check = await world.github.expect_check(sha, conclusion="action_required")
    await world.github.rerun(EDGES, check, by="grace")
    await world.settled()
    request = (await world.only()).request
    assert (request.actor.name, request.trigger) == ("grace", Trigger.RERUN)
    assert (request.environment, request.commit.sha, request.commit.branch) == (
        "staging",
        sha,
        "main",
    )


async def test_a_release_that_was_refused_is_left_to_people(world: World) -> None:
    world.declare("  production: {on: {release: published}, deployers: {users: [grace]}}\n")
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.github.publish_release(EDGES, "v1.0")
    await world.settled()
    check = await world.github.expect_check(sha, conclusion="action_required")
    await world.github.rerun(EDGES, check)
    await world.settled()
    assert (check.status, check.conclusion) == ("completed", "action_required")
    assert f"/pachops deploy production {sha}" in (check.summary or "")


async def test_checks_of_others_have_no_buttons_for_us(world: World) -> None:
    deployment, _ = await with_check(world)
    foreign = world.github.check(EDGES, deployment.request.commit.sha, "ci")
    foreign.external_id = deployment.id
    await world.github.rerun(EDGES, foreign)
    await world.settled()
    await world.only()


async def test_what_is_made_again_is_no_newer_commit_of_its_branch(world: World) -> None:
    first, check = await with_check(world)
    await world.deployments.finish(first.id, Outcome.FAILED, None)
    await world.github.push(EDGES, {"a": "2"})
    await world.settled()
    await world.github.rerun(EDGES, check)
    await world.settled()
    _, newer, again = await world.asked()
    assert again.request.commit.sha == first.request.commit.sha
    assert newer_than(newer, [again]) is None


async def missed(world: World, hours: float) -> None:
    """The last webhook did not arrive when it was sent, and does now."""
    told = world.github.webhooks.all[-1]
    await world.deliveries.note_missed(told.guid, time.time() - hours * 3600)
    world.github.webhooks.is_held = False
    await world.github.webhooks.deliver(told)
    await world.settled()


@pytest.mark.parametrize(("hours", "deployed"), [(LONGEST_WAY - 1, 1), (LONGEST_WAY + 1, 0)])
@pytest.mark.parametrize("again", [True, False])
async def test_a_button_that_is_heard_of_half_a_day_late_deploys_nothing(
    world: World, *, again: bool, hours: float, deployed: int
) -> None:
    _, check = await with_check(world, hours + 1)
    world.github.webhooks.is_held = True
    if again:
        await world.github.rerun(EDGES, check)
    else:
        await world.github.press(EDGES, check, Button.DEPLOY)
    await missed(world, hours)
    assert len(await world.asked()) == 1 + deployed


async def test_a_check_that_was_asked_for_again_half_a_day_ago_says_what_to_do(
    world: World,
) -> None:
    _, check = await with_check(world)
    world.github.webhooks.is_held = True
    await world.github.rerun(EDGES, check)
    await missed(world, LONGEST_WAY + 1)
    assert (check.status, check.conclusion) == ("completed", "action_required")
    summary = (check.summary or "").replace("\\", "")
    assert "command_outdated" in summary
    assert "Press it again" in summary


@pytest.mark.parametrize("button", [Button.CANCEL, Button.APPROVE])
async def test_no_button_counts_half_a_day_late(world: World, button: Button) -> None:
    world.declare("  staging: {}\n")
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.comment(pull, "/pachops deploy staging")
    deployment = await world.only()
    client = world.client.for_repository("acme", "edges")
    report = CheckReport("running", "running", actions=(Action("a", "a", button.value),))
    await client.create_check(pull.head_sha, "a", report, external_id=deployment.id)
    check = await world.github.expect_check(pull.head_sha)
    world.github.webhooks.is_held = True
    await world.github.press(EDGES, check, button)
    await missed(world, LONGEST_WAY + 1)
    assert "command_outdated" in world.answers(pull)[-1].replace("\\", "")
    assert (await world.only()).state is State.WAITING


async def test_a_refusal_that_is_asked_about_again_half_a_day_late_stays_one(
    world: World,
) -> None:
    world.declare("  staging: {on: {push: [main]}, deployers: {users: [grace]}}\n")
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    check = await world.github.expect_check(sha, conclusion="action_required")
    world.redeclare("  staging: {on: {push: [main]}}\n")
    world.github.webhooks.is_held = True
    await world.github.rerun(EDGES, check)
    await missed(world, LONGEST_WAY + 1)
    assert sha not in {each.request.commit.sha for each in await world.asked()}
    assert "command_outdated" in (check.summary or "").replace("\\", "")


async def test_what_a_late_button_led_to_in_an_earlier_attempt_stays(world: World) -> None:
    _, check = await with_check(world)
    broken = asyncio.Event()

    async def breaks_once(_delivery: Delivery) -> None:
        if not broken.is_set():
            broken.set()
            await world.deliveries.note_missed(
                world.github.webhooks.all[-1].guid, time.time() - (LONGEST_WAY + 1) * 3600
            )
            raise StoppedError(Code.GITHUB_UNREACHABLE, "502")

    world.interrupts = breaks_once
    await world.github.rerun(EDGES, check)
    await world.settled()
    assert len(await world.asked()) == 2
    assert check.conclusion != "action_required"
