"""Going back, by itself and by command."""

import asyncio
import json

import pytest

from bot.app import open_bot
from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Outcome,
    Request,
    Trigger,
    new_deployment_id,
)
from bot.settings import load_settings
from tests.e2e.test_main_job import QUICK_VERIFY, simple
from tests.e2e.world import PATIENCE, World

pytestmark = pytest.mark.real

LEFT_IN_PLACE = "environments: {default: {verify: {window: 2s, timeout: 20s, rollback: false}}}"


async def deploy_echo(world: World, word: str, config: str = QUICK_VERIFY) -> str:
    """Deploy one more version; what runs then."""
    world.commit(simple(world) | {"run.sh": f"echo {word}\n", ".pachops.yml": config})
    result = await world.deploy()
    assert result.finished.outcome is Outcome.SUCCEEDED, result.finished.reason
    return world.running()[1]


async def test_a_rollback_brings_back_the_former_image(world: World) -> None:
    one = await deploy_echo(world, "one")
    await deploy_echo(world, "two")
    result = await world.roll_back()
    assert result.finished.outcome is Outcome.SUCCEEDED
    assert world.running() == (3, one)


async def test_it_names_the_commit_and_image_that_came_back(world: World) -> None:
    one = await deploy_echo(world, "one")
    await deploy_echo(world, "two")
    finished = (await world.roll_back()).finished
    assert one == f"{world.image()}:{finished.sha}@{finished.images[0].digest}"


async def test_a_second_rollback_goes_one_further(world: World) -> None:
    one = await deploy_echo(world, "one")
    for word in ("two", "three"):
        await deploy_echo(world, word)
    await world.roll_back()
    await world.roll_back()
    assert world.running()[1] == one


async def test_several_steps_at_once(world: World) -> None:
    one = await deploy_echo(world, "one")
    for word in ("two", "three"):
        await deploy_echo(world, word)
    result = await world.roll_back(steps=2)
    assert world.running()[1] == one
    assert not any("somebody else" in note for note in result.finished.notes)


async def test_what_somebody_changed_since_is_replaced_and_said(world: World) -> None:
    one = await deploy_echo(world, "one")
    await deploy_echo(world, "two")
    world.update_by_hand()
    result = await world.roll_back()
    assert world.running()[1] == one
    assert any("somebody else made version 3" in note for note in result.finished.notes)


async def test_nothing_to_roll_back_is_said(world: World) -> None:
    assert (await world.roll_back()).code == "nothing_to_roll_back"


async def test_a_first_deployment_cannot_be_undone(world: World) -> None:
    await deploy_echo(world, "one")
    assert (await world.roll_back()).code == "nothing_to_roll_back"


async def test_a_rollback_that_finds_it_done_counts(world: World) -> None:
    one = await deploy_echo(world, "one")
    two = await deploy_echo(world, "two")
    await deploy_echo(world, "three")
    world.pachd.update(json.loads(world.pachd.pipeline("edges").versions[1].user_spec))
    await world.roll_back()
    assert world.running()[1] == two
    await world.roll_back()
    assert world.running()[1] == one


async def test_what_somebody_ran_in_between_comes_back_and_is_said(world: World) -> None:
    await deploy_echo(world, "one")
    world.update_by_hand()
    await deploy_echo(world, "two")
    result = await world.roll_back()
    assert world.running()[1] == "busybox:theirs"
    assert result.finished.images == ()
    assert any("Something else" in note for note in result.finished.notes)


async def test_a_failed_update_that_was_left_in_place_is_undone_first(
    world: World, good_images: set[str]
) -> None:
    good = await deploy_echo(world, "one")
    good_images.add(good)
    world.pachd.put_files("images", ["a.png"])
    world.commit({"run.sh": "echo bad\n", ".pachops.yml": LEFT_IN_PLACE})
    bad = await world.deploy(reprocess=True)
    assert (bad.finished.outcome, bad.code) == (Outcome.FAILED, "job_failed")
    await world.roll_back()
    assert world.running()[1] == good


async def test_undoing_a_reprocessing_computes_again(world: World) -> None:
    world.pachd.put_files("images", ["a.png"])
    await deploy_echo(world, "one")
    await world.until_processed()
    world.commit({"run.sh": "echo two\n"})
    await world.deploy(reprocess=True)
    await world.roll_back()
    assert len({version.salt for version in world.pachd.pipeline("edges").versions}) == 3


async def test_the_commit_that_goes_need_not_be_there_any_more(world: World) -> None:
    world.use_work_tree()
    one = await deploy_echo(world, "one")
    await deploy_echo(world, "two")
    for command in (
        ("reset", "--hard", "HEAD~1"),
        ("reflog", "expire", "--expire=now", "--all"),
        ("gc", "--quiet", "--prune=now"),
    ):
        world.repository.git(*command)
    result = await world.roll_back()
    assert (result.finished.outcome, world.running()[1]) == (Outcome.SUCCEEDED, one)


async def test_one_that_waits_learns_its_commit_when_it_begins(world: World) -> None:
    await deploy_echo(world, "one")
    await deploy_echo(world, "two")
    second = world.repository.git("rev-parse", "HEAD").decode().strip()
    third = world.commit({"Dockerfile": world.dockerfile("RUN sleep 2", "COPY run.sh /run.sh")})
    ada = Actor("ada", "github")
    async with asyncio.timeout(PATIENCE), open_bot(load_settings(world.environ)) as bot:
        await bot.engine.start()
        request = Request(
            Kind.DEPLOY, world.address, "default", Commit(third, third), Trigger.CLI, ada
        )
        deploys = Deployment(new_deployment_id(), request)
        await bot.engine.submit(deploys)
        back = await bot.rollback_request(world.address, "default", 1, Trigger.CLI, ada)
        assert not back.is_commit_known
        goes_back = Deployment(new_deployment_id(), back)
        await bot.engine.submit(goes_back)
        assert (await bot.engine.wait(deploys.id)).outcome is Outcome.SUCCEEDED
        ended = await bot.engine.wait(goes_back.id)
    assert ended.outcome is Outcome.SUCCEEDED, ended.reason
    assert ended.request.commit.sha == second
