"""Buttons: who clicks is authorised at the click, and what was used is shown."""

import json
from typing import Any

import pytest

from bot.domain.deployment import Deployment, Outcome
from bot.domain.github import Permission
from bot.domain.reasons import Code, StoppedError
from bot.services.slack import Message
from handlers.reports.slack.blocks import actions, button
from handlers.reports.slack.buttons import CLICKS, Button, clicks_from_json
from tests.handlers.github.world import EDGES
from tests.handlers.slack.clicking import click, joined, shown
from tests.handlers.slack.world import World
from tests.standins.slack.faults import broken


async def test_cancel_stops_it_and_says_who_did(world: World, deployment: Deployment) -> None:
    message = await shown(world, deployment, Button.CANCEL)
    await click(world, message, Button.CANCEL)
    found = await world.only()
    assert found.outcome is Outcome.CANCELLED
    (noted,) = clicks_from_json(await world.deployments.load(deployment.id, CLICKS))
    assert (noted.button, noted.user) == (Button.CANCEL, world.ann.id)
    assert world.looked_again == [deployment.id]


async def test_who_may_not_changes_nothing(world: World, deployment: Deployment) -> None:
    bob = await joined(world, "bob", Permission.READ)
    message = await shown(world, deployment, Button.CANCEL)
    await click(world, message, Button.CANCEL, bob)
    await world.slack.expect_ephemeral(bob, "needs write")
    assert (await world.only()).outcome is None
    assert world.looked_again == []


async def test_who_is_not_joined_with_a_login_changes_nothing(
    world: World, deployment: Deployment
) -> None:
    bob = world.slack.person("bob")
    world.ml.members.add(bob.id)
    message = await shown(world, deployment, Button.CANCEL)
    await click(world, message, Button.CANCEL, bob)
    await world.slack.expect_ephemeral(bob, "/pachops link")
    assert (await world.only()).outcome is None
    last = json.loads((await world.deployer.audit.read())[-1].body)
    assert (last["actor"]["name"], last["reasons"]) == (bob.id, ["not_linked"])
    assert last["facts"]["line"] == f"cancel {deployment.id}"


async def test_a_stale_message_is_answered_with_the_present_state(
    world: World, deployment: Deployment
) -> None:
    message = await shown(world, deployment, Button.APPROVE, Button.CANCEL)
    await world.deployments.finish(deployment.id, Outcome.SUCCEEDED)
    await click(world, message, Button.CANCEL)
    await world.slack.expect_ephemeral(world.ann, "succeeded")
    assert (await world.only()).outcome is Outcome.SUCCEEDED


async def test_deploy_again_deploys_the_same_commit(world: World, deployment: Deployment) -> None:
    await world.deployments.finish(deployment.id, Outcome.FAILED)
    message = await shown(world, deployment, Button.RETRY)
    await world.github.github.push(EDGES, {"more": "1"})
    await click(world, message, Button.RETRY)
    _, again = await world.asked()
    assert again.request.commit.sha == deployment.request.commit.sha


async def test_a_click_that_is_told_twice_acts_once(world: World, deployment: Deployment) -> None:
    await world.deployments.finish(deployment.id, Outcome.FAILED)
    message = await shown(world, deployment, Button.RETRY)
    await click(world, message, Button.RETRY)
    await world.slack.tells_last_again()
    await world.settled()
    assert len(await world.asked()) == 2


async def test_a_button_that_somebody_used_is_not_used_again(
    world: World, deployment: Deployment
) -> None:
    bob = await joined(world, "bob", Permission.WRITE)
    await world.deployments.finish(deployment.id, Outcome.FAILED)
    message = await shown(world, deployment, Button.RETRY)
    await click(world, message, Button.RETRY)
    # Slack was slow to show bob what became of the button.
    await click(world, message, Button.RETRY, bob)
    told = await world.slack.expect_ephemeral(bob, f"Deployed again by <@{world.ann.id}>")
    assert "failed" in told.shown
    assert len(await world.asked()) == 2


async def test_two_who_click_at_once_do_it_once(world: World, deployment: Deployment) -> None:
    bob = await joined(world, "bob", Permission.WRITE)
    await world.deployments.finish(deployment.id, Outcome.FAILED)
    message = await shown(world, deployment, Button.RETRY)
    await world.slack.clicks(world.ann, message, Button.RETRY)
    await click(world, message, Button.RETRY, bob)
    assert len(await world.asked()) == 2
    assert len(clicks_from_json(await world.deployments.load(deployment.id, CLICKS))) == 1


async def test_who_clicked_in_vain_leaves_the_button_to_others(
    world: World, deployment: Deployment
) -> None:
    bob = await joined(world, "bob", Permission.READ)
    await world.deployments.finish(deployment.id, Outcome.FAILED)
    message = await shown(world, deployment, Button.RETRY)
    await click(world, message, Button.RETRY, bob)
    assert clicks_from_json(await world.deployments.load(deployment.id, CLICKS)) == ()
    await click(world, message, Button.RETRY)
    assert len(await world.asked()) == 2


@pytest.mark.parametrize(
    "error", [StoppedError(Code.GITHUB_UNREACHABLE, "no answer"), ZeroDivisionError()]
)
async def test_a_click_that_was_not_carried_out_is_carried_out_later(
    world: World, deployment: Deployment, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    await world.deployments.finish(deployment.id, Outcome.FAILED)
    message = await shown(world, deployment, Button.RETRY)
    submit, times = world.deployer.submit, 0

    async def fails_once(*given: Any) -> Any:
        nonlocal times
        times += 1
        if times == 1:
            raise error
        return await submit(*given)

    monkeypatch.setattr(world.deployer, "submit", fails_once)
    await click(world, message, Button.RETRY)
    assert len(await world.asked()) == 2
    if isinstance(error, StoppedError):
        await world.slack.expect_ephemeral(world.ann, "It is tried again for a few minutes")


async def test_an_answer_that_slack_did_not_take_undoes_nothing(
    world: World, deployment: Deployment
) -> None:
    message = await shown(world, deployment, Button.CANCEL)
    world.slack.fail("chat.postEphemeral", broken(503))
    await click(world, message, Button.CANCEL)
    (told,) = world.slack.world.ephemerals
    assert "is not done" not in told.shown
    assert (await world.only()).outcome is Outcome.CANCELLED
    (noted,) = clicks_from_json(await world.deployments.load(deployment.id, CLICKS))
    assert noted.button is Button.CANCEL


@pytest.mark.parametrize("which", [Button.CANCEL, Button.RETRY])
async def test_a_report_that_cannot_be_told_to_look_again_undoes_nothing(
    world: World, deployment: Deployment, caplog: pytest.LogCaptureFixture, which: Button
) -> None:
    if which is Button.RETRY:
        await world.deployments.finish(deployment.id, Outcome.FAILED)
    message = await shown(world, deployment, which)
    world.is_locked = True
    await click(world, message, which)
    assert not any("is not done" in each.shown for each in world.slack.world.ephemerals)
    assert "locked for 30 s" in caplog.text
    (noted,) = clicks_from_json(await world.deployments.load(deployment.id, CLICKS))
    assert noted.button is which


async def test_what_ended_just_before_the_click_was_not_cancelled_by_it(
    world: World, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = await shown(world, deployment, Button.CANCEL)
    cancel = world.deployer.cancel

    async def is_slower(identity: str, by: Any, **more: Any) -> Any:
        await world.deployments.finish(identity, Outcome.SUCCEEDED)
        return await cancel(identity, by, **more)

    monkeypatch.setattr(world.deployer, "cancel", is_slower)
    await click(world, message, Button.CANCEL)
    await world.slack.expect_ephemeral(world.ann, "succeeded")
    assert clicks_from_json(await world.deployments.load(deployment.id, CLICKS)) == ()


async def test_view_log_leads_to_the_page(world: World, deployment: Deployment) -> None:
    await world.deployments.finish(deployment.id, Outcome.FAILED)
    message = await shown(world, deployment, Button.VIEW_LOG)
    await click(world, message, Button.VIEW_LOG)
    await world.slack.expect_ephemeral(
        world.ann, f"https://pachops.example/deployments/{deployment.id}"
    )


async def test_a_button_of_another_app_is_left_alone(world: World, deployment: Deployment) -> None:
    row = [button("explode", "Explode", deployment.id)]
    await world.client.post(world.ml.id, Message("x", [actions(row)]), identity="x")
    await world.slack.clicks(world.ann, world.slack.own_messages(world.ml)[-1], "explode")
    await world.settled()
    assert len(await world.asked()) == 1
