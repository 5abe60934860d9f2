import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.domain.audit import Action, Entry, Head
from bot.domain.deployment import Actor, Deployment, Outcome
from bot.domain.reasons import Code, StoppedError
from bot.store.audit import Audit
from bot.store.database import Database
from bot.store.deployments import Deployments

Add = Callable[..., Awaitable[Deployment]]

ANN = Actor("ann", "github")


@pytest.fixture
def audit(database: Database) -> Audit:
    return Audit(database, page=3)


def entry(number: int) -> Entry:
    return Entry(Action.COMMAND, ANN, float(number), "r", "staging", facts={"number": number})


async def actions(audit: Audit) -> list[str]:
    return [json.loads(row.body)["action"] for row in await audit.read()]


async def test_rows_are_numbered_and_follow_on_each_other(audit: Audit) -> None:
    for number in range(7):
        await audit.append(entry(number))
    rows = await audit.read()
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert [row.previous for row in rows[1:]] == [row.hash for row in rows[:-1]]
    assert await audit.verify() == (Head(7, rows[-1].hash), ())


async def test_without_its_head_it_is_broken(audit: Audit, database: Database) -> None:
    await audit.append(entry(1))
    await database.write(lambda connection: connection.execute(sa.text("delete from audit_head")))
    with pytest.raises(StoppedError) as stopped:
        await audit.verify()
    assert stopped.value.reason.code is Code.AUDIT_BROKEN


async def test_they_are_read_from_a_number_and_a_time_on(audit: Audit) -> None:
    for number in range(4):
        await audit.append(entry(number))
    assert [row.seq for row in await audit.read(after=2)] == [3, 4]
    assert [row.seq for row in await audit.read(since=3.0)] == [4]
    assert [row.seq for row in await audit.read(limit=1)] == [1]


async def test_what_is_written_again_is_there_once(audit: Audit) -> None:
    assert await audit.append(entry(1), once="update:06g")
    assert await audit.append(entry(2), once="update:06g") is None
    assert (await audit.verify())[0].seq == 1


async def test_many_at_once_make_one_chain(url: str, database: Database) -> None:
    other = await Database.open(url)
    audits = [Audit(database), Audit(other)]
    await asyncio.gather(*(audits[number % 2].append(entry(number)) for number in range(20)))
    head, faults = await audits[0].verify()
    await other.close()
    assert (head.seq, faults) == (20, ())


async def test_a_row_of_a_transaction_that_fails_is_not_there(
    audit: Audit, database: Database
) -> None:
    from bot.store.audit import append  # noqa: PLC0415

    def write(connection: sa.Connection) -> None:
        append(connection, entry(1))
        raise KeyError

    with pytest.raises(KeyError):
        await database.write(write)
    assert (await audit.verify())[0].seq == 0


async def test_with_a_head_that_has_no_number_it_is_broken(
    audit: Audit, database: Database
) -> None:
    if database.path is None:
        return
    change = "UPDATE audit_head SET seq = 'four'"
    await database.write(lambda connection: connection.exec_driver_sql(change))
    for use in (audit.verify(), audit.append(entry(1))):
        with pytest.raises(StoppedError) as stopped:
            await use
        assert stopped.value.reason.code is Code.AUDIT_BROKEN


@pytest.mark.parametrize("change", ["UPDATE audit SET at = 0", "DELETE FROM audit"])
async def test_the_database_itself_refuses_a_change(
    audit: Audit, database: Database, change: str
) -> None:
    await audit.append(entry(1))
    with pytest.raises((StoppedError, sa.exc.IntegrityError), match="only added to"):
        await database.write(lambda connection: connection.exec_driver_sql(change))
    assert (await audit.verify())[1] == ()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET body = '{}' WHERE seq = 2",
        "UPDATE audit SET at = 99 WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 4",
        "DELETE FROM audit",
        "UPDATE audit SET seq = 9 WHERE seq = 4",
        "UPDATE audit SET seq = -1 WHERE seq = 1",
        "UPDATE audit_head SET seq = 3",
        "UPDATE audit SET deployment = 'another' WHERE seq = 2",
        "UPDATE audit SET once = 'update:06g' WHERE seq = 2",
        "UPDATE audit SET seq = -2147483648 WHERE seq = 1",
        "INSERT INTO audit SELECT 5, at, body, previous, hash, NULL, NULL FROM audit WHERE seq = 4",
    ],
)
async def test_who_gets_around_that_is_found(audit: Audit, database: Database, change: str) -> None:
    for number in range(4):
        await audit.append(entry(number))

    def meddle(connection: sa.Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER ALL")
        else:
            connection.exec_driver_sql("DROP TRIGGER audit_stays_update")
            connection.exec_driver_sql("DROP TRIGGER audit_stays_delete")
        connection.exec_driver_sql(change)

    await database.write(meddle)
    assert (await audit.verify())[1]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET body = CAST(x'ff' AS TEXT) WHERE seq = 2",
        "UPDATE audit SET hash = x'ff' WHERE seq = 2",
        "UPDATE audit SET at = 'noon' WHERE seq = 2",
        "UPDATE audit SET seq = -9999999999 WHERE seq = 1",
        "UPDATE audit SET seq = -9223372036854775808 WHERE seq = 3",
    ],
)
async def test_what_only_sqlite_takes_is_found_too(
    audit: Audit, database: Database, change: str
) -> None:
    if database.path is None:
        return
    for number in range(4):
        await audit.append(entry(number))

    def meddle(connection: sa.Connection) -> None:
        connection.exec_driver_sql("DROP TRIGGER audit_stays_update")
        connection.exec_driver_sql(change)

    await database.write(meddle)
    assert (await audit.verify())[1]
    # It can be read for all that.
    assert len(await audit.read(after=1)) >= 2


async def test_decisions_on_a_deployment_are_found_behind_any_number_of_others(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.store.audit._LOOKED_BACK", 2)
    decided = replace(refusal("ann", 1), deployment="d1")
    first = await audit.append(decided)
    for number in range(5):
        await audit.append(refusal("bob", number))
    assert await audit.about("r", deployment="d1") == [first]


async def test_asking_cancelling_and_ending_are_written_down(
    audit: Audit, deployments: Deployments, add: Add
) -> None:
    waiting, running = await add(), await add()
    await deployments.request_cancel(waiting.id, "bob")
    await deployments.begin(running.id)
    await deployments.request_cancel(running.id, "bob")
    reason = StoppedError(Code.CANCELLED, "bob cancelled it").reason
    await deployments.finish(running.id, Outcome.CANCELLED, reason)
    assert await actions(audit) == [
        "submitted",
        "submitted",
        "cancel_requested",
        "finished",
        "cancel_requested",
        "finished",
    ]
    last = json.loads((await audit.read())[-1].body)
    assert last["deployment"] == running.id
    assert last["reasons"] == ["cancelled"]
    assert last["facts"]["outcome"] == "cancelled"
    assert (await audit.verify())[1] == ()


async def test_a_rollback_that_holds_is_released_once(
    audit: Audit, deployments: Deployments, add: Add
) -> None:
    deployment = await add()
    assert await deployments.release_hold(deployment.id, ANN)
    assert not await deployments.release_hold(deployment.id, ANN)
    assert not await deployments.release_hold("06gzzzz", ANN)
    assert (await actions(audit)).count("hold_released") == 1


# --- decisions


def refusal(who: str, pull_request: int) -> Entry:
    facts = {"pull_request": pull_request}
    by = Actor(who, "github")
    return Entry(Action.DECISION, by, 1.0, "r", reasons=("locked",), facts=facts)


async def test_a_refusal_is_found_behind_many_that_look_alike(audit: Audit) -> None:
    first = await audit.append(refusal("ann", 1))
    for number in range(60):
        await audit.append(refusal("bob", 10 + number % 10))
    assert await audit.about("r", pull_request=1, refused=True, limit=1) == [first]
    assert await audit.about("r", who="github:ann", refused=True, limit=1) == [first]


async def test_decisions_come_the_newest_first_or_the_oldest(audit: Audit) -> None:
    for number in range(3):
        await audit.append(refusal("ann", number))
    newest = [row.seq for row in await audit.about("r")]
    oldest = [row.seq for row in await audit.about("r", oldest_first=True, limit=2)]
    assert (newest, oldest) == ([3, 2, 1], [1, 2])
