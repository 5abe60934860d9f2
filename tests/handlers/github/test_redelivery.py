import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.store.deliveries import Deliveries
from handlers.github.redelivery import LONGEST_OUTAGE, OVERLAP, Redelivery
from tests.handlers.github.world import EDGES, World

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Missed:
    id: int
    guid: str


@dataclass
class Source:
    missed: list[Missed] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    since: list[datetime] = field(default_factory=list)
    fails_for: int = 0

    async def failed_deliveries(self, since: datetime) -> Sequence[Missed]:
        self.since.append(since)
        return self.missed

    async def redeliver(self, delivery: int) -> None:
        if delivery == self.fails_for:
            raise StoppedError(Code.GITHUB_UNREACHABLE, "502")
        self.asked.append(delivery)


def looking(source: Source, deliveries: Deliveries) -> Redelivery:
    return Redelivery(source, deliveries, now=lambda: NOW)


async def test_each_missed_delivery_is_asked_for_once_in_a_round(deliveries: Deliveries) -> None:
    source = Source([Missed(1, "a"), Missed(2, "b"), Missed(3, "a")])
    assert await looking(source, deliveries).look() == 2
    assert sorted(source.asked) == [2, 3]


async def test_what_is_here_already_is_not_asked_for(deliveries: Deliveries) -> None:
    await deliveries.take("a", "push", "acme/edges", "{}")
    source = Source([Missed(1, "a")])
    assert await looking(source, deliveries).look() == 0


async def test_the_first_look_goes_back_as_far_as_github_does(deliveries: Deliveries) -> None:
    source = Source()
    redelivery = looking(source, deliveries)
    await redelivery.look()
    await redelivery.look()
    assert source.since == [NOW - LONGEST_OUTAGE, NOW - OVERLAP]


async def test_one_that_cannot_be_asked_for_does_not_stop_the_others(
    deliveries: Deliveries,
) -> None:
    source = Source([Missed(1, "a"), Missed(2, "b")], fails_for=1)
    redelivery = looking(source, deliveries)
    with pytest.raises(StoppedError):
        await redelivery.look()
    assert source.asked == [2]


async def test_after_a_failure_the_next_look_begins_where_that_one_did(
    deliveries: Deliveries,
) -> None:
    source = Source([Missed(1, "a")], fails_for=1)
    redelivery = looking(source, deliveries)
    with pytest.raises(StoppedError):
        await redelivery.look()
    source.fails_for = 0
    await redelivery.look()
    assert source.since == [NOW - LONGEST_OUTAGE] * 2


async def test_it_looks_again_and_again_also_after_a_failure(deliveries: Deliveries) -> None:
    source = Source([Missed(1, "a")], fails_for=1)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise asyncio.CancelledError

    redelivery = Redelivery(source, deliveries, now=lambda: NOW, sleep=sleep)
    with pytest.raises(asyncio.CancelledError):
        await redelivery.run()
    assert len(source.since) == 3


async def test_an_outage_of_the_bot_loses_nothing(world: World) -> None:
    world.declare("  staging: {on: {push: [main]}}\n")
    address, world.github.webhooks.url = world.github.webhooks.url, "http://127.0.0.1:1/gone"
    sha = await world.github.push(EDGES, {"a": "1"})
    world.github.send_webhooks_to(address)
    began = datetime.fromtimestamp(world.github.world.clock.now(), UTC)
    redelivery = Redelivery(world.client, world.deliveries, now=lambda: began)
    assert await redelivery.look() == 1
    guid = world.github.webhooks.all[-1].guid
    async with asyncio.timeout(30):
        while await world.deliveries.state(guid) is None:  # noqa: ASYNC110 - SQLite tells nobody
            await asyncio.sleep(0.01)
    await world.settled()
    assert (await world.only()).request.commit.sha == sha
    assert await redelivery.look() == 0
