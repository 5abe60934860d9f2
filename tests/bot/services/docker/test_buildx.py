"""docker buildx, by a stand-in: for what only other drivers can do, and all that may go wrong."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import pytest
from pydantic import SecretStr

from bot.domain.progress import Step, StepState, Warned
from bot.domain.reasons import Code
from bot.services.docker import BuildOrder, Buildx
from tests.bot.services.docker.parts import (
    Events,
    context,
    eventually,
    reason_of,
)
from tests.standins.buildx import ANSWER, BuildxStandIn

Install = Callable[..., BuildxStandIn]

TAG = "registry.example.com/vision/edges:pachops-1-untested"
CONTEXT = context({"Dockerfile": "FROM busybox\n", "run.sh": "true"})
FAILURE = Path(__file__).parents[3] / "standins" / "buildx" / "failure.jsonl"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    def install(**behaviour: object) -> BuildxStandIn:
        stand_in = BuildxStandIn.install(tmp_path / "bin", **behaviour)
        monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
        return stand_in

    return install


def order(**more: object) -> BuildOrder:
    return BuildOrder("edges", (TAG,), "Dockerfile", **more)  # type: ignore[arg-type]


async def test_a_build_is_pushed_and_its_digest_known(install: Install, events: Events) -> None:
    install()
    digest = await Buildx("remote").build(order(), CONTEXT, events)
    assert digest == "sha256:" + "0" * 64


async def test_its_progress_is_that_of_every_build(install: Install, events: Events) -> None:
    install()
    await Buildx("remote").build(order(), CONTEXT, events)
    assert events.lines == ["compiling", "linking"]
    assert events.of(Warned) == [Warned("Dockerfile of edges: JSON arguments recommended")]
    last = {step.text: (step.state, step.seconds) for step in events.of(Step)}
    assert last == {
        "[linux/amd64] FROM docker.io/library/busybox": (StepState.CACHED, 1.5),
        "[linux/amd64] RUN make": (StepState.DONE, 2.25),
    }


async def test_a_status_may_be_spread_over_lines_as_buildx_0_13_does(
    install: Install, events: Events, tmp_path: Path
) -> None:
    spread = tmp_path / "spread.jsonl"
    statuses = [json.loads(line) for line in ANSWER.read_text().splitlines()]
    spread.write_text("".join(json.dumps(each, indent=2) + "\n" for each in statuses))
    install(answer=str(spread))
    await Buildx("remote").build(order(), CONTEXT, events)
    assert events.lines == ["compiling", "linking"]


async def test_words_in_a_status_that_breaks_off_are_not_lost(
    install: Install, events: Events, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{\n  "vertexes": [\nERROR: no space left on device\n')
    install(answer=str(broken), status=1)
    stopped = await reason_of(Buildx("remote").build(order(), CONTEXT, events))
    assert stopped.reason.code is Code.DISK_FULL


async def test_it_is_asked_for_all_that_the_order_says(install: Install, events: Events) -> None:
    stand_in = install()
    wanted = order(
        platforms=("linux/amd64", "linux/arm64"),
        target="runtime",
        build_args={"MODE": "release"},
        labels={"io.pachops.content": "1"},
    )
    await Buildx("kube", cache=True).build(wanted, CONTEXT, events)
    (call,) = stand_in.calls
    asked = " ".join(call["arguments"])
    cache = "type=registry,ref=registry.example.com/vision/edges:pachops-cache"
    for part in (
        "--builder kube",
        f"--tag {TAG}",
        "--platform linux/amd64,linux/arm64",
        "--target runtime",
        "--build-arg MODE=release",
        "--label io.pachops.content=1",
        f"--cache-from {cache}",
        f"--cache-to {cache},mode=max",
    ):
        assert part in asked
    assert sorted(call["files"]) == ["Dockerfile", "run.sh"]


async def test_secrets_come_in_no_argument_and_ours_not_at_all(
    install: Install, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = install()
    monkeypatch.setenv("PACHOPS_PACHD_TOKEN", "ours")
    monkeypatch.setenv("DOCKER_HOST", "tcp://one:2375,tcp://two:2375")
    secrets = {"npm_token": SecretStr("hunter2")}
    await Buildx("remote").build(order(secrets=secrets), CONTEXT, events)
    (call,) = stand_in.calls
    assert call["secrets"] == {"npm_token": "hunter2"}
    assert "hunter2" not in json.dumps(call["arguments"])
    assert not {"PACHOPS_PACHD_TOKEN", "DOCKER_HOST"} & call["env"].keys()


async def test_a_failed_step_is_the_reason(install: Install, events: Events) -> None:
    install(answer=str(FAILURE), say=["ERROR: failed to solve: exit code: 2"], status=1)
    stopped = await reason_of(Buildx("remote").build(order(), CONTEXT, events))
    assert stopped.reason.code is Code.BUILD_FAILED
    assert stopped.reason.fact == "step 2 of 2, `[linux/amd64] RUN make`: exit status 2"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("ERROR: failed to solve: failed to push r/x: 401 Unauthorized", Code.REGISTRY_REFUSED),
        (
            "ERROR: failed to solve: failed to push r/x: connection refused",
            Code.REGISTRY_UNREACHABLE,
        ),
        ('ERROR: no builder "remote" found', Code.BAD_SETTINGS),
        ("ERROR: no space left on device", Code.DISK_FULL),
        ("docker: 'buildx' is not a docker command.", Code.ENGINE_LACKS),
        ("unknown flag: --builder\nSee 'docker --help'.", Code.ENGINE_LACKS),
        ("rpc error: connection refused", Code.ENGINE_UNREACHABLE),
    ],
)
async def test_what_it_says_is_understood(
    install: Install, events: Events, said: str, code: Code
) -> None:
    install(said_instead=said)
    stopped = await reason_of(Buildx("remote").build(order(), CONTEXT, events))
    assert stopped.reason.code is code


async def test_without_docker_it_is_said_what_is_missing(
    events: Events, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    stopped = await reason_of(Buildx("remote").build(order(), CONTEXT, events))
    assert stopped.reason.code is Code.ENGINE_LACKS
    assert "buildx" in stopped.reason.next_step


async def test_one_that_does_not_say_what_it_pushed_is_not_believed(
    install: Install, events: Events
) -> None:
    install(silent=True)
    stopped = await reason_of(Buildx("remote").build(order(), CONTEXT, events))
    assert stopped.reason.code is Code.ENGINE_LACKS


async def test_cancelling_tells_it_to_stop(install: Install, events: Events) -> None:
    stand_in = install(hang=True)
    building = asyncio.create_task(Buildx("remote").build(order(), CONTEXT, events))
    await eventually(lambda: bool(stand_in.calls))
    building.cancel()
    await asyncio.wait({building})
    assert building.cancelled()
    assert stand_in.ended_by == "SIGTERM"


async def test_a_context_that_breaks_off_is_not_built(install: Install, events: Events) -> None:
    stand_in = install()

    def open_broken() -> AbstractContextManager[BinaryIO]:
        raise LookupError("git ended")

    with pytest.raises(LookupError):
        await Buildx("remote").build(order(), open_broken, events)
    assert stand_in.calls == []
