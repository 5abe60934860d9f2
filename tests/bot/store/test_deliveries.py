import asyncio
import json
from pathlib import Path

import pytest

from bot.store.database import Database
from bot.store.deliveries import KEPT_SECONDS, Deliveries, DeliveryState, Surface, Taken


@pytest.fixture
def deliveries(database: Database) -> Deliveries:
    return Deliveries(database)


async def take(deliveries: Deliveries, identity: str, repository: str = "acme/edges") -> Taken:
    return await deliveries.take(identity, "push", repository, f'{{"id": "{identity}"}}')


async def waiting(deliveries: Deliveries) -> list[str]:
    return [each.id for each in await deliveries.waiting()]


async def test_a_delivery_waits_once_it_is_taken(deliveries: Deliveries) -> None:
    assert await take(deliveries, "a") is Taken.NEW
    assert await waiting(deliveries) == ["a"]


async def test_the_payload_comes_back_as_it_was(deliveries: Deliveries) -> None:
    await deliveries.take("a", "push", "acme/edges", '{"title":"é ✓"}')
    delivery = await deliveries.begin("a")
    assert delivery is not None
    assert (delivery.event, delivery.payload) == ("push", '{"title":"é ✓"}')


async def test_an_id_is_taken_once_while_it_waits(deliveries: Deliveries) -> None:
    await take(deliveries, "a")
    assert await take(deliveries, "a") is Taken.KNOWN
    assert await deliveries.count_waiting() == 1


async def test_an_id_is_taken_once_when_it_is_done(deliveries: Deliveries) -> None:
    await take(deliveries, "a")
    await deliveries.done("a", "deployed")
    assert await take(deliveries, "a") is Taken.KNOWN
    assert await waiting(deliveries) == []


async def test_many_that_bring_the_same_id_at_once_bring_it_once(deliveries: Deliveries) -> None:
    taken = await asyncio.gather(*(take(deliveries, "a") for _ in range(10)))
    assert sorted(taken) == [Taken.KNOWN] * 9 + [Taken.NEW]


async def test_what_failed_is_taken_again_at_its_first_time_and_as_a_repeat(
    deliveries: Deliveries,
) -> None:
    await take(deliveries, "a")
    first = await deliveries.begin("a")
    await deliveries.failed("a", "github_refused")
    assert await take(deliveries, "a") is Taken.NEW
    again = await deliveries.begin("a")
    assert first is not None
    assert again is not None
    assert (again.received_at, again.attempts) == (first.received_at, 2)


async def test_what_failed_keeps_its_answers(deliveries: Deliveries) -> None:
    await take(deliveries, "a")
    await deliveries.keep_answer("a", "0", "it is cancelled")
    await deliveries.failed("a", "github_refused")
    await take(deliveries, "a")
    assert await deliveries.kept_answer("a", "0") == "it is cancelled"


BODY = "5" * 64


async def take_body(deliveries: Deliveries, identity: str) -> Taken:
    return await deliveries.take(identity, "push", "acme/edges", "{}", digest=BODY)


async def test_a_body_is_taken_once_under_whichever_id(deliveries: Deliveries) -> None:
    assert await take_body(deliveries, "a") is Taken.NEW
    assert await take_body(deliveries, "b") is Taken.KNOWN
    await deliveries.done("a", "deployed")
    assert await take_body(deliveries, "b") is Taken.KNOWN
    assert await take_body(deliveries, "a") is Taken.KNOWN
    assert await deliveries.count_waiting() == 0


async def test_many_that_bring_the_same_body_at_once_bring_it_once(deliveries: Deliveries) -> None:
    taken = await asyncio.gather(*(take_body(deliveries, each) for each in "abcdefghij"))
    assert sorted(taken) == [Taken.KNOWN] * 9 + [Taken.NEW]


async def test_a_body_that_failed_is_taken_again_as_what_it_was(deliveries: Deliveries) -> None:
    await take_body(deliveries, "a")
    await deliveries.begin("a")
    await deliveries.failed("a", "github_refused")
    assert await take_body(deliveries, "b") is Taken.NEW
    assert await waiting(deliveries) == ["a"]
    again = await deliveries.begin("a")
    assert again is not None
    assert again.attempts == 2


async def test_a_body_that_came_to_nothing_is_taken_again(deliveries: Deliveries) -> None:
    await take_body(deliveries, "a")
    await deliveries.forget_body("a")
    assert await take_body(deliveries, "b") is Taken.NEW
    await deliveries.done("a", "refused")
    assert await take_body(deliveries, "a") is Taken.KNOWN
    assert await waiting(deliveries) == ["b"]


async def test_an_id_that_failed_brings_no_other_body(deliveries: Deliveries) -> None:
    await take_body(deliveries, "a")
    await deliveries.failed("a", "github_refused")
    taken = await deliveries.take("a", "push", "acme/edges", "{}", digest="6" * 64)
    assert taken is Taken.KNOWN
    assert await deliveries.count_waiting() == 0


async def test_an_id_of_before_that_failed_brings_no_body_that_came_under_another(
    deliveries: Deliveries,
) -> None:
    await take_body(deliveries, "a")
    await take(deliveries, "b")
    await deliveries.failed("b", "github_refused")
    assert await take_body(deliveries, "b") is Taken.KNOWN
    assert await waiting(deliveries) == ["a"]


async def test_what_failed_is_taken_again_once_by_many_at_once(deliveries: Deliveries) -> None:
    await take_body(deliveries, "a")
    await deliveries.failed("a", "github_refused")
    taken = await asyncio.gather(*(take_body(deliveries, each) for each in "abcdefghij"))
    assert sorted(taken) == [Taken.KNOWN] * 9 + [Taken.NEW]


async def test_what_has_no_digest_is_known_by_its_id_alone(deliveries: Deliveries) -> None:
    assert [await take(deliveries, each) for each in "ab"] == [Taken.NEW, Taken.NEW]


async def test_too_many_are_not_stored(database: Database) -> None:
    deliveries = Deliveries(database, most_waiting=2)
    assert [await take(deliveries, each) for each in "abc"] == [Taken.NEW, Taken.NEW, Taken.FULL]
    await deliveries.done("a", "")
    assert await take(deliveries, "c") is Taken.NEW


async def test_the_oldest_of_each_repository_is_next(deliveries: Deliveries) -> None:
    for identity, repository in [("a", "acme/edges"), ("b", "Acme/Edges"), ("c", "acme/faces")]:
        await take(deliveries, identity, repository)
    assert await waiting(deliveries) == ["a", "c"]
    await deliveries.done("a", "")
    assert await waiting(deliveries) == ["b", "c"]


async def test_what_is_put_off_still_holds_its_place(deliveries: Deliveries) -> None:
    await take(deliveries, "a")
    await take(deliveries, "b")
    await deliveries.put_off("a", 4_000_000_000.0, "github_unreachable")
    assert [(each.id, each.retry_at) for each in await deliveries.waiting()] == [
        ("a", 4_000_000_000.0)
    ]


async def test_attempts_are_counted(deliveries: Deliveries) -> None:
    await take(deliveries, "a")
    begun = [await deliveries.begin("a") for _ in range(2)]
    assert [each and each.attempts for each in begun] == [1, 2]


async def test_what_is_done_is_not_begun(deliveries: Deliveries) -> None:
    await take(deliveries, "a")
    await deliveries.done("a", "deployed")
    assert await deliveries.begin("a") is None
    assert await deliveries.state("a") == (DeliveryState.DONE, "deployed")


async def test_what_ended_weeks_ago_is_forgotten(deliveries: Deliveries) -> None:
    for identity in "ab":
        await take(deliveries, identity)
    await deliveries.done("a", "")
    delivery = await deliveries.begin("b")
    assert delivery is not None
    await deliveries.forget_old(delivery.received_at + KEPT_SECONDS + 1)
    assert await deliveries.state("a") is None
    assert await waiting(deliveries) == ["b"]


async def test_a_delivery_outlives_the_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/lasting.db"
    first = await Database.open(url)
    await take(Deliveries(first), "a")
    await first.close()
    second = await Database.open(url)
    assert await waiting(Deliveries(second)) == ["a"]
    await second.close()


async def test_each_surface_has_its_own_that_wait(database: Database) -> None:
    deliveries = Deliveries(database)
    await deliveries.take("1", "push", "acme/edges", "{}")
    await deliveries.take("2", "slack/command", "T1/U1", "{}")
    assert [each.id for each in await deliveries.waiting()] == ["1"]
    assert [each.id for each in await deliveries.waiting(Surface.SLACK)] == ["2"]


async def test_repositories_are_known_by_what_they_told_the_latest_first(
    deliveries: Deliveries,
) -> None:
    for number, name in enumerate(["acme/a", "acme/B", "acme/c", "acme/A"]):
        await deliveries.take(f"g{number}", "push", name, "{}")
    await deliveries.take("s1", "slack/command", "U1", "{}")
    await deliveries.take("p1", "ping", "", "{}")
    assert await deliveries.repositories(2) == ["acme/a", "acme/c"]
    assert await deliveries.repositories(9) == ["acme/a", "acme/c", "acme/b"]


async def test_what_was_not_begun_is_listed_by_event_from_where_the_last_list_ended(
    deliveries: Deliveries,
) -> None:
    for identity, event in {"a": "x", "b": "y", "c": "x", "d": "slack/x", "e": "x"}.items():
        await deliveries.take(identity, event, "acme/edges", "{}")
    await deliveries.begin("a")
    ((number, first),) = await deliveries.not_begun(Surface.GITHUB, ["x"], after=0, most=1)
    assert first == "c"
    rest = await deliveries.not_begun(Surface.GITHUB, ["x"], after=number, most=9)
    assert [identity for _, identity in rest] == ["e"]


async def test_what_waits_is_found_without_being_begun(deliveries: Deliveries) -> None:
    await take(deliveries, "a")
    found = await deliveries.find("a")
    assert found is not None
    assert (found.event, found.payload, found.attempts) == ("push", '{"id": "a"}', 0)
    await deliveries.done("a", "deployed")
    assert await deliveries.find("a") is None


@pytest.mark.parametrize("is_aside", [False, True])
async def test_what_is_begun_anew_is_one_of_another_name_and_no_repeat(
    deliveries: Deliveries, *, is_aside: bool
) -> None:
    place = {"name": "edges", "owner": {"login": "acme"}, "clone_url": "https://h/acme/edges.git"}
    await deliveries.take("a", "push", "acme/edges", json.dumps({"repository": place}))
    await deliveries.begin("a")
    if is_aside:
        await deliveries.set_aside("a")
        await deliveries.begin("a")
    await deliveries.begin_anew("a", "acme/Corners")
    (there,) = await deliveries.waiting()
    assert there.repository == "acme/corners" + " aside" * is_aside
    again = await deliveries.begin("a")
    assert again is not None
    assert (again.attempts, again.is_aside) == (1, is_aside)
    assert json.loads(again.payload)["repository"]["clone_url"] == "https://h/acme/Corners.git"


async def test_what_is_done_is_not_begun_anew(deliveries: Deliveries) -> None:
    await take(deliveries, "a")
    await deliveries.done("a", "deployed")
    await deliveries.begin_anew("a", "acme/corners")
    assert await waiting(deliveries) == []
