import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from bot.domain.github import Permission
from bot.domain.reasons import Code, StoppedError
from bot.services.github import GitHub
from bot.store.deliveries import Deliveries
from handlers.github.hooks import KEPT_SECONDS, OurHooks
from handlers.github.redelivery import (
    FIRST_PAUSE,
    LONGEST_OUTAGE,
    LONGEST_PAUSE,
    MOST_ASKED,
    OVERLAP,
    Redelivery,
)
from tests.handlers.github.world import EDGES, World
from tests.standins.github.faults import error

HERE = "https://pachops.example/github/webhook"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Missed:
    id: int
    guid: str
    began_at: datetime | None = NOW


@dataclass
class Source:
    """The webhook of one place."""

    place: str = "the App"
    missed: list[Missed] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    since: list[datetime] = field(default_factory=list)
    fails_for: int = 0
    refuses: set[int] = field(default_factory=set)
    knows_us: bool = True
    tried: int = 0

    async def failed_deliveries(self, since: datetime) -> Sequence[Missed]:
        self.since.append(since)
        return self.missed

    async def redeliver(self, delivery: int) -> None:
        if delivery == self.fails_for:
            raise StoppedError(Code.GITHUB_UNREACHABLE, "502")
        if not self.knows_us:
            self.tried += 1
            raise StoppedError(Code.GITHUB_LOGIN_REFUSED, "401")
        if delivery in self.refuses:
            self.tried += 1
            raise StoppedError(Code.GITHUB_REFUSED, "422")
        self.asked.append(delivery)


@dataclass
class Watch:
    """A clock that is put forward by hand."""

    time: datetime = NOW

    def now(self) -> datetime:
        return self.time

    def put_forward(self, by: timedelta) -> None:
        self.time += by


@dataclass
class Failing(Source):
    """A webhook of which one delivery fails each time: each attempt is listed as one of its own."""

    watch: Watch = field(default_factory=Watch)
    last: datetime = NOW

    async def failed_deliveries(self, since: datetime) -> Sequence[Missed]:
        return [Missed(len(self.asked), "a")] if self.last >= since else []

    async def redeliver(self, delivery: int) -> None:
        self.last = self.watch.now()
        self.asked.append(delivery)


def all_of(*sources: Source) -> Callable[[], Awaitable[Sequence[Source]]]:
    async def hooks() -> Sequence[Source]:
        return sources

    return hooks


def looking(source: Source, deliveries: Deliveries) -> Redelivery:
    return Redelivery(all_of(source), deliveries, now=lambda: NOW)


async def test_each_missed_delivery_is_asked_for_once_in_a_round(deliveries: Deliveries) -> None:
    source = Source(missed=[Missed(1, "a"), Missed(2, "b"), Missed(3, "a")])
    assert await looking(source, deliveries).look() == 2
    assert sorted(source.asked) == [2, 3]


async def test_when_each_was_sent_is_known_before_it_comes(deliveries: Deliveries) -> None:
    source = Source(missed=[Missed(1, "a", NOW - timedelta(hours=2))])
    await looking(source, deliveries).look()
    assert await deliveries.sent_at("a") == (NOW - timedelta(hours=2)).timestamp()


async def test_after_a_long_outage_a_look_asks_for_some_and_the_next_for_the_others(
    deliveries: Deliveries,
) -> None:
    many = [Missed(number, str(number)) for number in range(1, MOST_ASKED + 2)]
    source = Source(missed=many)
    redelivery = looking(source, deliveries)
    assert await redelivery.look() == MOST_ASKED
    assert source.asked == list(range(1, MOST_ASKED + 1))
    assert await redelivery.look() == 1
    assert source.asked[MOST_ASKED:] == [MOST_ASKED + 1]
    assert source.since[1] == source.since[0]


async def test_what_is_here_already_is_not_asked_for(deliveries: Deliveries) -> None:
    await deliveries.take("a", "push", "acme/edges", "{}")
    source = Source(missed=[Missed(1, "a")])
    assert await looking(source, deliveries).look() == 0


async def test_the_first_look_goes_back_as_far_as_github_does(deliveries: Deliveries) -> None:
    source = Source()
    redelivery = looking(source, deliveries)
    await redelivery.look()
    await redelivery.look()
    assert source.since == [NOW - LONGEST_OUTAGE, NOW - OVERLAP]


async def test_no_look_goes_back_further_than_that(deliveries: Deliveries) -> None:
    watch, found = Watch(), [Source("acme/known"), Source("acme/late")]
    known, late = found

    async def hooks() -> Sequence[Source]:
        return found

    redelivery = Redelivery(hooks, deliveries, now=watch.now)
    found.remove(late)
    await redelivery.look()
    # It leaves those that told us something last, and another is seen for the first time.
    found[:] = [late]
    watch.put_forward(timedelta(days=20))
    await redelivery.look()
    found[:] = [known]
    await redelivery.look()
    assert late.since == [watch.now() - LONGEST_OUTAGE]
    assert known.since == [NOW - LONGEST_OUTAGE, watch.now() - LONGEST_OUTAGE]


async def test_what_began_before_that_is_not_asked_for_however_lately_it_was(
    deliveries: Deliveries,
) -> None:
    source = Source(missed=[Missed(1, "a", began_at=None)])
    assert await looking(source, deliveries).look() == 0
    assert source.asked == []


async def test_what_github_refuses_to_deliver_again_holds_up_nothing(
    deliveries: Deliveries, caplog: pytest.LogCaptureFixture
) -> None:
    source = Source(
        missed=[Missed(number, f"{number}") for number in (1, 2, 3, 4)], refuses={1, 2, 3}
    )
    redelivery = looking(source, deliveries)
    assert await redelivery.look() == 1
    await redelivery.look()
    assert source.asked == [4]
    assert source.since == [NOW - LONGEST_OUTAGE, NOW - OVERLAP]
    (told,) = [each.message for each in caplog.records if each.levelname == "WARNING"]
    assert "not delivered again: github_refused: 422" in told


async def test_what_keeps_failing_is_asked_for_less_and_less_often_and_not_for_ever(
    deliveries: Deliveries,
) -> None:
    watch = Watch()
    source = Failing(watch=watch)
    redelivery = Redelivery(all_of(source), deliveries, now=watch.now)
    asked_after: list[timedelta] = []
    while watch.now() < NOW + 2 * LONGEST_OUTAGE:
        asked = len(source.asked)
        await redelivery.look()
        if len(source.asked) > asked:
            asked_after.append(watch.now() - NOW)
        watch.put_forward(FIRST_PAUSE)
    pauses = [after - before for before, after in itertools.pairwise(asked_after)]
    assert pauses[:4] == [timedelta(minutes=each) for each in (3, 6, 12, 15)]
    assert set(pauses[4:]) == {LONGEST_PAUSE}
    assert LONGEST_OUTAGE - LONGEST_PAUSE <= asked_after[-1] <= LONGEST_OUTAGE


async def test_a_login_that_is_not_taken_ends_the_look(deliveries: Deliveries) -> None:
    source = Source("acme/one", [Missed(1, "a"), Missed(2, "b")], knows_us=False)
    other = Source("acme/two", [Missed(3, "c")])
    redelivery = Redelivery(all_of(source, other), deliveries, now=lambda: NOW)
    for _ in range(2):
        with pytest.raises(StoppedError):
            await redelivery.look()
    assert source.tried == 2
    assert source.since == [NOW - LONGEST_OUTAGE] * 2
    assert not other.since


async def test_one_that_cannot_be_asked_for_does_not_stop_the_others(
    deliveries: Deliveries,
) -> None:
    source = Source(missed=[Missed(1, "a"), Missed(2, "b")], fails_for=1)
    redelivery = looking(source, deliveries)
    with pytest.raises(StoppedError):
        await redelivery.look()
    assert source.asked == [2]


async def test_after_a_failure_the_next_look_begins_where_that_one_did(
    deliveries: Deliveries,
) -> None:
    source = Source(missed=[Missed(1, "a")], fails_for=1)
    redelivery = looking(source, deliveries)
    with pytest.raises(StoppedError):
        await redelivery.look()
    source.fails_for = 0
    await redelivery.look()
    assert source.since == [NOW - LONGEST_OUTAGE] * 2


async def test_it_looks_again_and_again_also_after_a_failure_and_says_it_once(
    deliveries: Deliveries, caplog: pytest.LogCaptureFixture
) -> None:
    source = Source(missed=[Missed(1, "a")], fails_for=1)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise asyncio.CancelledError

    redelivery = Redelivery(all_of(source), deliveries, now=lambda: NOW, sleep=sleep)
    with pytest.raises(asyncio.CancelledError):
        await redelivery.run()
    assert len(source.since) == 3
    told = [each.message for each in caplog.records if each.levelname == "WARNING"]
    assert told == ["missed webhooks could not be asked for: github_unreachable: 502"]


async def test_what_is_old_is_forgotten_also_where_looks_fail(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.deliveries.KEPT_SECONDS", -1.0)
    await deliveries.take("old", "push", EDGES, "{}")
    await deliveries.done("old", "done")

    async def hooks() -> Sequence[Source]:
        raise StoppedError(Code.GITHUB_UNREACHABLE, "502")

    async def sleep(_seconds: float) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await Redelivery(hooks, deliveries, sleep=sleep).run()
    assert await deliveries.state("old") is None


async def test_a_place_that_fails_does_not_stop_the_others(deliveries: Deliveries) -> None:
    bad = Source("acme/bad", [Missed(1, "a")], fails_for=1)
    good = Source("acme/good", [Missed(2, "b")])
    redelivery = Redelivery(all_of(bad, good), deliveries, now=lambda: NOW)
    with pytest.raises(StoppedError):
        await redelivery.look()
    bad.fails_for = 0
    await redelivery.look()
    assert bad.since == [NOW - LONGEST_OUTAGE] * 2
    assert good.since == [NOW - LONGEST_OUTAGE, NOW - OVERLAP]
    assert (bad.asked, good.asked) == ([1], [2])


async def test_a_place_that_is_found_later_is_looked_at_as_far_back(deliveries: Deliveries) -> None:
    first, second = Source("acme/first"), Source("acme/second")
    found = [first]

    async def hooks() -> Sequence[Source]:
        return found

    redelivery = Redelivery(hooks, deliveries, now=lambda: NOW)
    await redelivery.look()
    found.append(second)
    await redelivery.look()
    assert second.since == [NOW - LONGEST_OUTAGE]


async def _misses_a_push(world: World) -> str:
    address, world.github.webhooks.url = world.github.webhooks.url, "http://127.0.0.1:1/gone"
    sha = await world.github.push(EDGES, {"a": "1"})
    world.github.send_webhooks_to(address)
    return sha


async def _gets_it_after_all(world: World, hooks: OurHooks, sha: str) -> None:
    began = datetime.fromtimestamp(world.github.world.clock.now(), UTC)
    redelivery = Redelivery(hooks, world.deliveries, now=lambda: began)
    assert await redelivery.look() == 1
    guid = world.github.webhooks.all[-1].guid
    async with asyncio.timeout(30):
        while await world.deliveries.state(guid) is None:  # noqa: ASYNC110 - SQLite tells nobody
            await asyncio.sleep(0.01)
    await world.settled()
    assert (await world.asked())[-1].request.commit.sha == sha
    assert await redelivery.look() == 0


async def test_an_outage_of_the_bot_loses_nothing(world: World) -> None:
    world.declare("  staging: {on: {push: [main]}}\n")
    sha = await _misses_a_push(world)
    await _gets_it_after_all(world, OurHooks(world.client, world.deliveries, None), sha)


@pytest.fixture
async def by_token(world: World) -> AsyncIterator[GitHub]:
    token = SecretStr(world.github.personal_token("ada"))
    client = GitHub.with_token(token, base_url=world.github.api_url)
    yield client
    await client.close()


async def test_an_outage_loses_nothing_with_a_token_and_a_webhook_either(
    world: World, by_token: GitHub
) -> None:
    world.declare("  staging: {on: {push: [main]}}\n")
    world.github.allow("ada", EDGES, Permission.ADMIN)
    world.github.hook(EDGES, HERE)
    # Of a repository that never told us anything we do not know.
    await world.github.push(EDGES, {"a": "0"})
    await world.settled()
    sha = await _misses_a_push(world)
    await _gets_it_after_all(world, OurHooks(by_token, world.deliveries, HERE), sha)


async def test_a_webhook_that_may_not_be_seen_is_told_of_once(
    world: World, by_token: GitHub, caplog: pytest.LogCaptureFixture
) -> None:
    world.declare("  staging: {on: {push: [main]}}\n")
    world.github.hook(EDGES, HERE)
    await world.github.push(EDGES, {"a": "0"})
    await world.settled()
    hooks = OurHooks(by_token, world.deliveries, HERE)
    for _ in range(3):
        assert await Redelivery(hooks, world.deliveries).look() == 0
    (told,) = [each.message for each in caplog.records if "not asked for again" in each.message]
    assert told.startswith(f"what {EDGES} sends")
    assert "webhooks: read and write" in told


@pytest.mark.parametrize("status", [410, 502], ids=["refused", "not for the moment"])
async def test_a_repository_whose_webhooks_cannot_be_listed_does_not_hide_the_others(
    world: World, by_token: GitHub, status: int
) -> None:
    for name in ("acme/edges", "acme/other"):
        world.github.repository(name, {"a": "1"})
        world.github.allow("ada", name, Permission.ADMIN)
        world.github.hook(name, HERE)
        await world.github.push(name, {"a": "2"})
    await world.settled()
    world.github.fail("GET", "/repos/acme/other/hooks", error(status), times=9)
    found = await OurHooks(by_token, world.deliveries, HERE)()
    assert [each.place for each in found] == ["acme/edges"]


async def test_a_webhook_that_is_known_is_not_looked_for_before_an_hour_is_over(
    world: World, by_token: GitHub
) -> None:
    world.declare("  staging: {}\n")
    world.github.allow("ada", EDGES, Permission.ADMIN)
    world.github.hook(EDGES, HERE)
    await world.github.push(EDGES, {"a": "0"})
    await world.settled()
    time = 0.0
    hooks = OurHooks(by_token, world.deliveries, HERE, now=lambda: time)
    for _ in range(3):
        assert len(await hooks()) == 1
    assert world.github.called("GET", "/hooks") == 1
    time = KEPT_SECONDS
    await hooks()
    assert world.github.called("GET", "/hooks") == 2


async def test_an_expired_token_is_refused_once_and_told_of_once(
    world: World, by_token: GitHub, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("acme/edges", "acme/other"):
        world.github.repository(name, {"a": "1"})
        await world.github.push(name, {"a": "2"})
    await world.settled()
    world.github.fail("GET", "/repos/acme/*", error(401, "Bad credentials"), times=9)
    slept = 0

    async def sleep(_seconds: float) -> None:
        nonlocal slept
        slept += 1
        if slept == 3:
            raise asyncio.CancelledError

    hooks = OurHooks(by_token, world.deliveries, HERE)
    with pytest.raises(asyncio.CancelledError):
        await Redelivery(hooks, world.deliveries, sleep=sleep).run()
    assert world.github.called("GET", "/hooks") == 3
    (told,) = [each.message for each in caplog.records if "could not be asked for" in each.message]
    assert "Bad credentials" in told
