"""Builds elsewhere: by buildx, and on an engine that another worker did not have."""

import asyncio
import contextlib
from pathlib import Path

import docker
import pytest

from bot.app import open_bot
from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Outcome,
    Request,
    Stage,
    Trigger,
    new_deployment_id,
)
from bot.domain.progress import Progress, StageStarted, Warned
from bot.domain.trust import Trust
from bot.settings import load_settings
from tests.conftest import real_part
from tests.e2e.test_main_job import QUICK_VERIFY, simple
from tests.e2e.world import PATIENCE, World
from tests.real.docker_plugin import docker_with
from tests.standins.buildx import BuildxStandIn

pytestmark = pytest.mark.real


@pytest.fixture
def buildx(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BuildxStandIn:
    """A builder that has nothing in common with the engine but the registry."""
    stand_in = BuildxStandIn.install(tmp_path / "bin", engine=world.environ["DOCKER_HOST"])
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/local/bin:/usr/bin:/bin")
    world.environ["PACHOPS_BUILDX_BUILDER"] = "remote"
    return stand_in


def declared(world: World, *more: str) -> str:
    options = ", ".join([f"repository: '{world.image()}'", *more])
    return f"images: {{edges: {{{options}}}}}\npipelines: ['*.json']{QUICK_VERIFY}"


async def test_buildx_builds_for_platforms_and_the_tested_image_is_given_out(
    world: World, buildx: BuildxStandIn
) -> None:
    platforms = "platforms: [linux/amd64, linux/arm64]"
    world.commit(
        simple(world) | {".pachops.yml": declared(world, platforms, "test: [sh, /run.sh]")}
    )
    result = await world.deploy()
    assert result.finished.outcome is Outcome.SUCCEEDED, result.finished.reason
    (image,) = result.finished.images
    assert world.running()[1] == f"{world.image()}:{image.tag}@{image.digest}"
    (call,) = buildx.calls
    assert "linux/amd64,linux/arm64" in call["arguments"]
    assert "edges" in result.log  # the test ran what was pushed


async def test_buildx_itself_builds_what_is_tested_and_deployed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with real_part():
        docker_is_at = docker_with("buildx", tmp_path / "docker")
    monkeypatch.setenv("PATH", f"{docker_is_at}:/usr/local/bin:/usr/bin:/bin")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("DOCKER_HOST", world.environ["DOCKER_HOST"])
    world.environ["PACHOPS_BUILDX_BUILDER"] = "default"
    world.commit(simple(world) | {".pachops.yml": declared(world, "test: [sh, /run.sh]")})
    result = await world.deploy()
    assert result.finished.outcome is Outcome.SUCCEEDED, result.finished.reason
    (image,) = result.finished.images
    assert world.running()[1] == f"{world.image()}:{image.tag}@{image.digest}"
    assert "edges" in result.log  # the test ran what was pushed


async def test_an_image_that_is_from_another_finds_it_in_the_registry(
    world: World, buildx: BuildxStandIn
) -> None:
    world.commit(
        {
            "base/Dockerfile": world.dockerfile(),
            "edges/Dockerfile": f"FROM {world.image('base')}\nCOPY run.sh /run.sh\n",
            "edges/run.sh": "true\n",
            "pipeline.json": world.spec(),
            ".pachops.yml": (
                f"images:\n  base: {{context: base, repository: '{world.image('base')}'}}\n"
                f"  edges: {{context: edges, repository: '{world.image()}'}}\n"
                f"pipelines: ['*.json']{QUICK_VERIFY}"
            ),
        }
    )
    result = await world.deploy()
    assert result.finished.outcome is Outcome.SUCCEEDED, result.finished.reason
    assert len(buildx.calls) == 2


async def test_what_was_built_is_not_built_again(world: World, buildx: BuildxStandIn) -> None:
    world.commit(simple(world))

    def pushes(event: Progress) -> bool:
        return isinstance(event, StageStarted) and event.stage is Stage.PUSH

    await world.interrupted_at(pushes)
    assert (await world.resume()).finished.outcome is Outcome.SUCCEEDED
    assert len(buildx.calls) == 1


async def test_platforms_without_buildx_are_refused_before_anything_is_built(
    world: World,
) -> None:
    world.commit(simple(world) | {".pachops.yml": declared(world, "platforms: [linux/arm64]")})
    result = await world.deploy()
    assert result.code == "engine_lacks"
    assert result.finished.reason
    assert "PACHOPS_BUILDX_BUILDER" in result.finished.reason.next_step
    assert result.steps == []


@pytest.mark.parametrize("stage", [Stage.TEST, Stage.PUSH])
async def test_a_worker_whose_engine_lacks_the_image_builds_and_tests_it_again(
    world: World, stage: Stage
) -> None:
    world.commit(simple(world) | {".pachops.yml": declared(world, "test: [sh, /run.sh]")})

    def begins(event: Progress) -> bool:
        return isinstance(event, StageStarted) and event.stage is stage

    await world.interrupted_at(begins)
    with contextlib.closing(docker.APIClient(base_url=world.environ["DOCKER_HOST"])) as client:
        for found in client.images(world.image()):
            client.remove_image(found["RepoTags"][0], force=True)
    result = await world.resume()
    assert result.finished.outcome is Outcome.SUCCEEDED, result.finished.reason
    assert [each for each in result.screen.of(Warned) if "Built again" in each.text]
    assert result.log.count("edges") == 1


@pytest.mark.usefixtures("buildx")
async def test_a_full_disk_of_the_bot_itself_is_said_before_a_build(world: World) -> None:
    world.environ["PACHOPS_MINIMUM_FREE_SPACE"] = "999999g"
    world.commit(simple(world))
    result = await world.deploy()
    assert result.code == "disk_full"
    assert result.finished.reason
    assert "data folder" in result.finished.reason.fact


async def test_of_several_engines_one_that_is_down_is_passed_over(world: World) -> None:
    world.environ["DOCKER_HOST"] = f"tcp://127.0.0.1:1,{world.environ['DOCKER_HOST']}"
    world.commit(simple(world))
    assert (await world.deploy()).finished.outcome is Outcome.SUCCEEDED


async def test_a_fork_is_never_built_by_buildx(world: World, buildx: BuildxStandIn) -> None:
    """It has docker's logins, and a cache that everybody's builds share."""
    world.environ["PACHOPS_ALLOW_FORKS"] = "true"
    public = world.image("public")
    with contextlib.closing(docker.APIClient(base_url=world.environ["DOCKER_HOST"])) as client:
        client.tag(world.base, public, "1")
        client.push(public, tag="1")
    files = simple(world) | {"Dockerfile": f"FROM {public}:1\nCOPY run.sh /run.sh\n"}
    sha = world.commit(files)
    request = Request(
        Kind.DEPLOY,
        world.address,
        "default",
        Commit(sha, sha),
        Trigger.COMMENT,
        Actor("eve", "github"),
        trust=Trust.UNTRUSTED,
    )
    async with asyncio.timeout(PATIENCE), open_bot(load_settings(world.environ)) as bot:
        await bot.engine.start()
        deployment = Deployment(new_deployment_id(), request)
        await bot.engine.submit(deployment)
        ended = await bot.engine.wait(deployment.id)
    assert [image.built for image in ended.images] == [True], ended.reason
    assert buildx.calls == []
