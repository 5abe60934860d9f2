import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.store.deliveries import Deliveries, Delivery, DeliveryState, Surface, Waiting
from handlers.inbox import AT_ONCE, LAG_ATTEMPTS, OF_ONE_ACCOUNT, Handle, Inbox, IsAway

PATIENCE = 30.0
EDGES, FACES = "acme/edges", "acme/faces"
PASSING = StoppedError(Code.GITHUB_UNREACHABLE, "502")
FINAL = StoppedError(Code.GITHUB_REFUSED, "403")


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


@asynccontextmanager
async def working(
    deliveries: Deliveries,
    handle: Handle,
    *,
    surface: Surface = Surface.GITHUB,
    is_away: IsAway | None = None,
    pauses: tuple[float, ...] = (0.0, 0.0),
) -> AsyncIterator[Inbox]:
    inbox = Inbox(deliveries, handle, surface=surface, is_away=is_away, pauses=pauses)
    task = asyncio.create_task(inbox.run())
    try:
        yield inbox
    finally:
        task.cancel()
        await asyncio.wait({task})


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_so():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)


async def settled(deliveries: Deliveries) -> None:
    async with asyncio.timeout(PATIENCE):
        while await deliveries.count_waiting():  # noqa: ASYNC110 - SQLite tells nobody
            await asyncio.sleep(0.005)


async def take(deliveries: Deliveries, *identities: str, repository: str = EDGES) -> None:
    for each in identities:
        await deliveries.take(each, "push", repository, "{}")


async def test_deliveries_of_a_repository_go_one_at_a_time_in_order(deliveries: Deliveries) -> None:
    await take(deliveries, *"abcd")
    handled: list[str] = []
    under_way = 0

    async def handle(delivery: Delivery) -> str:
        nonlocal under_way
        under_way += 1
        assert under_way == 1
        await asyncio.sleep(0)
        handled.append(delivery.id)
        under_way -= 1
        return "done"

    async with working(deliveries, handle):
        await settled(deliveries)
    assert handled == [*"abcd"]


async def test_several_repositories_go_at_once(deliveries: Deliveries) -> None:
    await take(deliveries, "a")
    await take(deliveries, "b", repository=FACES)
    both = asyncio.Barrier(2)

    async def handle(_delivery: Delivery) -> str:
        await both.wait()
        return "done"

    async with working(deliveries, handle):
        await settled(deliveries)


async def test_a_new_delivery_is_begun_when_it_is_told_of(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.inbox.LOOK_SECONDS", 3600.0)
    handled: list[str] = []

    async def handle(delivery: Delivery) -> str:
        handled.append(delivery.id)
        return "done"

    async with working(deliveries, handle) as inbox:
        await take(deliveries, "a")
        inbox.wake()
        await until(lambda: handled == ["a"])


async def test_what_fails_for_the_moment_is_tried_again_before_what_follows(
    deliveries: Deliveries,
) -> None:
    await take(deliveries, "a", "b")
    tried: list[str] = []

    async def handle(delivery: Delivery) -> str:
        tried.append(delivery.id)
        if delivery.attempts < 3:
            raise PASSING
        return "done"

    async with working(deliveries, handle):
        await settled(deliveries)
    assert tried == ["a", "a", "a", "b", "b", "b"]


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (StoppedError(Code.SLACK_UNREACHABLE, "no answer"), 3),
        (StoppedError(Code.REPOSITORY_UNREADABLE, "no answer"), 4),
        (FINAL, 1),
        (RuntimeError("a bug"), 3),
    ],
)
async def test_what_keeps_failing_is_given_up_with_its_reason(
    deliveries: Deliveries,
    error: Exception,
    attempts: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await take(deliveries, "a")
    tried = 0

    async def handle(_delivery: Delivery) -> str:
        nonlocal tried
        tried += 1
        raise error

    async with working(deliveries, handle):
        await settled(deliveries)
    assert tried == attempts
    state = await deliveries.state("a")
    assert state is not None
    assert state[0] is DeliveryState.FAILED
    assert str(error) in str(state[1])
    assert "given up" in caplog.text


async def test_while_github_is_away_nothing_is_given_up_after_minutes(
    deliveries: Deliveries,
) -> None:
    await take(deliveries, "a")

    async def handle(delivery: Delivery) -> str:
        if delivery.attempts < 10:
            raise PASSING
        return "done"

    async with working(deliveries, handle, is_away=yes):
        await settled(deliveries)
    assert await deliveries.state("a") == (DeliveryState.DONE, "done")


@pytest.mark.parametrize(("is_away", "longest"), [(no, 3600.0), (None, 3600.0), (yes, 0.0)])
async def test_what_github_answers_all_others_is_given_up_and_nothing_waits_for_ever(
    deliveries: Deliveries,
    monkeypatch: pytest.MonkeyPatch,
    is_away: IsAway | None,
    longest: float,
) -> None:
    monkeypatch.setattr("handlers.inbox.LONGEST_OUTAGE", longest)
    await take(deliveries, "a", "b")
    tried: list[tuple[str, bool]] = []

    async def handle(delivery: Delivery) -> str:
        tried.append((delivery.id, delivery.is_last))
        if delivery.id == "a":
            raise PASSING
        return "done"

    async with working(deliveries, handle, is_away=is_away):
        await settled(deliveries)
    assert tried == [("a", False)] * 3 + [("a", True), ("b", False)]
    assert await deliveries.state("a") == (DeliveryState.FAILED, str(PASSING))


@pytest.mark.parametrize("code", [Code.REPOSITORY_UNREADABLE, Code.DISK_FULL])
async def test_while_git_or_the_disk_does_not_work_it_is_tried_again_for_a_while(
    deliveries: Deliveries, code: Code, monkeypatch: pytest.MonkeyPatch
) -> None:
    await take(deliveries, "a")
    tried = 0

    async def handle(delivery: Delivery) -> str:
        nonlocal tried
        tried += 1
        if tried == 10:
            monkeypatch.setattr("handlers.inbox.LONGEST_BREAK", 0.0)
        if not delivery.is_last:
            raise StoppedError(code, "not now")
        return "refused"

    async with working(deliveries, handle, is_away=no):
        await settled(deliveries)
    assert tried == 11
    assert await deliveries.state("a") == (DeliveryState.DONE, "refused")


@pytest.mark.parametrize(
    "code",
    [Code.GITHUB_UNREACHABLE, Code.REPOSITORY_UNREADABLE, Code.DISK_FULL, Code.GIT_BEHIND],
)
async def test_before_it_is_given_up_the_failure_can_be_told(
    deliveries: Deliveries, code: Code, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.inbox.LONGEST_BREAK", 0.0)
    await take(deliveries, "a")

    async def handle(delivery: Delivery) -> str:
        if not delivery.is_last:
            raise StoppedError(code, "not now")
        return "refused"

    async with working(deliveries, handle, is_away=no):
        await settled(deliveries)
    assert await deliveries.state("a") == (DeliveryState.DONE, "refused")


async def test_git_is_waited_for_until_it_has_what_github_told_of_and_not_for_long(
    deliveries: Deliveries,
) -> None:
    await take(deliveries, "a")
    tried: list[bool] = []

    async def handle(delivery: Delivery) -> str:
        tried.append(delivery.is_last)
        if not delivery.is_last:
            raise StoppedError(Code.GIT_BEHIND, "not yet")
        return "refused"

    async with working(deliveries, handle, is_away=yes, pauses=(0.0,) * 9):
        await settled(deliveries)
    assert tried == [False] * (LAG_ATTEMPTS + 1) + [True]


async def test_a_failure_does_not_hold_up_other_repositories(deliveries: Deliveries) -> None:
    await take(deliveries, "a")
    await take(deliveries, "b", repository=FACES)
    handled: list[str] = []

    async def handle(delivery: Delivery) -> str:
        if delivery.id == "a":
            raise PASSING
        handled.append(delivery.id)
        return "done"

    async with working(deliveries, handle, pauses=(3600.0,)):
        await until(lambda: handled == ["b"])
    assert await deliveries.state("a") == (DeliveryState.PENDING, str(PASSING))


async def test_an_account_that_waits_for_its_limit_does_not_hold_up_another(
    deliveries: Deliveries,
) -> None:
    for number in range(40):
        await take(deliveries, f"waits-{number}", repository=f"acme/edges-{number}")
    await take(deliveries, "goes", repository="other/faces")
    handled: list[str] = []
    waiting: list[str] = []

    async def handle(delivery: Delivery) -> str:
        if delivery.id != "goes":
            waiting.append(delivery.id)
            await asyncio.Event().wait()
        handled.append(delivery.id)
        return "done"

    async with working(deliveries, handle):
        await until(lambda: handled == ["goes"])
        assert len(waiting) == OF_ONE_ACCOUNT


async def test_a_look_at_many_that_wait_counts_those_under_way_once(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2 * AT_ONCE):
        await take(deliveries, f"waits-{number}", repository=f"acme-{number}/edges")
    begun: list[str] = []
    looks = counted = 0
    account_of, waiting = Inbox._account, deliveries.waiting

    def account(inbox: Inbox, repository: str) -> str:
        nonlocal counted
        counted += 1
        return account_of(inbox, repository)

    async def look(surface: Surface) -> Sequence[Waiting]:
        nonlocal looks
        looks += 1
        return await waiting(surface)

    async def handle(delivery: Delivery) -> str:
        begun.append(delivery.id)
        await asyncio.Event().wait()
        return "done"

    monkeypatch.setattr(Inbox, "_account", account)
    monkeypatch.setattr(deliveries, "waiting", look)
    monkeypatch.setattr("handlers.inbox.STOP_SECONDS", 0.0)
    async with working(deliveries, handle) as inbox:
        await until(lambda: len(begun) == AT_ONCE)
        before = looks
        inbox.wake()
        await until(lambda: looks > before)
    assert counted <= looks * 4 * AT_ONCE
    assert len(begun) == AT_ONCE


async def test_a_burst_is_looked_at_together(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    waiting = deliveries.waiting

    async def look(surface: Surface) -> Sequence[Waiting]:
        nonlocal looks
        looks += 1
        return await waiting(surface)

    async def handle(_delivery: Delivery) -> str:
        return "done"

    monkeypatch.setattr(deliveries, "waiting", look)
    monkeypatch.setattr("handlers.inbox.GATHER_SECONDS", 0.5)
    async with working(deliveries, handle) as inbox:
        await until(lambda: looks == 1)
        for number in range(20):
            await take(deliveries, f"of-a-burst-{number}", repository=f"acme-{number}/edges")
            inbox.wake()
        await settled(deliveries)
    assert looks <= 10


async def test_in_slack_whoever_waits_for_github_does_not_hold_up_their_workspace(
    deliveries: Deliveries,
) -> None:
    users = [f"U{number}" for number in range(100)]
    for user in users:
        await deliveries.take(user, "slack/command", f"T1/{user}", "{}")
    everybody = asyncio.Barrier(len(users))

    async def handle(_delivery: Delivery) -> str:
        await everybody.wait()
        return "done"

    async with working(deliveries, handle, surface=Surface.SLACK):
        await settled(deliveries)


async def test_what_was_interrupted_is_handled_at_the_next_start(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.inbox.STOP_SECONDS", 0.0)
    await deliveries.take("a", "push", EDGES, json.dumps({"ref": "main"}))
    begun: list[Delivery] = []

    async def never_ends(delivery: Delivery) -> str:
        begun.append(delivery)
        await asyncio.Event().wait()
        return ""

    async def ends(delivery: Delivery) -> str:
        begun.append(delivery)
        return "done"

    async with working(deliveries, never_ends):
        await until(lambda: len(begun) == 1)
    async with working(deliveries, ends):
        await settled(deliveries)
    assert [(each.attempts, each.payload) for each in begun] == [
        (1, '{"ref": "main"}'),
        (2, '{"ref": "main"}'),
    ]


async def test_a_stop_lets_what_is_under_way_end(deliveries: Deliveries) -> None:
    await take(deliveries, "a", "b")
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def handle(_delivery: Delivery) -> str:
        begun.set()
        await may_end.wait()
        return "done"

    inbox = Inbox(deliveries, handle)
    task = asyncio.create_task(inbox.run())
    await begun.wait()
    task.cancel()
    asyncio.get_running_loop().call_soon(may_end.set)
    await asyncio.wait({task})
    assert await deliveries.state("a") == (DeliveryState.DONE, "done")
    assert await deliveries.state("b") == (DeliveryState.PENDING, None)
