import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.store.deliveries import Deliveries, Delivery, Surface
from handlers import greetings
from handlers.greetings import Greetings

COMMENT = "issue_comment"


class Greeter:
    """Greets, as far as it is let."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.fails: Exception | None = None
        self.met = asyncio.Condition()

    async def greet(self, delivery: Delivery) -> bool:
        async with self.met:
            self.begun.append(delivery.id)
            self.met.notify_all()
        await self.goes_on.wait()
        if self.fails is not None:
            raise self.fails
        return True

    async def expect(self, *identities: str) -> None:
        async with asyncio.timeout(30), self.met:
            await self.met.wait_for(lambda: {*identities} <= {*self.begun})


@pytest.fixture
def greeter(monkeypatch: pytest.MonkeyPatch) -> Greeter:
    monkeypatch.setattr(greetings, "PATIENCE_SECONDS", 0.0)
    return Greeter()


@pytest.fixture
async def opened(deliveries: Deliveries, greeter: Greeter) -> AsyncIterator[Greetings]:
    made = Greetings(deliveries, Surface.GITHUB, {COMMENT: greeter.greet})
    yield made
    await made.stop()


async def take(deliveries: Deliveries, *identities: str, event: str = COMMENT) -> None:
    for each in identities:
        await deliveries.take(each, event, "acme/edges", "{}")


async def test_what_waits_is_greeted_once(
    deliveries: Deliveries, opened: Greetings, greeter: Greeter
) -> None:
    await take(deliveries, "a", "b")
    await opened.look(having_turn=())
    await opened.look(having_turn=())
    await greeter.expect("a", "b")
    assert [await opened.take_turn(each) for each in "ab"] == [True, True]
    assert sorted(greeter.begun) == ["a", "b"]


async def test_whose_turn_it_is_is_not_greeted(
    deliveries: Deliveries, opened: Greetings, greeter: Greeter
) -> None:
    await take(deliveries, "a", "b")
    await opened.look(having_turn={"a"})
    await greeter.expect("b")
    assert await opened.take_turn("a") is False
    assert greeter.begun == ["b"]


async def test_who_has_their_turn_soon_is_not_greeted(
    deliveries: Deliveries,
    opened: Greetings,
    greeter: Greeter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(greetings, "PATIENCE_SECONDS", 3600.0)
    await take(deliveries, "a")
    await opened.look(having_turn=())
    assert await opened.take_turn("a") is False
    assert greeter.begun == []


async def test_a_turn_waits_for_a_greeting_that_is_under_way(
    deliveries: Deliveries, opened: Greetings, greeter: Greeter
) -> None:
    greeter.goes_on.clear()
    await take(deliveries, "a")
    await opened.look(having_turn=())
    await greeter.expect("a")
    turn = asyncio.create_task(opened.take_turn("a"))
    await asyncio.sleep(0)
    assert not turn.done()
    greeter.goes_on.set()
    assert await turn is True


async def test_a_turn_does_not_wait_long_for_it(
    deliveries: Deliveries,
    opened: Greetings,
    greeter: Greeter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(greetings, "LONGEST_SECONDS", 0.01)
    greeter.goes_on.clear()
    await take(deliveries, "a")
    await opened.look(having_turn=())
    await greeter.expect("a")
    assert await opened.take_turn("a") is False


@pytest.mark.parametrize(
    "error", [StoppedError(Code.GITHUB_UNREACHABLE, "502"), ValueError("ours")], ids=str
)
async def test_who_could_not_be_greeted_is_told_so_at_their_turn(
    deliveries: Deliveries, opened: Greetings, greeter: Greeter, error: Exception
) -> None:
    greeter.fails = error
    await take(deliveries, "a")
    await opened.look(having_turn=())
    await greeter.expect("a")
    assert await opened.take_turn("a") is False


async def test_other_events_and_what_was_tried_before_are_not_greeted(
    deliveries: Deliveries, opened: Greetings, greeter: Greeter
) -> None:
    await take(deliveries, "pushed", event="push")
    await take(deliveries, "tried", "a")
    await deliveries.begin("tried")
    await deliveries.put_off("tried", 1.0, "502")
    await opened.look(having_turn=())
    await greeter.expect("a")
    assert greeter.begun == ["a"]


async def test_few_are_greeted_at_once(
    deliveries: Deliveries, opened: Greetings, greeter: Greeter
) -> None:
    greeter.goes_on.clear()
    identities = [f"a{number}" for number in range(greetings.AT_ONCE + 2)]
    await take(deliveries, *identities)
    await opened.look(having_turn=())
    await greeter.expect(*identities[: greetings.AT_ONCE])
    await asyncio.sleep(0)
    assert sorted(greeter.begun) == identities[: greetings.AT_ONCE]
    greeter.goes_on.set()
    await greeter.expect(*identities)


async def test_of_a_long_burst_as_many_wait_for_it_as_there_is_room_for(
    deliveries: Deliveries,
    opened: Greetings,
    greeter: Greeter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(greetings, "MOST", 2)
    await take(deliveries, "a", "b", "c")
    await opened.look(having_turn=())
    await greeter.expect("a", "b")
    await opened.look(having_turn=())
    assert await opened.take_turn("a") is True
    await opened.look(having_turn=())
    await greeter.expect("c")


async def test_a_stop_ends_what_is_under_way(
    deliveries: Deliveries, opened: Greetings, greeter: Greeter
) -> None:
    greeter.goes_on.clear()
    await take(deliveries, "a", "b")
    await opened.look(having_turn=())
    await greeter.expect("a", "b")
    await opened.stop()
    assert [await opened.take_turn(each) for each in "ab"] == [False, False]
