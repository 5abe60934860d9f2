import asyncio
import json
import logging
from typing import Any

import pytest

from bot.domain.deployment import Actor, Commit, Deployment, Kind, Request, Trigger
from bot.domain.reasons import Code, Reason, StoppedError
from bot.engine.run import Attempt, Run, RunCancelledError

REQUEST = Request(
    Kind.DEPLOY, "edges", "staging", Commit("a" * 40, "main"), Trigger.CLI, Actor("ada", "cli")
)


class Memory:
    """Keeps answers as the engine does: as JSON, and nothing of an attempt that is cut off."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def checkpoint(self, name: str, attempt: Attempt) -> Any:
        if name not in self.kept:
            self.kept[name] = json.dumps(await attempt())
        return json.loads(self.kept[name])


class Bench:
    """A run, what it keeps, and the engine's wish to stop."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.stopping = asyncio.Event()
        self.run = self.again()

    def again(self) -> Run:
        """The run after a restart."""
        self.stopping = asyncio.Event()
        self.run = Run(
            Deployment("06g", REQUEST), self.memory.checkpoint, self.stopping, resumed=True
        )
        return self.run


class Work:
    """Work that waits for ever, and is asked to clean up before it ends."""

    def __init__(self, *, swallow: bool = False) -> None:
        self.begun = asyncio.Event()
        self.cleaned_up = False
        self._swallow = swallow

    async def __call__(self) -> str:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            self.cleaned_up = True
            if not self._swallow:
                raise
        return "done"


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def never() -> None:
    pytest.fail("a step that has an answer ran again")


async def test_a_step_answers_what_its_work_answers(bench: Bench) -> None:
    async def work() -> dict[str, int]:
        return {"images": 2}

    assert await bench.run.step("build", work) == {"images": 2}


async def test_an_answer_is_the_same_now_and_after_a_restart(bench: Bench) -> None:
    async def work() -> tuple[dict[int, str], ...]:
        return ({1: "one"},)

    now = await bench.run.step("build", work)
    assert now == await bench.again().step("build", never) == [{"1": "one"}]


async def test_a_stop_is_the_same_now_and_after_a_restart(bench: Bench) -> None:
    reason = Reason(Code.BUILD_FAILED, "step 3", "Correct it.", "Dockerfile:3")

    async def work() -> None:
        raise StoppedError(reason.code, reason.fact, where=reason.where, next_step=reason.next_step)

    with pytest.raises(StoppedError) as now:
        await bench.run.step("build", work)
    with pytest.raises(StoppedError) as after:
        await bench.again().step("build", never)
    assert now.value.reason == after.value.reason == reason


async def test_an_error_of_ours_is_logged_and_told_without_its_words(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        msg = "password=hunter2"
        raise LookupError(msg)

    with pytest.raises(StoppedError) as stopped:
        await bench.run.step("build", work)
    assert stopped.value.reason.code is Code.INTERNAL_ERROR
    assert stopped.value.reason.fact == "LookupError in build"
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_an_answer_that_is_not_json_is_an_error_of_ours(bench: Bench) -> None:
    async def work() -> object:
        return object()

    with pytest.raises(StoppedError) as stopped:
        await bench.run.step("build", work)
    assert stopped.value.reason.code is Code.INTERNAL_ERROR


async def test_work_that_cancels_itself_is_an_error_of_ours(bench: Bench) -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    with pytest.raises(StoppedError) as stopped:
        await bench.run.step("build", work)
    assert stopped.value.reason.code is Code.INTERNAL_ERROR


@pytest.mark.parametrize("swallow", [False, True])
async def test_a_cancel_interrupts_the_step_and_waits_for_its_clean_up(
    *, swallow: bool, bench: Bench
) -> None:
    work = Work(swallow=swallow)
    step = asyncio.create_task(bench.run.step("build", work))
    await work.begun.wait()
    bench.run.request_cancel("ada")
    with pytest.raises(RunCancelledError) as cancelled:
        await step
    assert work.cleaned_up
    assert cancelled.value.by == "ada"
    assert cancelled.value.reason.code is Code.CANCELLED


async def test_a_cancel_is_still_one_after_a_restart(bench: Bench) -> None:
    bench.run.request_cancel("ada")
    with pytest.raises(RunCancelledError):
        await bench.run.step("build", never)
    with pytest.raises(RunCancelledError) as cancelled:
        await bench.again().step("build", never)
    assert cancelled.value.by == "ada"


async def test_a_cancel_does_not_undo_what_was_done(bench: Bench) -> None:
    async def work() -> str:
        return "done"

    await bench.run.step("build", work)
    bench.run.request_cancel("ada")
    assert await bench.run.step("build", never) == "done"


async def test_what_must_not_be_cut_is_not(bench: Bench) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> str:
        begun.set()
        await go_on.wait()
        return "done"

    step = asyncio.create_task(bench.run.step("update", work, cancellable=False))
    await begun.wait()
    bench.run.request_cancel("ada")
    bench.stopping.set()
    await asyncio.sleep(0)
    go_on.set()
    assert await step == "done"


async def test_what_must_not_be_cut_begins_after_a_cancel_too(bench: Bench) -> None:
    async def work() -> str:
        return "put back"

    bench.run.request_cancel("ada")
    assert await bench.run.step("roll_back", work, cancellable=False) == "put back"


async def test_a_failed_clean_up_is_logged_and_the_cancel_counts(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise LookupError

    step = asyncio.create_task(bench.run.step("build", work))
    await begun.wait()
    bench.run.request_cancel("ada")
    with pytest.raises(RunCancelledError):
        await step
    assert "cleaning up failed" in caplog.text


@pytest.mark.parametrize("swallow", [False, True])
async def test_nothing_is_kept_of_a_step_that_a_stop_cuts_off(
    *, swallow: bool, bench: Bench
) -> None:
    work = Work(swallow=swallow)
    step = asyncio.create_task(bench.run.step("build", work))
    await work.begun.wait()
    bench.stopping.set()
    with pytest.raises(asyncio.CancelledError):
        await step
    assert work.cleaned_up
    assert bench.memory.kept == {}


@pytest.mark.parametrize("cancellable", [False, True])
async def test_no_step_begins_while_the_engine_stops(*, cancellable: bool, bench: Bench) -> None:
    bench.stopping.set()
    with pytest.raises(asyncio.CancelledError):
        await bench.run.step("build", never, cancellable=cancellable)


async def test_the_end_of_the_task_ends_the_work(bench: Bench) -> None:
    work = Work()
    step = asyncio.create_task(bench.run.step("update", work, cancellable=False))
    await work.begun.wait()
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    assert work.cleaned_up
    assert bench.memory.kept == {}
