import asyncio

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.engine import housekeeping
from bot.engine.heartbeat import LET_GO_AFTER_SECONDS, Heartbeat
from bot.engine.runs import STOP_SECONDS
from bot.engine.workers import DEAD_AFTER_SECONDS


class Worker:
    """A worker whose database and clock are driven by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.answers = True
        self.said: list[str] = []
        self.heart = Heartbeat(
            self._beat, let_go=self._let_go, rejoin=self._rejoin, clock=lambda: self.now
        )

    async def live(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            await self.heart.beat()
            await self.heart.watch()

    async def _beat(self) -> None:
        if not self.answers:
            raise StoppedError(Code.DATABASE_UNUSABLE, "connection refused")

    async def _let_go(self) -> None:
        self.said.append("lets go")

    async def _rejoin(self) -> None:
        self.said.append("rejoins")


@pytest.fixture
def worker() -> Worker:
    return Worker()


async def test_a_worker_that_reaches_its_database_goes_on(worker: Worker) -> None:
    await worker.live(100)
    assert worker.said == []


async def test_a_short_silence_is_forgiven(worker: Worker) -> None:
    worker.answers = False
    await worker.live(int(LET_GO_AFTER_SECONDS))
    worker.answers = True
    await worker.live(1)
    assert worker.said == []


async def test_a_long_silence_ends_in_letting_go_once_and_rejoining_once(worker: Worker) -> None:
    worker.answers = False
    await worker.live(60)
    assert worker.said == ["lets go"]
    worker.answers = True
    await worker.live(5)
    assert worker.said == ["lets go", "rejoins"]
    worker.answers = False
    await worker.live(60)
    assert worker.said == ["lets go", "rejoins", "lets go"]


async def test_one_that_was_frozen_lets_go_when_it_wakes(worker: Worker) -> None:
    await worker.live(3)
    worker.now += 60
    await worker.heart.watch()
    assert worker.said == ["lets go"]


async def test_a_beat_that_hangs_does_not_keep_it_from_letting_go() -> None:
    let_go = asyncio.Event()
    now = 0.0

    async def hang() -> None:
        nonlocal now
        now = 60.0
        await asyncio.Event().wait()

    async def let() -> None:
        let_go.set()

    heart = Heartbeat(hang, let_go=let, rejoin=let, clock=lambda: now)
    beating = asyncio.create_task(heart.go_on())
    await asyncio.wait_for(let_go.wait(), 60)
    beating.cancel()
    await asyncio.wait({beating})


async def test_a_rejoining_that_fails_is_tried_again(worker: Worker) -> None:
    tries = []

    async def fails_once() -> None:
        tries.append(worker.now)
        if len(tries) == 1:
            raise StoppedError(Code.DATABASE_UNUSABLE, "gone again")

    worker.heart = Heartbeat(
        worker._beat, let_go=worker._let_go, rejoin=fails_once, clock=lambda: worker.now
    )
    worker.answers = False
    await worker.live(60)
    worker.answers = True
    with pytest.raises(StoppedError):
        await worker.live(1)
    await worker.live(3)
    assert len(tries) == 2


def test_what_is_let_go_has_ended_before_it_is_taken_over() -> None:
    # A second each for the beat that succeeded last and for the look at the clock.
    assert LET_GO_AFTER_SECONDS + 2 + STOP_SECONDS <= DEAD_AFTER_SECONDS


def test_half_a_minute_after_its_last_word_a_workers_deployments_go_on_elsewhere() -> None:
    # A round is looked at between two pauses, and the queue is looked at ten times a second.
    assert DEAD_AFTER_SECONDS + 5 * housekeeping.INTERVAL_SECONDS <= 30
