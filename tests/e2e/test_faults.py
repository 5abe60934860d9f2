"""What goes wrong outside, and what is left of it."""

import os
import signal
from collections.abc import Callable

import grpc
import pytest

from bot.domain.deployment import Outcome, Stage
from bot.domain.progress import Progress, StageStarted, Step, StepState
from tests.e2e.test_main_job import QUICK_VERIFY, simple
from tests.e2e.world import Screen, World

pytestmark = pytest.mark.real


def interrupts(when: Callable[[Progress], bool]) -> Screen:
    """A screen whose watcher presses Ctrl-C once, at that event."""
    pressed: list[Progress] = []

    def watch(event: Progress) -> None:
        if when(event) and not pressed:
            pressed.append(event)
            os.kill(os.getpid(), signal.SIGINT)

    return Screen(on=watch)


def runs_step(word: str) -> Callable[[Progress], bool]:
    return lambda event: (
        isinstance(event, Step) and event.state is StepState.RUNNING and word in event.text
    )


def begins(stage: Stage) -> Callable[[Progress], bool]:
    return lambda event: isinstance(event, StageStarted) and event.stage is stage


async def test_ctrl_c_stops_the_running_step_and_leaves_no_container(world: World) -> None:
    world.commit(simple(world, "RUN sleep 4751"))
    result = await world.deploy(screen=interrupts(runs_step("sleep")))
    assert (result.finished.outcome, result.code) == (Outcome.CANCELLED, "cancelled")
    assert not world.left_over("sleep 4751")


async def test_ctrl_c_stops_a_running_test(world: World) -> None:
    config = f"images: {{edges: {{repository: '{world.image()}', test: [sleep, '4752']}}}}"
    world.commit(simple(world) | {".pachops.yml": config})
    result = await world.deploy(screen=interrupts(begins(Stage.TEST)))
    assert result.finished.outcome is Outcome.CANCELLED
    assert not world.left_over("sleep 4752")


async def test_ctrl_c_after_the_update_puts_the_old_spec_back(world: World) -> None:
    world.commit(simple(world))
    await world.deploy()
    before = world.running()[1]
    world.commit({"run.sh": "echo better\n"})
    result = await world.deploy(screen=interrupts(begins(Stage.VERIFY)))
    assert result.finished.outcome is Outcome.CANCELLED
    assert world.running() == (3, before)
    assert "default/edges is back to the spec of version 1." in result.finished.notes


async def test_a_failing_job_of_the_new_version_puts_the_old_spec_back(
    world: World, good_images: set[str]
) -> None:
    world.commit(simple(world))
    await world.deploy()
    before = world.running()[1]
    good_images.add(before)
    world.pachd.put_files("images", ["a.png"])
    config = "environments: {default: {verify: {window: 3s, timeout: 20s}}}"
    world.commit({"run.sh": "echo worse\n", ".pachops.yml": config})
    result = await world.deploy(reprocess=True)
    assert (result.finished.outcome, result.code) == (Outcome.ROLLED_BACK, "job_failed")
    assert world.running()[1] == before


async def test_a_lost_answer_to_the_update_is_looked_up(world: World) -> None:
    world.commit(simple(world))
    world.pachd.fail("FinishTransaction", grpc.StatusCode.UNAVAILABLE, after=True)
    result = await world.deploy()
    assert result.finished.outcome is Outcome.SUCCEEDED
    assert world.running()[0] == 1


async def test_an_update_that_pachd_refuses_changes_no_pipeline(world: World) -> None:
    other = world.spec("montage", image="ubuntu:20.04", input={"pfs": {"repo": "no", "glob": "/"}})
    config = f"images: {{edges: {{repository: '{world.image()}'}}}}\npipelines: ['*.json']"
    world.commit(simple(world) | {"montage.json": other, ".pachops.yml": config})
    result = await world.deploy()
    assert (result.finished.outcome, result.code) == (Outcome.FAILED, "pachd_refused")
    assert not world.pachd.has_pipeline("edges")
    assert world.pachd.transactions == ()


async def test_a_pipeline_that_somebody_moves_meanwhile_is_theirs(world: World) -> None:
    world.commit(simple(world))
    await world.deploy()
    world.commit({"run.sh": "echo better\n"})

    def meddle(event: Progress) -> None:
        if begins(Stage.UPDATE)(event):
            world.update_by_hand()

    result = await world.deploy(screen=Screen(on=meddle))
    assert (result.finished.outcome, result.code) == (Outcome.FAILED, "pipeline_moved")
    assert world.running() == (2, "busybox:theirs")


async def test_a_pachd_that_is_away_for_a_moment_fails_nothing(world: World) -> None:
    world.commit(simple(world))
    world.pachd.fail("InspectPipeline", grpc.StatusCode.UNAVAILABLE, times=2)
    assert (await world.deploy()).finished.outcome is Outcome.SUCCEEDED


async def test_a_secret_is_in_no_event(world: World) -> None:
    world.environ["PACHOPS_BUILD_SECRET_TOKEN"] = "hunter2-is-secret"
    config = (
        f"images: {{edges: {{repository: '{world.image()}', secrets: [token]}}}}" + QUICK_VERIFY
    )
    line = "RUN --mount=type=secret,id=token cat /run/secrets/token"
    world.commit(simple(world, line) | {".pachops.yml": config})
    result = await world.deploy()
    assert result.finished.outcome is Outcome.SUCCEEDED, result.finished.reason
    assert "hunter2" not in str(result.screen.events)


async def test_an_update_is_undone_or_finished_even_where_the_engine_is_gone_meanwhile(
    world: World,
) -> None:
    world.commit(simple(world))
    await world.deploy()
    world.commit({"run.sh": "echo better\n"})
    await world.interrupted_at(begins(Stage.VERIFY))
    world.environ["DOCKER_HOST"] = "unix:///nowhere/docker.sock"
    assert (await world.resume()).finished.outcome is Outcome.SUCCEEDED
    assert world.running()[0] == 2


async def test_a_cancelled_update_is_undone_even_where_the_repository_is_gone(
    world: World,
) -> None:
    world.commit(simple(world))
    await world.deploy()
    before = world.running()[1]
    world.commit({"run.sh": "echo better\n"})
    await world.interrupted_at(begins(Stage.VERIFY))
    world.repository.path.rename(world.folder / "elsewhere")
    await world.request_cancel()
    assert (await world.resume()).finished.outcome is Outcome.CANCELLED
    assert world.running()[1] == before


async def test_an_update_that_never_happened_is_not_said_to_be_left(world: World) -> None:
    other = world.spec("montage", image="ubuntu:20.04", input={"pfs": {"repo": "no", "glob": "/"}})
    config = f"images: {{edges: {{repository: '{world.image()}'}}}}\npipelines: ['*.json']\n"
    config += "environments: {default: {verify: {rollback: false}}}"
    world.commit(simple(world) | {"montage.json": other, ".pachops.yml": config})
    result = await world.deploy()
    assert "No pipeline had been changed." in result.finished.notes


async def test_a_roll_back_that_fails_is_the_reason(world: World) -> None:
    world.commit(simple(world))
    await world.deploy()
    world.commit({"run.sh": "echo better\n"})

    def break_it(event: Progress) -> None:
        if begins(Stage.VERIFY)(event):
            world.pachd.break_pipeline("edges")
            world.pachd.fail("StartTransaction", grpc.StatusCode.PERMISSION_DENIED)

    result = await world.deploy(screen=Screen(on=break_it))
    assert (result.finished.outcome, result.code) == (Outcome.FAILED, "roll_back_failed")
    assert result.finished.reason is not None
    assert "broken" in result.finished.reason.fact


async def test_a_secret_is_in_no_reason(world: World) -> None:
    world.environ["PACHOPS_BUILD_SECRET_TOKEN"] = "hunter2-is-secret"
    image = f"{{repository: '{world.image()}', secrets: [token], test: 'cat /s; exit 1'}}"
    line = "RUN --mount=type=secret,id=token cat /run/secrets/token > /s && chmod 644 /s"
    world.commit(simple(world, line) | {".pachops.yml": f"images: {{edges: {image}}}"})
    result = await world.deploy()
    assert result.code == "test_failed"
    assert "hunter2" not in str(result.finished)


async def test_a_pipeline_that_is_stopped_by_hand_is_no_failure(world: World) -> None:
    world.pachd.put_files("images", ["a.png"])
    config = "environments: {default: {verify: {window: 1s, timeout: 20s}}}"
    world.commit(simple(world) | {".pachops.yml": config})
    await world.deploy()
    world.commit({"run.sh": "echo better\n"})

    def stop(event: Progress) -> None:
        if begins(Stage.VERIFY)(event):
            world.stop_by_hand()

    result = await world.deploy(reprocess=True, screen=Screen(on=stop))
    assert result.finished.outcome is Outcome.SUCCEEDED, result.finished.reason
