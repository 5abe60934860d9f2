"""docker buildx itself, with the builder that every engine has: the driver `docker`."""

import asyncio
import contextlib
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import psutil
import pytest
from pydantic import SecretStr

from bot.domain.progress import Step, StepState
from bot.domain.reasons import Code
from bot.services.docker import BuildOrder, Buildx, builder, look_at_builder
from bot.services.docker.builder import Builder
from bot.services.registry import Registry as RegistryClient
from tests.bot.services.docker.parts import Events, context, eventually, reason_of
from tests.conftest import real_part
from tests.real.docker_plugin import docker_with
from tests.real.registry import Registry

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("buildx")]  # it is fetched once
BUILDER = "default"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A configuration of docker's, and where docker is."""
    folder = tmp_path_factory.mktemp("docker")
    with real_part():
        return folder, docker_with("buildx", folder)


@pytest.fixture
def buildx(
    installed: tuple[Path, Path], engine_host: str, monkeypatch: pytest.MonkeyPatch
) -> Buildx:
    config, program = installed
    monkeypatch.setenv("PATH", f"{program}:/usr/bin:/bin")
    monkeypatch.setenv("DOCKER_CONFIG", str(config))
    monkeypatch.setenv("DOCKER_HOST", engine_host)
    return Buildx(BUILDER)


@pytest.fixture
def make_builder() -> Iterator[Callable[..., str]]:
    """Declares builders and forgets them."""
    names: list[str] = []

    def make(*options: str) -> str:
        name = f"pachops-test-{uuid.uuid4().hex[:12]}"
        _docker("buildx", "create", "--name", name, *options)
        names.append(name)
        return name

    yield make
    for name in names:
        _docker("buildx", "rm", name)


def _docker(*command: str) -> None:
    subprocess.run(  # noqa: S603 - the test's own arguments
        ["docker", *command],  # noqa: S607 - the fixture's
        check=True,
        capture_output=True,
        timeout=60,
    )


@pytest.fixture
def tag(registry: Registry, api: docker.APIClient) -> Iterator[str]:
    """In a real registry; this driver keeps what it pushes on the engine too."""
    name = f"{registry.address}/pachops-test/{uuid.uuid4().hex[:12]}:1"
    yield name
    with contextlib.suppress(docker.errors.ImageNotFound):
        api.remove_image(name, force=True)


def order(tag: str, **more: object) -> BuildOrder:
    return BuildOrder("edges", (tag,), "Dockerfile", **more)  # type: ignore[arg-type]


async def test_a_build_is_pushed_with_its_progress_and_the_registry_knows_its_digest(
    buildx: Buildx, busybox_image: str, tag: str, events: Events
) -> None:
    dockerfile = (
        f"FROM {busybox_image}\n"
        "RUN echo compiling && echo linking\n"
        "RUN --mount=type=secret,id=token test hunter2 = $(cat /run/secrets/token)\n"
    )
    secrets = {"token": SecretStr("hunter2")}
    digest = await buildx.build(
        order(tag, secrets=secrets), context({"Dockerfile": dockerfile}), events
    )
    registry = RegistryClient(lambda _host: None)
    try:
        repository, _, name = tag.rpartition(":")
        assert digest == await registry.digest(repository, name)
    finally:
        await registry.close()
    assert events.lines == ["compiling", "linking"]
    done = [step.text for step in events.of(Step) if step.state is StepState.DONE]
    assert "RUN echo compiling && echo linking" in " ".join(done)


async def test_a_step_that_fails_is_the_reason(
    buildx: Buildx, busybox_image: str, tag: str, events: Events
) -> None:
    dockerfile = f"FROM {busybox_image}\nRUN echo made && exit 3\n"
    files = context({"Dockerfile": dockerfile})
    stopped = await reason_of(buildx.build(order(tag), files, events))
    assert stopped.reason.code is Code.BUILD_FAILED
    assert "exit status 3" in stopped.reason.fact
    assert events.lines == ["made"]


async def test_a_builder_that_is_not_there_is_named(
    buildx: Buildx, tag: str, events: Events
) -> None:
    del buildx
    files = context({"Dockerfile": "FROM scratch\n"})
    stopped = await reason_of(Buildx("nobody").build(order(tag), files, events))
    assert stopped.reason.code is Code.BAD_SETTINGS


async def test_a_registry_that_is_not_there_is_the_reason(
    buildx: Buildx, busybox_image: str, events: Events, api: docker.APIClient
) -> None:
    tag = f"127.0.0.1:1/pachops-test/{uuid.uuid4().hex[:12]}:1"
    files = context({"Dockerfile": f"FROM {busybox_image}\n"})
    try:
        stopped = await reason_of(buildx.build(order(tag), files, events))
    finally:
        with contextlib.suppress(docker.errors.ImageNotFound):
            api.remove_image(tag, force=True)
    assert stopped.reason.code is Code.REGISTRY_UNREACHABLE


async def test_a_docker_without_it_is_said_so(
    buildx: Buildx, tag: str, events: Events, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    files = context({"Dockerfile": "FROM scratch\n"})
    stopped = await reason_of(buildx.build(order(tag), files, events))
    assert stopped.reason.code is Code.ENGINE_LACKS


async def test_a_build_that_is_cancelled_leaves_no_process(
    buildx: Buildx, busybox_image: str, tag: str, events: Events
) -> None:
    mark = f"sleep {600 + uuid.uuid4().int % 1000}.5"
    files = context({"Dockerfile": f"FROM {busybox_image}\nRUN echo begun && {mark}\n"})
    building = asyncio.create_task(buildx.build(order(tag), files, events))
    await eventually(lambda: "begun" in events.lines)
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    await eventually(lambda: not _running(mark))


def _running(mark: str) -> bool:
    return any(
        mark in " ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"])
    )


async def test_a_builder_is_looked_at(buildx: Buildx) -> None:
    del buildx
    found = await look_at_builder(BUILDER)
    assert found.driver == "docker"
    assert any(each.startswith("linux/") for each in found.platforms)


async def test_one_that_starts_when_it_is_needed_is_not_started_for_a_look(
    buildx: Buildx, make_builder: Callable[..., str], api: docker.APIClient
) -> None:
    del buildx
    found = await look_at_builder(make_builder("--driver", "docker-container"))
    assert found == Builder("docker-container", ())
    assert not api.containers(all=True, filters={"name": "buildx_buildkit"})


@pytest.mark.parametrize("name", ["nobody", "--help"])
async def test_a_look_at_a_builder_that_is_not_there_says_so(buildx: Buildx, name: str) -> None:
    del buildx
    stopped = await reason_of(look_at_builder(name))
    assert stopped.reason.code is Code.BAD_SETTINGS


async def test_a_remote_builder_that_does_not_answer_is_no_builder(
    buildx: Buildx, make_builder: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    del buildx
    monkeypatch.setattr(builder, "WAITS", 0.5)
    name = make_builder("--driver", "remote", "tcp://127.0.0.1:9")
    stopped = await reason_of(look_at_builder(name))
    assert stopped.reason.code is Code.ENGINE_UNREACHABLE
    assert name in stopped.reason.next_step


async def test_an_engine_that_does_not_answer_has_no_builder(
    buildx: Buildx, monkeypatch: pytest.MonkeyPatch
) -> None:
    del buildx
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    stopped = await reason_of(look_at_builder(BUILDER))
    assert stopped.reason.code is Code.ENGINE_UNREACHABLE


async def test_a_docker_without_it_has_no_builder(
    buildx: Buildx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del buildx
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    stopped = await reason_of(look_at_builder(BUILDER))
    assert stopped.reason.code is Code.ENGINE_LACKS
