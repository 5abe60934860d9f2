"""Roll back: a click takes back what the message is about, or nothing."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from bot.domain.deployment import Deployment, Kind, Outcome
from bot.domain.plan import Destination, PipelineStep, Preparation
from bot.stages.go_back import PREPARATION, STANDS, UNDONE
from handlers.reports.slack.buttons import CLICKS, Button, clicks_from_json
from tests.handlers.github.world import EDGES
from tests.handlers.slack.clicking import click, shown
from tests.handlers.slack.world import World


async def ends(
    world: World, deployment: Deployment, outcome: Outcome, *, changed: bool = False
) -> None:
    """It is over, and its update is in place where there was one."""
    steps = (PipelineStep("vision", "edges", 1, "{}", "{}"),) if changed else ()
    made = Preparation(Destination("default", "vision", 1.0, 1.0, roll_back=False), steps)
    stored = TypeAdapter(Preparation).dump_python(made, mode="json")
    await world.deployments.save(deployment.id, PREPARATION, stored)
    await world.deployments.save(
        deployment.id, STANDS, value=changed or outcome is Outcome.SUCCEEDED
    )
    await world.deployments.finish(deployment.id, outcome)


async def deploys(world: World) -> Deployment:
    """Ann does, something new."""
    await world.github.github.push(EDGES, {"more": str(len(await world.asked()))})
    await world.types(world.ann, f"/pachops deploy staging --repo {EDGES}")
    return (await world.asked())[-1]


async def rolled_back(world: World, *undone: Deployment) -> Deployment:
    """Somebody has taken these back."""
    first = (await world.asked())[0]
    made = replace(first, id="back", request=replace(first.request, kind=Kind.ROLLBACK))
    await world.deployer.submit(made, {})
    await world.deployments.save(made.id, UNDONE, [each.id for each in undone])
    await ends(world, made, Outcome.SUCCEEDED, changed=True)
    return made


async def test_roll_back_rolls_the_environment_back(world: World, deployment: Deployment) -> None:
    await world.deployments.finish(deployment.id, Outcome.SUCCEEDED)
    message = await shown(world, deployment, Button.ROLL_BACK)
    await click(world, message, Button.ROLL_BACK)
    _, back = await world.asked()
    assert (back.request.kind, back.request.environment) == (Kind.ROLLBACK, "staging")


async def test_an_old_message_rolls_no_newer_deployment_back(
    world: World, deployment: Deployment
) -> None:
    await world.deployments.finish(deployment.id, Outcome.SUCCEEDED)
    message = await shown(world, deployment, Button.ROLL_BACK)
    newer = await deploys(world)
    await click(world, message, Button.ROLL_BACK)
    told = await world.slack.expect_ephemeral(world.ann, "not possible any more")
    assert newer.id in told.shown
    await ends(world, newer, Outcome.SUCCEEDED, changed=True)
    await click(world, message, Button.ROLL_BACK)
    assert len(await world.asked()) == 2


async def test_a_click_that_is_carried_out_late_rolls_no_newer_deployment_back(
    world: World, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.deployments.finish(deployment.id, Outcome.SUCCEEDED)
    message = await shown(world, deployment, Button.ROLL_BACK)
    submit, newer = world.deployer.submit, replace(deployment, id="newer", outcome=None)

    async def ends_and_another_comes_first(*_: Any) -> None:
        monkeypatch.setattr(world.deployer, "submit", submit)
        await submit(newer, {})
        raise ZeroDivisionError

    monkeypatch.setattr(world.deployer, "submit", ends_and_another_comes_first)
    await click(world, message, Button.ROLL_BACK)
    await world.slack.expect_ephemeral(world.ann, "not possible any more")
    assert [each.id for each in await world.asked()] == [deployment.id, "newer"]
    assert clicks_from_json(await world.deployments.load(deployment.id, CLICKS)) == ()


async def test_a_newer_one_that_came_to_nothing_does_not_stand_in_the_way(
    world: World, deployment: Deployment
) -> None:
    await world.deployments.finish(deployment.id, Outcome.SUCCEEDED)
    message = await shown(world, deployment, Button.ROLL_BACK)
    newer = await deploys(world)
    await world.deployments.finish(newer.id, Outcome.FAILED)
    await click(world, message, Button.ROLL_BACK)
    assert [each.request.kind for each in await world.asked()][2:] == [Kind.ROLLBACK]


async def test_a_newer_one_that_changed_nothing_does_not_stand_in_the_way(
    world: World, deployment: Deployment
) -> None:
    await ends(world, deployment, Outcome.SUCCEEDED, changed=True)
    message = await shown(world, deployment, Button.ROLL_BACK)
    await ends(world, await deploys(world), Outcome.SUCCEEDED)
    await click(world, message, Button.ROLL_BACK)
    assert [each.request.kind for each in await world.asked()][2:] == [Kind.ROLLBACK]


async def test_a_newer_one_that_failed_and_was_left_in_place_is_not_taken_back_unawares(
    world: World, deployment: Deployment
) -> None:
    await ends(world, deployment, Outcome.SUCCEEDED, changed=True)
    message = await shown(world, deployment, Button.ROLL_BACK)
    newer = await deploys(world)
    await ends(world, newer, Outcome.FAILED, changed=True)
    await click(world, message, Button.ROLL_BACK)
    told = await world.slack.expect_ephemeral(world.ann, "not possible any more")
    assert newer.id in told.shown
    assert "left in place" in told.shown
    assert len(await world.asked()) == 2


async def test_what_was_taken_back_is_not_taken_back_again(
    world: World, deployment: Deployment
) -> None:
    await ends(world, deployment, Outcome.SUCCEEDED, changed=True)
    newer = await deploys(world)
    await ends(world, newer, Outcome.SUCCEEDED, changed=True)
    message = await shown(world, newer, Button.ROLL_BACK)
    back = await rolled_back(world, newer)
    await click(world, message, Button.ROLL_BACK)
    told = await world.slack.expect_ephemeral(world.ann, "not possible any more")
    assert back.id in told.shown
    assert len(await world.asked()) == 3


async def test_what_runs_again_since_a_newer_one_was_taken_back_can_be_taken_back(
    world: World, deployment: Deployment
) -> None:
    await ends(world, deployment, Outcome.SUCCEEDED, changed=True)
    message = await shown(world, deployment, Button.ROLL_BACK)
    newer = await deploys(world)
    await ends(world, newer, Outcome.SUCCEEDED, changed=True)
    await rolled_back(world, newer)
    await click(world, message, Button.ROLL_BACK)
    assert [each.request.kind for each in await world.asked()][3:] == [Kind.ROLLBACK]
