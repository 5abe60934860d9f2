import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from bot.domain.deployment import Actor
from bot.domain.lock import Lock, NoticeKind, remind_at
from bot.store import schema
from bot.store.audit import Audit
from bot.store.database import Database
from bot.store.locks import Busy, Changed, Freed, Gone, Locks, Taken

ANN, BOB = Actor("ann", "github"), Actor("bob", "slack")
LOCK = Lock("1", "r", "production", ANN, "upgrading the cluster", 100.0)
THEIRS = replace(LOCK, id="2", owner=BOB, reason="a hotfix")


@pytest.fixture
def locks(database: Database) -> Locks:
    return Locks(database)


async def kinds(locks: Locks, now: float) -> list[tuple[NoticeKind, str]]:
    return [(each.kind, each.lock.id) for each in await locks.due(now)]


async def test_a_free_place_is_taken(locks: Locks) -> None:
    assert await locks.take(LOCK, 100.0) == Taken(LOCK)
    assert await locks.of("r", "production", 101.0) == (LOCK,)
    assert await locks.of("r", "staging", 101.0) == ()
    assert await locks.of("other", "production", 101.0) == ()


async def test_all_environments_are_a_place_of_their_own(locks: Locks) -> None:
    everywhere = replace(THEIRS, environment=None)
    assert await locks.take(LOCK, 100.0) == Taken(LOCK)
    assert await locks.take(everywhere, 100.0) == Taken(everywhere)
    assert set(await locks.of("r", "production", 101.0)) == {LOCK, everywhere}
    assert await locks.of("r", "staging", 101.0) == (everywhere,)


async def test_anothers_lock_is_not_taken(locks: Locks) -> None:
    await locks.take(LOCK, 100.0)
    assert await locks.take(THEIRS, 101.0) == Busy(LOCK)


async def test_the_owners_own_is_renewed(locks: Locks) -> None:
    await locks.take(LOCK, 100.0)
    again = replace(LOCK, id="3", reason="still at it", expires_at=500.0, created_at=200.0)
    expected = replace(again, id="1", created_at=100.0)
    assert await locks.take(again, 200.0) == Taken(expected, renewed=True)
    assert await locks.of("r", "production", 201.0) == (expected,)


async def test_an_account_that_is_linked_is_the_same_owner(locks: Locks) -> None:
    await locks.take(LOCK, 100.0)
    linked = replace(LOCK, id="2", owner=Actor("A. Smith", "slack", "github:ann"))
    assert isinstance(await locks.take(linked, 101.0), Taken)


async def test_one_that_has_expired_is_none(locks: Locks) -> None:
    short = replace(LOCK, expires_at=160.0)
    await locks.take(short, 100.0)
    assert await locks.of("r", "production", 159.9) == (short,)
    assert await locks.of("r", "production", 160.0) == ()
    assert await locks.take(THEIRS, 160.0) == Taken(THEIRS)


async def test_it_is_released_by_the_id_that_was_seen(locks: Locks) -> None:
    await locks.take(LOCK, 100.0)
    assert await locks.release("r", "production", "1", ANN, 101.0) == Freed(LOCK)
    assert await locks.release("r", "production", "1", ANN, 102.0) == Gone()
    assert await locks.of("r", "production", 103.0) == ()


async def test_nobody_frees_a_lock_that_changed_hands(locks: Locks) -> None:
    await locks.take(LOCK, 100.0)
    await locks.take_over("1", THEIRS, 101.0)
    assert await locks.release("r", "production", "1", ANN, 102.0) == Changed(THEIRS)
    assert await locks.of("r", "production", 103.0) == (THEIRS,)


async def test_taking_over_gives_notice_to_the_owner(locks: Locks) -> None:
    await locks.take(replace(LOCK, expires_at=10_000.0), 100.0)
    taken = await locks.take_over("1", THEIRS, 101.0)
    assert isinstance(taken, Taken)
    assert taken.over
    assert taken.over.owner == ANN
    (notice,) = await locks.due(20_000.0)
    assert (notice.kind, notice.lock.owner, notice.by) == (NoticeKind.TAKEN_OVER, ANN, BOB)


async def test_taking_over_what_changed_hands_changes_nothing(locks: Locks) -> None:
    await locks.take(LOCK, 100.0)
    await locks.take_over("1", THEIRS, 101.0)
    carl = replace(LOCK, id="3", owner=Actor("carl", "cli"))
    assert await locks.take_over("1", carl, 102.0) == Changed(THEIRS)


async def test_taking_over_what_was_freed_takes_it(locks: Locks) -> None:
    assert await locks.take_over("1", THEIRS, 102.0) == Taken(THEIRS)


async def test_who_releases_anothers_gives_notice(locks: Locks) -> None:
    await locks.take(LOCK, 100.0)
    await locks.release("r", "production", "1", BOB, 101.0)
    assert await kinds(locks, 101.0) == [(NoticeKind.RELEASED, "1")]


async def test_a_pull_request_that_is_done_releases_its_locks(locks: Locks) -> None:
    bound = replace(LOCK, pull_request=12)
    other = replace(THEIRS, environment="staging", pull_request=13)
    await locks.take(bound, 100.0)
    await locks.take(other, 100.0)
    assert await locks.release_for_pull_request("other", 12, 101.0, ANN, "by closing it") == ()
    assert await locks.release_for_pull_request("r", 12, 101.0, ANN, "by closing it") == (bound,)
    assert await locks.release_for_pull_request("r", 12, 101.0, ANN, "by closing it") == ()
    assert await locks.list("r", 102.0) == (other,)
    assert await kinds(locks, 102.0) == [(NoticeKind.PULL_REQUEST_DONE, "1")]


def test_the_owner_is_reminded_in_good_time() -> None:
    assert remind_at(LOCK, 100.0) is None
    assert remind_at(replace(LOCK, expires_at=100.0 + 7200), 100.0) == 100.0 + 7200 - 900
    assert remind_at(replace(LOCK, expires_at=100.0 + 600), 100.0) == 100.0 + 600 - 150


async def test_who_renews_for_a_short_time_is_not_reminded_at_once(locks: Locks) -> None:
    await locks.take(LOCK, 100.0)
    await locks.take(replace(LOCK, expires_at=9600.0), 9000.0)
    assert await locks.due(9449.0) == []
    assert [each.kind for each in await locks.due(9450.0)] == [NoticeKind.EXPIRES_SOON]


async def test_a_reminder_is_due_before_the_end_and_sent_once(locks: Locks) -> None:
    await locks.take(replace(LOCK, expires_at=7300.0), 100.0)
    assert await locks.due(6399.0) == []
    (notice,) = await locks.due(6400.0)
    assert notice.kind is NoticeKind.EXPIRES_SOON
    sent = await asyncio.gather(*(locks.mark_sent(notice, 6400.0) for _ in range(5)))
    assert sent.count(True) == 1
    assert await locks.due(7000.0) == []


async def test_nobody_is_reminded_of_a_lock_that_is_released_or_renewed(locks: Locks) -> None:
    await locks.take(replace(LOCK, expires_at=7300.0), 100.0)
    await locks.take(replace(LOCK, expires_at=20_000.0), 200.0)
    assert await kinds(locks, 19_100.0) == [(NoticeKind.EXPIRES_SOON, "1")]
    await locks.release("r", "production", "1", ANN, 300.0)
    assert await locks.due(30_000.0) == []


async def test_the_owner_is_told_of_the_end(locks: Locks) -> None:
    short = replace(LOCK, expires_at=160.0)
    await locks.take(short, 100.0)
    assert await locks.expire(159.0) == ()
    assert await locks.expire(160.0) == (short,)
    assert await locks.expire(160.0) == ()
    assert await kinds(locks, 160.0) == [(NoticeKind.EXPIRED, "1")]


async def test_an_owner_sees_at_a_terminal_once_what_became_of_a_lock(locks: Locks) -> None:
    owner = Actor("Ann", "cli")
    await locks.take(replace(LOCK, owner=owner), 100.0)
    await locks.take_over("1", THEIRS, 200.0)
    assert await locks.show(ANN, 300.0) == ()
    (notice,) = await locks.show(owner, 300.0)
    assert (notice.kind, notice.by) == (NoticeKind.TAKEN_OVER, BOB)
    assert await locks.show(owner, 301.0) == ()
    assert await kinds(locks, 301.0) == [(NoticeKind.TAKEN_OVER, "1")]


async def test_it_waits_for_the_owner_to_come_back_for_a_month(locks: Locks) -> None:
    owner, day = Actor("ann", "cli"), 86_400.0
    for number in ("1", "2"):
        await locks.take(replace(LOCK, id=number, owner=owner, repository=number), 100.0)
        await locks.release(number, "production", number, BOB, 200.0)
    (first, _) = await locks.due(200.0)
    await locks.mark_sent(first, 200.0)
    assert [each.lock.id for each in await locks.show(owner, 200.0 + 29 * day)] == ["1", "2"]
    await locks.take(replace(LOCK, owner=owner), 300.0)
    await locks.release("r", "production", "1", BOB, 400.0)
    assert await locks.show(owner, 401.0 + 30 * day) == ()


async def test_who_sees_the_end_at_a_terminal_is_not_reminded_of_it_any_more(
    locks: Locks,
) -> None:
    owner = Actor("ann", "cli")
    await locks.take(replace(LOCK, owner=owner, expires_at=7300.0), 100.0)
    (reminder,) = await locks.due(7200.0)
    await locks.mark_sent(reminder, 7200.0)
    assert [each.kind for each in await locks.show(owner, 7300.0)] == [NoticeKind.EXPIRED]
    assert await locks.list("r", 7300.0) == ()


async def test_of_two_terminals_one_shows_it(url: str, database: Database) -> None:
    owner, other = Actor("ann", "cli"), await Database.open(url)
    try:
        await Locks(database).take(replace(LOCK, owner=owner), 100.0)
        await Locks(database).take_over("1", THEIRS, 200.0)
        both = (Locks(each).show(owner, 300.0) for each in (database, other))
        shown = await asyncio.gather(*both)
    finally:
        await other.close()
    assert sorted(map(len, shown)) == [0, 1]


async def test_a_lock_and_a_notice_of_an_older_version_are_there_after_the_upgrade(
    tmp_path: Path,
) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/old.db")
    with engine.begin() as connection:
        command.upgrade(schema._config(connection), "0006")
        owner = '{"name": "ann", "surface": "github", "account": null}'
        connection.exec_driver_sql(
            "insert into environment_lock (id, repository, environment, owner, reason, created_at,"
            " pull_request) values ('1', 'r', 'production', ?, 'why', 100.0, 7)",
            (owner,),
        )
        lock = f'{{"id": "1", "repository": "r", "environment": null, "owner": {owner},'
        connection.exec_driver_sql(
            "insert into lock_notice (lock_id, kind, lock, due_at) values ('1', 'expired', ?, 1.0)",
            (lock + ' "reason": "", "created_at": 1.0, "expires_at": 2.0, "pull_request": 7}',),
        )
    engine.dispose()
    database = await Database.open(f"sqlite:///{tmp_path}/old.db")
    try:
        assert await Locks(database).list("r", 101.0) == (
            replace(LOCK, reason="why", pull_request=7),
        )
        (notice,) = await Locks(database).due(101.0)
        assert (notice.lock.pull_request, notice.lock.asked_on) == (7, None)
    finally:
        await database.close()


async def test_everything_is_in_the_audit(locks: Locks, database: Database) -> None:
    await locks.take(LOCK, 100.0)
    await locks.take(LOCK, 101.0)
    await locks.take(THEIRS, 102.0)
    await locks.take_over("1", replace(THEIRS, expires_at=110.0), 103.0)
    await locks.expire(110.0)
    await locks.take(LOCK, 111.0)
    await locks.release("r", "production", "1", ANN, 112.0)
    audit = Audit(database)
    assert [json.loads(row.body)["action"] for row in await audit.read()] == [
        "locked",
        "lock_renewed",
        "lock_taken_over",
        "lock_expired",
        "locked",
        "unlocked",
    ]
    assert (await audit.verify())[1] == ()


async def test_of_two_workers_who_take_one_lock_one_wins(url: str, database: Database) -> None:
    other = await Database.open(url, busy_timeout=30.0)
    workers = [Locks(database), Locks(other)]
    tries = [
        workers[number % 2].take(
            replace(LOCK, id=str(number), owner=Actor(f"user{number}", "github")), 100.0
        )
        for number in range(12)
    ]
    results = await asyncio.gather(*tries)
    (held,) = await workers[0].of("r", "production", 101.0)
    await other.close()
    assert [each.lock for each in results if isinstance(each, Taken)] == [held]
    assert {each.lock for each in results if isinstance(each, Busy)} == {held}


async def test_of_all_who_take_over_one_wins(url: str, database: Database) -> None:
    other = await Database.open(url, busy_timeout=30.0)
    workers = [Locks(database), Locks(other)]
    await workers[0].take(LOCK, 100.0)
    tries = [
        workers[number % 2].take_over("1", replace(THEIRS, id=f"new{number}"), 101.0)
        for number in range(8)
    ]
    results = await asyncio.gather(*tries)
    (held,) = await workers[0].of("r", "production", 102.0)
    await other.close()
    taken = [each for each in results if isinstance(each, Taken)]
    assert [each.lock for each in taken] == [held]


async def test_of_a_release_and_a_taking_over_one_wins(url: str, database: Database) -> None:
    other = await Database.open(url, busy_timeout=30.0)
    for number in range(5):
        mine = replace(LOCK, id=f"mine{number}")
        theirs = replace(THEIRS, id=f"theirs{number}")
        await Locks(database).take(mine, 100.0)
        freed, taken = await asyncio.gather(
            Locks(database).release("r", "production", mine.id, ANN, 101.0),
            Locks(other).take_over(mine.id, theirs, 101.0),
        )
        # Whichever came first, the new lock is there and was freed by nobody.
        assert isinstance(taken, Taken)
        assert isinstance(freed, Freed) == (taken.over is None)
        assert await Locks(database).of("r", "production", 102.0) == (theirs,)
        await Locks(database).release("r", "production", theirs.id, BOB, 103.0)
    await other.close()
