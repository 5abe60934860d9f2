"""The `pachops` command as a process: what only a process shows."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_main_job import QUICK_VERIFY, simple
from tests.e2e.world import World
from tests.real.git_server import Repository

pytestmark = pytest.mark.real

PACHOPS = Path(sys.executable).parent / "pachops"
PATIENCE = 60


def environment(world: World) -> dict[str, str]:
    kept = {
        name: os.environ[name] for name in ("PATH", "GIT_CONFIG_NOSYSTEM") if name in os.environ
    }
    return kept | world.environ


@contextmanager
def running(
    world: World, *arguments: str, folder: Path | None = None
) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(  # noqa: S603 - our own command
        [PACHOPS, *arguments],
        env=environment(world),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def pachops(world: World, *arguments: str, folder: Path | None = None) -> tuple[int, str]:
    with running(world, *arguments, folder=folder) as process:
        output, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, output


def read_until(process: "subprocess.Popen[str]", word: str) -> dict[str, Any]:
    assert process.stdout
    for line in process.stdout:
        if word in line:
            event: dict[str, Any] = json.loads(line)
            return event
    pytest.fail(f"it ended without saying {word!r}")


def last_line(process: "subprocess.Popen[str]") -> dict[str, Any]:
    output, _ = process.communicate(timeout=PATIENCE)
    event: dict[str, Any] = json.loads(output.splitlines()[-1])
    return event


def test_each_line_of_json_is_an_event_and_the_last_is_the_end(world: World) -> None:
    sha = world.commit(simple(world))
    status, output = pachops(world, "deploy", world.address, "--json")
    events = [json.loads(line) for line in output.splitlines()]
    assert (status, all("event" in event for event in events)) == (0, True)
    end = events[-1]
    assert (end["event"], end["outcome"], end["sha"], end["reason"]) == (
        "finished",
        "succeeded",
        sha,
        None,
    )
    assert end["pipelines"] == [
        {"project": "default", "name": "edges", "from_version": None, "to_version": 1}
    ]
    assert set(end["images"][0]) == {"name", "repository", "tag", "digest", "built"}


def test_where_there_is_no_terminal_lines_are_plain(world: World) -> None:
    world.commit(simple(world))
    status, output = pachops(world, "deploy", world.address)
    assert (status, "\x1b" in output, "build edges 1/2" in output) == (0, False, True)


def test_ctrl_c_ends_with_130_and_says_so(world: World) -> None:
    world.commit(simple(world, "RUN sleep 46"))
    with running(world, "deploy", world.address, "--json") as process:
        read_until(process, "sleep 46")
        process.send_signal(signal.SIGINT)
        end = last_line(process)
    assert (process.returncode, end["outcome"], end["reason"]["code"]) == (
        130,
        "cancelled",
        "cancelled",
    )


def test_killed_in_the_middle_it_is_finished_by_a_worker(world: World) -> None:
    world.commit(simple(world, "RUN sleep 2"))
    with running(world, "deploy", world.address, "--json") as process:
        identity = read_until(process, "accepted")["deployment"]
        read_until(process, "sleep 2")
        process.kill()
    assert "No bot runs" in pachops(world, "status")[1]
    status, output = pachops(world, "worker")
    assert (status, "Succeeded" in output, world.running()[0]) == (0, True, 1)
    assert "succeeded" in pachops(world, "show", identity)[1]


def test_what_was_left_is_finished_and_does_not_count_as_time_of_the_next(world: World) -> None:
    two = "environments: {one: {verify: {window: 0s}}, two: {verify: {window: 0s}}}"
    world.commit(simple(world, "RUN sleep 3") | {".pachops.yml": two})
    with running(world, "deploy", world.address, "--to", "one", "--json") as process:
        left = read_until(process, "accepted")["deployment"]
        read_until(process, "sleep 3")
        process.kill()
    world.commit({"pipeline.json": world.spec("other", image="ubuntu:20.04"), "Dockerfile": None})
    _, output = pachops(world, "deploy", world.address, "--to", "two", "--json")
    warned, end = map(json.loads, output.splitlines()[-2:])
    assert (left in warned["text"], end["event"]) == (True, "finished")
    assert end["at"] <= warned["at"]


def test_a_rollback_means_the_repository_that_one_is_in(world: World) -> None:
    first = world.use_work_tree()
    for word in ("one", "two"):
        world.commit(simple(world) | {"run.sh": word})
        pachops(world, "deploy", world.address)
    world.repository = Repository(world.folder / "second")
    world.commit(simple(world) | {"pipeline.json": world.spec("other")})
    pachops(world, "deploy", str(world.folder / "second"))
    status, output = pachops(world, "rollback", "--to", "default")
    assert (status, "several repositories" in output) == (2, True)
    status, _ = pachops(world, "rollback", "--to", "default", folder=first)
    assert (status, world.running()[0]) == (0, 3)


def test_a_log_that_cannot_be_written_disturbs_nobody(world: World) -> None:
    world.commit(simple(world))
    (world.folder / "data").mkdir()
    (world.folder / "data" / "pachops.log").symlink_to("/dev/full")
    status, output = pachops(world, "deploy", world.address, "--dry-run")
    assert (status, "Traceback" in output) == (0, False)


def test_it_says_its_version(world: World) -> None:
    assert pachops(world, "--version") == (0, f"pachops {version('pachops')}\n")


def test_cancelled_from_elsewhere(world: World) -> None:
    world.commit(simple(world, "RUN sleep 45"))
    with running(world, "deploy", world.address, "--json") as process:
        identity = read_until(process, "accepted")["deployment"]
        read_until(process, "sleep 45")
        status, _ = pachops(world, "cancel", identity)
        assert (status, last_line(process)["outcome"]) == (0, "cancelled")


def test_killed_and_cancelled_it_is_settled_by_a_worker(world: World) -> None:
    config = "environments: {default: {verify: {window: 30s}}}"
    world.commit(simple(world) | {".pachops.yml": config})
    with running(world, "deploy", world.address, "--json") as process:
        identity = read_until(process, "accepted")["deployment"]
        read_until(process, '"stage": "verify"')
        process.kill()
    assert "No bot runs" in pachops(world, "cancel", identity)[1]
    pachops(world, "worker")
    assert not world.pachd.has_pipeline("edges")


def test_killed_in_a_test_and_cancelled_it_leaves_no_container(world: World) -> None:
    image = f"{{repository: '{world.image()}', test: [sleep, '4747']}}"
    world.commit(simple(world) | {".pachops.yml": f"images: {{edges: {image}}}"})
    with running(world, "deploy", world.address, "--json") as process:
        identity = read_until(process, "accepted")["deployment"]
        read_until(process, '"stage_started", "stage": "test"')
        while not world.containers_that_run("sleep 4747"):
            time.sleep(0.05)
        process.kill()
    pachops(world, "cancel", identity)
    pachops(world, "worker")
    assert not world.left_over("sleep 4747")


def test_nobody_reads_to_the_end(world: World) -> None:
    world.commit(simple(world) | {".pachops.yml": QUICK_VERIFY})
    with running(world, "deploy", world.address, "--json") as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE) == 0
    assert world.running()[0] == 1


def test_a_wrong_option_is_wrong_usage(world: World) -> None:
    assert pachops(world, "deploy", "--nonsense")[0] == 2
