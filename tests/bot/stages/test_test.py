"""What is said of a test that failed."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from bot.domain import progress
from bot.domain.plan import ImagePlan
from bot.domain.progress import Progress
from bot.domain.reasons import Code, StoppedError
from bot.services.docker import DockerEngine, TestOrder, TestRun
from bot.services.git import Mirror
from bot.services.registry import Registry
from bot.stages.build import Workshop
from bot.stages.test import test as run_tests

IMAGE = ImagePlan(
    "edges", "r.example/edges", ("v1",), "a" * 40, "Dockerfile", "c" * 64, test=("pytest",)
)


class Engine:
    """Whose tests end as it is told."""

    def __init__(self, run: TestRun) -> None:
        self._run = run

    async def remove_leftovers(self, _deployment: str) -> int:
        return 0

    async def test(self, _order: TestOrder, _report: Callable[[Progress], None]) -> TestRun:
        return self._run


async def stopped_by(
    folder: Path, exit_code: int, *output: str, out_of_memory: bool = False, timed_out: bool = False
) -> StoppedError:
    run = TestRun(exit_code, out_of_memory, timed_out, 1.0, output)
    workshop = Workshop(
        cast(DockerEngine, Engine(run)),
        cast(Mirror, None),
        cast(Registry, None),
        {},
        parallel=2,
        least_free=0,
        data_dir=folder,
    )
    told: list[Progress] = []
    with pytest.raises(StoppedError) as stopped:
        await run_tests([IMAGE], "d1", workshop, told.append)
    assert told == [progress.Tested("edges", exit_code, 1.0, output)]
    return stopped.value


async def test_a_failure_has_its_exit_status_and_its_last_line(tmp_path: Path) -> None:
    stopped = await stopped_by(tmp_path, 3, "one", "wrong", " ")
    assert stopped.reason.fact == "exit status 3, last line: wrong"


async def test_one_that_took_too_long_says_how_long(tmp_path: Path) -> None:
    stopped = await stopped_by(tmp_path, 137, timed_out=True)
    assert stopped.reason.code is Code.TEST_TIMED_OUT
    assert "600 s" in stopped.reason.fact


async def test_one_that_ran_out_of_memory_says_how_much_it_had(tmp_path: Path) -> None:
    stopped = await stopped_by(tmp_path, 1, out_of_memory=True)
    assert stopped.reason.fact == "the test needed more than 512m of memory"


async def test_one_that_was_killed_and_the_engine_knows_not_why_still_names_memory(
    tmp_path: Path,
) -> None:
    reason = (await stopped_by(tmp_path, 137)).reason
    assert "killed (exit status 137)" in reason.fact
    assert "more than 512m of memory" in reason.fact
    assert "test_memory" in reason.next_step
