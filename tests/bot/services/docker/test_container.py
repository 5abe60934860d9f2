import asyncio
import uuid

import docker
import pytest
from pydantic import SecretStr

from bot.domain.deployment import Stage
from bot.domain.progress import Log
from bot.domain.reasons import Code
from bot.services.docker import BuildOrder, DockerEngine, TestOrder, TestRun
from bot.services.docker.container import DEPLOYMENT_LABEL
from bot.services.docker.lines import LONGEST
from tests.bot.services.docker.conftest import nobody
from tests.bot.services.docker.parts import Events, code_of, context, eventually

pytestmark = pytest.mark.real


@pytest.fixture
def deployment() -> str:
    return uuid.uuid4().hex


class Bench:
    """Runs commands as tests of the base image."""

    def __init__(self, engine: DockerEngine, image: str, deployment: str) -> None:
        self.events = Events()
        self._engine = engine
        self._image = image
        self._labels = {DEPLOYMENT_LABEL: deployment}

    async def run(
        self, *command: str, seconds: float = 30, environment: dict[str, str] | None = None
    ) -> TestRun:
        order = TestOrder(
            "edges",
            self._image,
            command,
            seconds,
            "32m",
            environment or {},
            self._labels,
        )
        return await self._engine.test(order, self.events)

    async def says(self, script: str) -> str:
        """The last line that a shell script prints."""
        return (await self.run("sh", "-c", script)).output_tail[-1]


@pytest.fixture
def bench(engine: DockerEngine, busybox_image: str, deployment: str) -> Bench:
    return Bench(engine, busybox_image, deployment)


@pytest.fixture
def containers(api: docker.APIClient, deployment: str) -> "Containers":
    return Containers(api, deployment)


class Containers:
    """Those that the engine has of a deployment."""

    def __init__(self, api: docker.APIClient, deployment: str) -> None:
        self._api = api
        self._filter = {"label": f"{DEPLOYMENT_LABEL}={deployment}"}

    @property
    def running(self) -> bool:
        return bool(self._api.containers(filters=self._filter))

    @property
    def any(self) -> bool:
        return bool(self._api.containers(all=True, filters=self._filter))


async def test_a_good_test_ends_with_zero_and_its_output(bench: Bench) -> None:
    run = await bench.run("sh", "-c", "echo one; echo two")
    assert (run.exit_code, run.timed_out, run.out_of_memory) == (0, False, False)
    assert run.output_tail == ("one", "two")
    assert run.seconds > 0


async def test_its_output_is_reported_line_by_line(bench: Bench) -> None:
    await bench.run("sh", "-c", "echo one; echo two >&2")
    assert set(bench.events.all) == {
        Log(Stage.TEST, "edges", "one"),
        Log(Stage.TEST, "edges", "two"),
    }


async def test_a_test_that_prints_much_and_ends_at_once_loses_nothing(bench: Bench) -> None:
    await bench.run("sh", "-c", "seq 1 20000")
    assert bench.events.lines == [str(number) for number in range(1, 20_001)]


async def test_only_the_last_lines_are_kept(bench: Bench) -> None:
    run = await bench.run("seq", "1", "200")
    assert run.output_tail == tuple(str(number) for number in range(151, 201))


async def test_a_bad_test_ends_with_its_exit_status(bench: Bench) -> None:
    run = await bench.run("sh", "-c", "echo wrong; exit 3")
    assert (run.exit_code, run.output_tail) == (3, ("wrong",))


async def test_a_command_that_is_not_in_the_image_ends_with_127_and_says_so(bench: Bench) -> None:
    run = await bench.run("no-such-command")
    assert run.exit_code == 127
    assert "no-such-command" in run.output_tail[-1]


async def test_a_test_that_needs_too_much_memory_is_killed_and_says_so(bench: Bench) -> None:
    runs = [await bench.run("tail", "-c", "300000000", "/dev/zero") for _ in range(5)]
    assert {run.exit_code for run in runs} == {137}
    # On a busy machine the engine misses one in fifty.
    assert any(run.out_of_memory for run in runs)


async def test_a_test_that_takes_too_long_is_killed(bench: Bench, containers: Containers) -> None:
    run = await bench.run("sh", "-c", "trap '' TERM; echo started; sleep 600", seconds=1)
    assert run.timed_out
    assert not run.out_of_memory
    assert run.output_tail == ("started",)
    assert not containers.any


async def test_a_test_that_closes_its_output_still_counts_until_it_ends(bench: Bench) -> None:
    run = await bench.run("sh", "-c", "exec >/dev/null 2>&1; sleep 0.5; exit 4")
    assert run.exit_code == 4


async def test_the_container_is_gone_afterwards(bench: Bench, containers: Containers) -> None:
    await bench.run("true")
    assert not containers.any


async def test_environment_and_a_home_that_can_be_written_are_set(bench: Bench) -> None:
    run = await bench.run(
        "sh", "-c", "echo $WORD; touch $HOME/it && echo yes", environment={"WORD": "hello"}
    )
    assert run.output_tail == ("hello", "yes")


@pytest.mark.parametrize(
    ("script", "last_line"),
    [
        ("id -u; id -g", "65534"),
        ("ls /sys/class/net | grep -v lo; echo only lo", "only lo"),
        ("touch /it 2>&1", "touch: /it: Read-only file system"),
        ("grep CapEff /proc/self/status | cut -f2", "0000000000000000"),
        ("grep CapBnd /proc/self/status | cut -f2", "0000000000000000"),
        ("grep NoNewPrivs /proc/self/status | cut -f2", "1"),
        ("ulimit -n", "1024"),
        ("cat /proc/1/comm", "docker-init"),
    ],
)
async def test_it_is_locked_down(bench: Bench, script: str, last_line: str) -> None:
    assert await bench.says(script) == last_line


async def test_a_volume_of_the_image_is_memory_too(
    engine: DockerEngine, repository: str, busybox_image: str
) -> None:
    image = f"{repository}:volumes"
    build = BuildOrder("edges", (image,), "Dockerfile")
    dockerfile = f"FROM {busybox_image}\nVOLUME /data /deep/er/ /tmp"
    await engine.build(build, context({"Dockerfile": dockerfile}), Events())
    script = "touch /data/it /deep/er/it; df -m /data /deep/er /tmp | awk '{print $1, $2, $6}'"
    run = await engine.test(
        TestOrder("edges", image, ("sh", "-c", f"{script}"), 30, "32m"), Events()
    )
    assert run.output_tail[1:] == tuple(f"tmpfs 256 {at}" for at in ("/data", "/deep/er", "/tmp"))


async def test_a_secret_is_hidden_where_a_long_line_is_cut(
    engine_host: str, busybox_image: str, deployment: str
) -> None:
    secret = [SecretStr("s3cr3t-word")]
    engine = await DockerEngine.connect(engine_host, find_login=nobody, secrets=secret)
    bench = Bench(engine, busybox_image, deployment)
    try:
        await bench.run("sh", "-c", f"printf '%0{LONGEST - 5}ds3cr3t-word%0{LONGEST}d' 0 0")
    finally:
        await engine.close()
    assert "".join(bench.events.lines) == "0" * (LONGEST - 5) + "***" + "0" * LONGEST


async def test_its_limits_are_set(
    bench: Bench, api: docker.APIClient, deployment: str, containers: Containers
) -> None:
    running = asyncio.create_task(bench.run("sleep", "600"))
    await eventually(lambda: containers.running)
    label = {"label": f"{DEPLOYMENT_LABEL}={deployment}"}
    host = api.inspect_container(api.containers(filters=label)[0]["Id"])["HostConfig"]
    running.cancel()
    await asyncio.wait({running})
    assert (host["Memory"], host["MemorySwap"], host["PidsLimit"]) == (32 << 20, 32 << 20, 512)


async def test_cancel_kills_it_and_leaves_no_container(
    bench: Bench, containers: Containers
) -> None:
    running = asyncio.create_task(bench.run("sleep", "600"))
    await eventually(lambda: containers.running)
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()
    assert not containers.any


@pytest.mark.parametrize("turns", [1, 2, 5, 20, 100, 500, 1000])
async def test_cancel_at_any_moment_leaves_no_container(
    bench: Bench, containers: Containers, turns: int
) -> None:
    running = asyncio.create_task(bench.run("sleep", "600"))
    for _ in range(turns):
        await asyncio.sleep(0.0002)
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()
    assert not containers.any


async def test_what_a_killed_bot_left_is_removed(
    engine: DockerEngine,
    api: docker.APIClient,
    busybox_image: str,
    deployment: str,
    containers: Containers,
) -> None:
    for _ in range(2):
        left = api.create_container(
            busybox_image, ["sleep", "600"], labels={DEPLOYMENT_LABEL: deployment}
        )
        api.start(left)
    assert await engine.remove_leftovers(deployment) == 2
    assert not containers.any


async def test_leftovers_of_other_deployments_stay(
    engine: DockerEngine,
    api: docker.APIClient,
    busybox_image: str,
    deployment: str,
    containers: Containers,
) -> None:
    left = api.create_container(busybox_image, ["true"], labels={DEPLOYMENT_LABEL: deployment})
    assert await engine.remove_leftovers(f"{deployment}-other") == 0
    assert containers.any
    api.remove_container(left)


async def test_memory_that_is_no_amount_is_said(engine: DockerEngine, busybox_image: str) -> None:
    order = TestOrder("edges", busybox_image, ("true",), 5, "lots")
    assert await code_of(engine.test(order, Events())) is Code.PROJECT_INVALID


async def test_memory_that_the_engine_does_not_take_is_said(
    engine: DockerEngine, busybox_image: str
) -> None:
    order = TestOrder("edges", busybox_image, ("true",), 5, 1)
    assert await code_of(engine.test(order, Events())) is Code.TEST_FAILED


async def test_an_image_that_is_not_there_is_refused(engine: DockerEngine) -> None:
    order = TestOrder("edges", "pachops-test/none:1", ("true",), 5, "32m")
    assert await code_of(engine.test(order, Events())) is Code.TEST_FAILED
