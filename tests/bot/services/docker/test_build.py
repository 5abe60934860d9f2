import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import docker
import pytest
from pydantic import SecretStr

from bot.domain.progress import StepState, Warned
from bot.domain.reasons import Code
from bot.services.docker import BuildOrder, DockerEngine
from bot.services.logins import Login
from tests.bot.services.docker.conftest import nobody
from tests.bot.services.docker.parts import (
    Events,
    ProcessContext,
    Proxy,
    code_of,
    context,
    eventually,
    id_of,
    reason_of,
    runs,
)
from tests.real.registry import Registry

pytestmark = pytest.mark.real


@pytest.fixture
def order(repository: str) -> BuildOrder:
    return BuildOrder("edges", (f"{repository}:1",), "Dockerfile")


def changed(order: BuildOrder, **changes: object) -> BuildOrder:
    return BuildOrder(**{**vars(order), **changes})


def fresh() -> str:
    """A word that no layer in the engine's cache has."""
    return uuid.uuid4().hex


async def test_gives_the_id_of_the_image(
    any_engine: DockerEngine,
    order: BuildOrder,
    busybox_image: str,
    events: Events,
    api: docker.APIClient,
) -> None:
    built = await any_engine.build(order, context({"Dockerfile": f"FROM {busybox_image}"}), events)
    assert id_of(api, order.tags[0]) == built


async def test_reports_each_step_from_its_beginning_to_its_end(
    any_engine: DockerEngine, order: BuildOrder, busybox_image: str, events: Events
) -> None:
    dockerfile = f"FROM {busybox_image}\nRUN echo {fresh()}\nRUN echo two"
    await any_engine.build(order, context({"Dockerfile": dockerfile}), events)
    told = [(step.number, step.total, step.text, step.state) for step in events.steps]
    assert (2, 3, dockerfile.splitlines()[1], StepState.RUNNING) in told
    assert told[-1] == (3, 3, "RUN echo two", StepState.DONE)
    assert [number for number, *_ in told] == sorted(number for number, *_ in told)
    assert events.steps[-1].seconds > 0


async def test_reports_what_the_steps_print(
    any_engine: DockerEngine, order: BuildOrder, busybox_image: str, events: Events
) -> None:
    script = r'echo out; printf "1%%\r\033[31m99%%\033[0m\nno end"'
    dockerfile = f"FROM {busybox_image}\nRUN echo {fresh()}; {script}"
    await any_engine.build(order, context({"Dockerfile": dockerfile}), events)
    assert events.lines[-3:] == ["out", "99%", "no end"]


async def test_reports_what_the_steps_complain_of(
    any_engine: DockerEngine, order: BuildOrder, busybox_image: str, events: Events
) -> None:
    dockerfile = f"FROM {busybox_image}\nRUN echo {fresh()} >/dev/null; echo complaint >&2"
    await any_engine.build(order, context({"Dockerfile": dockerfile}), events)
    assert "complaint" in events.lines


async def test_says_which_steps_came_from_the_cache(
    any_engine: DockerEngine, order: BuildOrder, busybox_image: str, events: Events
) -> None:
    files = context({"Dockerfile": f"FROM {busybox_image}\nRUN echo {fresh()}\nRUN echo two"})
    await any_engine.build(order, files, Events())
    await any_engine.build(order, files, events)
    last = {step.number: step.state for step in events.steps}
    assert (last[2], last[3]) == (StepState.CACHED, StepState.CACHED)


async def test_sets_every_tag(
    any_engine: DockerEngine,
    order: BuildOrder,
    busybox_image: str,
    repository: str,
    api: docker.APIClient,
) -> None:
    tags = (f"{repository}:one", f"{repository}:two")
    files = context({"Dockerfile": f"FROM {busybox_image}\nLABEL it={fresh()}"})
    built = await any_engine.build(changed(order, tags=tags), files, Events())
    assert {id_of(api, tag) for tag in tags} == {built}


async def test_honours_arguments_target_and_labels(
    any_engine: DockerEngine,
    order: BuildOrder,
    busybox_image: str,
    events: Events,
) -> None:
    dockerfile = (
        f"FROM {busybox_image} AS wanted\nARG WORD\nRUN echo said $WORD\n"
        "FROM wanted\nRUN echo too far"
    )
    word = fresh()
    ordered = changed(
        order, build_args={"WORD": word}, target="wanted", labels={"org.example": "yes"}
    )
    await any_engine.build(ordered, context({"Dockerfile": dockerfile}), events)
    assert f"said {word}" in events.lines
    assert "too far" not in events.lines
    found = await any_engine.find(order.tags[0])
    assert found is not None
    assert found.labels == {"org.example": "yes"}


async def test_reads_another_dockerfile_and_the_files_of_the_context(
    any_engine: DockerEngine, order: BuildOrder, busybox_image: str, events: Events
) -> None:
    files = {"docker/Special": f"FROM {busybox_image}\nCOPY it /it\nRUN cat /it", "it": fresh()}
    await any_engine.build(changed(order, dockerfile="docker/Special"), context(files), events)
    assert files["it"] in events.lines


async def test_runs_steps_without_a_network(
    any_engine: DockerEngine, order: BuildOrder, busybox_image: str, events: Events
) -> None:
    dockerfile = f"FROM {busybox_image}\nRUN echo {fresh()}; ls /sys/class/net"
    await any_engine.build(
        changed(order, no_network=True), context({"Dockerfile": dockerfile}), events
    )
    assert "lo" in events.lines
    assert "eth0" not in events.lines


async def test_a_failing_step_is_named_with_its_exit_status(
    any_engine: DockerEngine, order: BuildOrder, busybox_image: str, events: Events
) -> None:
    dockerfile = f"FROM {busybox_image}\nRUN echo why; exit 3\nRUN echo never"
    stopped = await reason_of(any_engine.build(order, context({"Dockerfile": dockerfile}), events))
    assert stopped.reason.code is Code.BUILD_FAILED
    assert stopped.reason.fact == "step 2 of 3, `RUN echo why; exit 3`: exit status 3"
    assert stopped.reason.where == "Dockerfile: image edges: RUN echo why; exit 3"
    assert events.lines[-1] == "why"
    assert events.steps[-1].state is StepState.FAILED


@pytest.mark.parametrize(
    ("dockerfile", "code", "where"),
    [
        ("FROM {base}\nFOO bar", Code.DOCKERFILE_INVALID, "Dockerfile:2: image edges"),
        (
            "FROM {base}\nCOPY nothing /",
            Code.BUILD_FAILED,
            "Dockerfile: image edges: COPY nothing /",
        ),
        (
            "FROM {base}\nRUN echo x >/dev/full || exit 1",
            Code.DISK_FULL,
            "image edges",
        ),
    ],
)
async def test_a_bad_dockerfile_gives_a_reason_with_a_place(
    any_engine: DockerEngine,
    order: BuildOrder,
    busybox_image: str,
    dockerfile: str,
    code: Code,
    where: str,
) -> None:
    files = context({"Dockerfile": dockerfile.format(base=busybox_image)})
    stopped = await reason_of(any_engine.build(order, files, Events()))
    assert (stopped.reason.code, stopped.reason.where) == (code, where)


async def test_a_context_without_the_dockerfile_is_said(
    any_engine: DockerEngine, order: BuildOrder
) -> None:
    build = any_engine.build(order, context({"README": "hello"}), Events())
    assert await code_of(build) is Code.DOCKERFILE_MISSING


async def test_an_unknown_base_image_is_named(
    any_engine: DockerEngine, order: BuildOrder, registry: Registry
) -> None:
    base = f"{registry.address}/no/such:1"
    build = any_engine.build(order, context({"Dockerfile": f"FROM {base}"}), Events())
    stopped = await reason_of(build)
    assert stopped.reason.code is Code.BUILD_FAILED
    assert base in stopped.reason.fact


async def test_a_registry_that_does_not_answer_is_told_from_an_unknown_image(
    any_engine: DockerEngine, order: BuildOrder
) -> None:
    build = any_engine.build(order, context({"Dockerfile": "FROM 127.0.0.1:1/it:1"}), Events())
    assert await code_of(build) is Code.REGISTRY_UNREACHABLE


@pytest.fixture
async def private_image(
    engine_host: str,
    private_registry: Registry,
    private_login: Callable[[str], Login | None],
    busybox_image: str,
    api: docker.APIClient,
) -> AsyncIterator[str]:
    """A base image that only the private registry has."""
    repository = f"{private_registry.address}/base"
    engine = await DockerEngine.connect(engine_host, find_login=private_login)
    tag = uuid.uuid4().hex[:12]
    await engine.tag(busybox_image, repository, tag)
    await engine.push("base", repository, tag, Events())
    await engine.close()
    api.remove_image(f"{repository}:{tag}")
    yield f"{repository}:{tag}"
    if api.images(f"{repository}:{tag}"):
        api.remove_image(f"{repository}:{tag}")


@pytest.mark.parametrize("buildkit", [True, False])
async def test_builds_from_a_private_image_with_its_login(
    engine_host: str,
    private_login: Callable[[str], Login | None],
    private_image: str,
    order: BuildOrder,
    *,
    buildkit: bool,
) -> None:
    engine = await DockerEngine.connect(engine_host, find_login=private_login, buildkit=buildkit)
    files = context({"Dockerfile": f"FROM {private_image}\nLABEL it={fresh()}"})
    built = await engine.build(changed(order, bases=(private_image,)), files, Events())
    await engine.close()
    assert built.startswith("sha256:")


async def test_a_private_image_without_a_login_is_refused_by_name(
    any_engine: DockerEngine, private_image: str, order: BuildOrder
) -> None:
    build = any_engine.build(order, context({"Dockerfile": f"FROM {private_image}"}), Events())
    stopped = await reason_of(build)
    assert stopped.reason.code is Code.REGISTRY_REFUSED
    assert private_image in stopped.reason.fact


async def test_a_secret_reaches_the_step_and_no_event(
    engine: DockerEngine, order: BuildOrder, busybox_image: str, events: Events
) -> None:
    secret = fresh()
    step = "RUN --mount=type=secret,id=token cat /run/secrets/token; md5sum /run/secrets/token"
    await engine.build(
        changed(order, secrets={"token": SecretStr(secret)}),
        context({"Dockerfile": f"FROM {busybox_image}\nRUN echo {fresh()}\n{step}"}),
        events,
    )
    assert any(re.search(r"[0-9a-f]{32}  /run/secrets/token", line) for line in events.lines)
    assert secret not in str(events.all)


async def test_a_large_secret_arrives_whole(
    engine: DockerEngine, order: BuildOrder, busybox_image: str, events: Events
) -> None:
    step = "RUN --mount=type=secret,id=token wc -c </run/secrets/token"
    await engine.build(
        changed(order, secrets={"token": SecretStr(fresh() * 12_000)}),
        context({"Dockerfile": f"FROM {busybox_image}\nRUN echo {fresh()}\n{step}"}),
        events,
    )
    assert "384000" in events.lines


@pytest.mark.parametrize("options", ["id=token", "id=token,required=true"])
async def test_a_step_that_fails_for_want_of_a_secret_says_so(
    engine: DockerEngine, order: BuildOrder, busybox_image: str, options: str
) -> None:
    step = f"RUN --mount=type=secret,{options} cat /run/secrets/token"
    files = context({"Dockerfile": f"FROM {busybox_image}\n{step}"})
    stopped = await reason_of(engine.build(order, files, Events()))
    assert stopped.reason.code is Code.BUILD_SECRET_MISSING
    assert "'token'" in stopped.reason.fact


async def test_a_step_that_does_without_its_secret_is_warned_of(
    engine: DockerEngine, order: BuildOrder, busybox_image: str, events: Events
) -> None:
    step = f"RUN --mount=type=secret,id=token echo {fresh()}"
    await engine.build(order, context({"Dockerfile": f"FROM {busybox_image}\n{step}"}), events)
    assert "'token'" in events.of(Warned)[0].text


async def test_the_legacy_builder_refuses_secrets(engine_host: str, order: BuildOrder) -> None:
    engine = await DockerEngine.connect(engine_host, find_login=nobody, buildkit=False)
    ordered = changed(order, secrets={"token": SecretStr("x")})
    code = await code_of(engine.build(ordered, context({"Dockerfile": "FROM scratch"}), Events()))
    await engine.close()
    assert code is Code.ENGINE_LACKS


async def test_an_engine_without_sessions_builds_what_needs_none(
    engine_host: str, order: BuildOrder, busybox_image: str, tmp_path: Path
) -> None:
    async with Proxy(engine_host, refuse_sessions=True).on_socket(tmp_path / "it.sock") as host:
        engine = await DockerEngine.connect(host, find_login=nobody)
        files = context({"Dockerfile": f"FROM {busybox_image}\nRUN echo {fresh()}"})
        built = await engine.build(order, files, Events())
        await engine.close()
    assert built.startswith("sha256:")


async def test_an_engine_without_sessions_refuses_secrets(
    engine_host: str, order: BuildOrder, tmp_path: Path
) -> None:
    async with Proxy(engine_host, refuse_sessions=True).on_socket(tmp_path / "it.sock") as host:
        engine = await DockerEngine.connect(host, find_login=nobody)
        ordered = changed(order, secrets={"token": SecretStr("x")})
        files = context({"Dockerfile": "FROM scratch"})
        code = await code_of(engine.build(ordered, files, Events()))
        await engine.close()
    assert code is Code.ENGINE_LACKS


async def test_cancel_stops_the_running_step_within_two_seconds(
    any_engine: DockerEngine,
    order: BuildOrder,
    busybox_image: str,
    events: Events,
    api: docker.APIClient,
) -> None:
    naps = str(uuid.uuid4().int % 10**9 + 10**9)
    files = context({"Dockerfile": f"FROM {busybox_image}\nRUN sleep {naps}"})
    build = asyncio.create_task(any_engine.build(order, files, events))
    await eventually(lambda: runs(naps))
    build.cancel()
    await asyncio.wait({build})
    assert build.cancelled()
    await eventually(lambda: not runs(naps), within=2)
    # Others that use the engine have containers of their own.
    await eventually(
        lambda: not any(naps in c["Command"] for c in api.containers(all=True)), within=2
    )


async def test_cancel_ends_a_context_that_gives_nothing(
    any_engine: DockerEngine, order: BuildOrder
) -> None:
    stuck = ProcessContext("sleep", "600")
    build = asyncio.create_task(any_engine.build(order, stuck.open, Events()))
    await eventually(lambda: stuck.read)
    build.cancel()
    async with asyncio.timeout(2):
        await asyncio.wait({build})
    assert build.cancelled()
    assert stuck.left


async def test_a_context_that_fails_gives_its_own_reason(
    any_engine: DockerEngine, order: BuildOrder
) -> None:
    def broken() -> ProcessContext:
        raise ValueError("git archive failed")

    with pytest.raises(ValueError, match="git archive failed"):
        await any_engine.build(order, broken, Events())  # type: ignore[arg-type] # it never gives one


async def test_an_engine_that_goes_away_in_the_middle_is_said(
    engine_host: str, order: BuildOrder, busybox_image: str, tmp_path: Path
) -> None:
    naps = str(uuid.uuid4().int % 10**9 + 10**9)
    proxy = Proxy(engine_host)
    async with proxy.on_socket(tmp_path / "it.sock") as host:
        engine = await DockerEngine.connect(host, find_login=nobody)
        files = context({"Dockerfile": f"FROM {busybox_image}\nRUN sleep {naps}"})
        build = asyncio.create_task(engine.build(order, files, Events()))
        await eventually(lambda: runs(naps))
        await proxy.break_down()
        code = await code_of(build)
        await engine.close()
    assert code is Code.ENGINE_UNREACHABLE
