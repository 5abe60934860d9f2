"""No limit of Slack's is broken, and none is kept longer than it must be."""

import asyncio

import pytest

from bot.services.slack.limits import POST, UPDATE, Limiter
from tests.standins.slack.limits import TIERS, Limits
from tests.standins.slack.time import Time


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def limiter(time: Time) -> Limiter:
    return Limiter(time.clock)


@pytest.mark.parametrize(
    ("method", "tier"),
    [(UPDATE, 3), ("users.info", 4), ("usergroups.list", 2), ("apps.connections.open", 1)],
)
async def test_tiers_are_kept_in_any_minute(
    limiter: Limiter, time: Time, method: str, tier: int
) -> None:
    slacks = Limits()
    slacks.strict = True
    for _ in range(4 * TIERS[tier]):
        assert not await limiter.wait(method, "", 1000)
        assert slacks.check(method, tier, "", time.now()) is None


async def test_a_message_a_second_in_each_channel(limiter: Limiter, time: Time) -> None:
    slacks = Limits()
    slacks.strict = True
    began = time.now()
    for number in range(60):
        channel = f"C{number % 3}"
        await limiter.wait(POST, channel, 1000)
        assert slacks.check(POST, 4, channel, time.now()) is None
    assert time.now() - began < 60


async def test_limit_of_a_channel_does_not_hold_up_another(limiter: Limiter) -> None:
    limiter.pause(POST, "C1", 30)
    assert not limiter.take(POST, "C1")
    assert limiter.take(POST, "C2")
    assert limiter.take(UPDATE, "")


async def test_who_waits_comes_before_who_only_looks(limiter: Limiter, time: Time) -> None:
    assert limiter.take(POST, "C1")
    asleep, wake = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        asleep.set()
        await wake.wait()
        time.passes(seconds)

    object.__setattr__(limiter._clock, "sleep", sleep)
    waiting = asyncio.create_task(limiter.wait(POST, "C1", 10))
    await asleep.wait()
    time.passes(5)
    assert not limiter.take(POST, "C1")
    wake.set()
    assert await waiting == 0
    assert not limiter.take(POST, "C1")


async def test_nobody_waits_longer_than_his_patience(limiter: Limiter, time: Time) -> None:
    limiter.pause(UPDATE, "", 90)
    assert await limiter.wait(UPDATE, "", 60) == pytest.approx(90)
    assert time.slept == []
