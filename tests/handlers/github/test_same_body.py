"""One body under two ids: the signature is the body's, and who has overheard it may name any id."""

from dataclasses import replace
from uuid import uuid4

from bot.domain.deployment import Outcome
from bot.domain.github import Permission
from bot.services.github import Action, CheckReport
from handlers.reports.github.check import Button, check_name
from tests.handlers.github.world import EDGES, FOLLOWS_MAIN, World
from tests.standins.github.state import CheckRun


async def comes_again(world: World, event: str) -> None:
    """The last one of this event, signed as it was, under an id that was never seen."""
    told = [each for each in world.github.webhooks.all if each.event == event][-1]
    assert await world.github.webhooks.deliver(replace(told, guid=str(uuid4()), attempts=[])) == 202
    await world.settled()


async def test_a_push_deploys_once(world: World) -> None:
    world.declare(FOLLOWS_MAIN)
    await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    await comes_again(world, "push")
    await world.only()


async def test_a_release_deploys_once(world: World) -> None:
    world.declare("  production: {on: {release: published}}\n")
    await world.github.publish_release(EDGES, "v1")
    await world.settled()
    await comes_again(world, "release")
    await world.only()


async def test_a_pull_request_deploys_once(world: World) -> None:
    world.declare("  staging: {on: {pull_request: always}}\n")
    await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    await world.settled()
    await comes_again(world, "pull_request")
    await world.only()


async def with_button(world: World) -> CheckRun:
    """The check of a push that was deployed, which can be deployed again."""
    world.declare(FOLLOWS_MAIN)
    sha = await world.github.push(EDGES, {"a": "1"})
    await world.settled()
    deployment = await world.only()
    await world.deployments.finish(deployment.id, Outcome.SUCCEEDED)
    client = world.client.for_repository("acme", "edges")
    again = Action("Deploy again", "Deploy this commit again", Button.DEPLOY)
    report = CheckReport("deployed", "deployed", actions=(again,))
    await client.create_check(sha, check_name("staging"), report, external_id=deployment.id)
    return await world.github.expect_check(sha)


async def test_a_button_deploys_once(world: World) -> None:
    check = await with_button(world)
    await world.github.press(EDGES, check, Button.DEPLOY)
    await world.settled()
    await comes_again(world, "check_run")
    assert len(await world.asked()) == 2


async def test_a_button_that_was_refused_can_be_pressed_again(world: World) -> None:
    check = await with_button(world)
    pull = await world.github.open_pull_request(EDGES, "feature", files={"b": "1"})
    await world.comment(pull, "/pachops lock staging", by="ada")
    world.github.allow("grace", EDGES, Permission.WRITE)
    await world.github.press(EDGES, check, Button.DEPLOY, by="grace")
    await world.settled()
    assert len(await world.asked()) == 1
    await world.comment(pull, "/pachops unlock staging", by="ada")
    # Nothing of the check is another by now: GitHub tells of it in the same words.
    await comes_again(world, "check_run")
    assert len(await world.asked()) == 2
