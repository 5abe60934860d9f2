import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.audit import Action, Entry
from bot.domain.awaiting import Awaited
from bot.domain.deployment import Actor, Deployment, Kind
from bot.domain.lock import Lock, NoticeKind
from bot.store.audit import Audit
from bot.store.awaiting import Awaiting, Wait
from bot.store.database import Database
from bot.store.deliveries import Deliveries
from bot.store.deployments import WANTED, Deployments
from bot.store.known_names import KnownName, KnownNames
from bot.store.locks import Locks
from bot.store.names import Named
from bot.store.renaming import rename
from bot.store.subscriptions import Subscription, Subscriptions
from tests.handlers.reports import example

ADA, BOB = Actor("ada", "github"), Actor("bob", "github")
EDGES = Named("https://h/acme/edges", "Acme/edges", "https://h/acme/edges.git")
CORNERS = Named("https://h/acme/corners", "acme/Corners", "https://h/acme/corners.git")
MORE = "https://h/acme/edges.github"
LOCK = Lock("1", EDGES.address, "staging", ADA, "", 100.0, 4000.0)

Add = Callable[..., Awaitable[Deployment]]
Rename = Callable[..., Awaitable[bool]]


def place(owner: str, name: str, path: str | None = None) -> dict[str, str]:
    url = f"https://h/{owner}/{path or name}.git"
    return {"owner": owner, "name": name, "default_branch": "main", "clone_url": url}


@pytest.fixture
def renamed(database: Database) -> Rename:
    async def renamed(once: str = "it") -> bool:
        return await database.write(
            lambda connection: rename(connection, EDGES, CORNERS, BOB, 200.0, once=once)
        )

    return renamed


async def test_locks_have_the_new_name_and_their_reminders(
    database: Database, renamed: Rename
) -> None:
    locks = Locks(database)
    everywhere, other = (
        Lock("2", EDGES.address, None, BOB, "", 101.0),
        Lock("3", MORE, None, BOB, "", 102.0),
    )
    for lock in (LOCK, everywhere, other):
        await locks.take(lock, 100.0)
    assert await renamed()
    assert {each.id for each in await locks.list(CORNERS.address, 200.0)} == {"1", "2"}
    assert await locks.list(EDGES.address, 200.0) == ()
    assert await locks.list(MORE, 200.0) == (other,)
    (reminder,) = await locks.due(4000.0)
    assert reminder.lock.repository == CORNERS.address


async def test_a_newer_lock_in_the_same_place_stays_and_the_owner_of_the_older_is_told(
    database: Database, renamed: Rename
) -> None:
    locks = Locks(database)
    newer = Lock("2", CORNERS.address, "staging", BOB, "", 150.0)
    await locks.take(LOCK, 100.0)
    await locks.take(newer, 150.0)
    await renamed()
    assert await locks.list(None, 200.0) == (newer,)
    (notice,) = await locks.due(4000.0)
    assert (notice.kind, notice.lock.id) == (NoticeKind.RELEASED, "1")


async def test_deployments_have_the_new_name_also_for_the_look_before_their_update(
    deployments: Deployments, add: Add, renamed: Rename
) -> None:
    moved = await add(repository=EDGES.address)
    other = await add(repository=MORE)
    for each, name in ((moved, "edges"), (other, "edges.github")):
        await deployments.save(each.id, WANTED, {"place": place("acme", name), "wish": 1})
    await renamed()
    found = await deployments.get(moved.id)
    assert found is not None
    assert found.request.target == f"{CORNERS.address}#staging"
    there = {"place": place("acme", "Corners", "corners"), "wish": 1}
    assert await deployments.load(moved.id, WANTED) == there
    assert await deployments.list(target=found.request.target) == (found,)
    assert await deployments.get(other.id) == other
    left = {"place": place("acme", "edges.github"), "wish": 1}
    assert await deployments.load(other.id, WANTED) == left


async def test_channels_hear_of_the_new_name(database: Database, renamed: Rename) -> None:
    subscriptions = Subscriptions(database)
    newer = Subscription("C2", "acme/corners", ("production",))
    await subscriptions.add(Subscription("C1", "acme/edges"))
    await subscriptions.add(Subscription("C2", "acme/edges"))
    await subscriptions.add(newer)
    await renamed()
    assert await subscriptions.all() == (Subscription("C1", "acme/corners"), newer)


@pytest.mark.parametrize("is_aside", [False, True])
async def test_what_was_told_before_and_is_not_done_is_done_under_the_new_name(
    database: Database, renamed: Rename, *, is_aside: bool
) -> None:
    deliveries = Deliveries(database)
    repository = {**place("acme", "edges"), "owner": {"login": "acme", "id": 7}}
    payload = {"repository": {**repository, "full_name": "acme/edges"}, "sender": {"login": "ada"}}
    await deliveries.take("d", "issue_comment", EDGES.name, json.dumps(payload))
    if is_aside:
        await deliveries.set_aside("d")
    await renamed()
    delivery = await deliveries.begin("d")
    assert delivery is not None
    there = {**place("acme", "Corners", "corners"), "owner": {"login": "acme", "id": 7}}
    assert json.loads(delivery.payload) == {
        "repository": {**there, "full_name": CORNERS.name},
        "sender": {"login": "ada"},
    }


async def test_nothing_is_lost_where_only_a_letters_case_changes(
    database: Database, deployments: Deployments, add: Add
) -> None:
    capital = Named("https://h/acme/Edges", "acme/Edges", "https://h/acme/Edges.git")
    wish, locks = Subscription("C1", "acme/edges"), Locks(database)
    await Subscriptions(database).add(wish)
    await locks.take(LOCK, 100.0)
    rollback = await add(repository=EDGES.address, kind=Kind.ROLLBACK)
    await database.write(
        lambda connection: rename(connection, EDGES, capital, BOB, 200.0, once="it")
    )
    assert await Subscriptions(database).all() == (wish,)
    assert await locks.list(None, 200.0) == (replace(LOCK, repository=capital.address),)
    (reminder,) = await locks.due(4000.0)
    assert reminder.lock.repository == capital.address
    hold = await deployments.hold(f"{capital.address}#{rollback.request.environment}")
    assert hold is not None
    assert hold.deployment == rollback.id


async def test_the_audit_has_what_was_done_lately_under_each_name(
    database: Database, renamed: Rename
) -> None:
    audit = Audit(database)

    async def note(at: float, where: Named) -> None:
        await audit.append(Entry(Action.COMMAND, ADA, at, where.address))

    await note(50.0, EDGES)
    await note(150.0, EDGES)
    await renamed()
    await note(250.0, CORNERS)
    # Another repository by now.
    await note(300.0, EDGES)
    rows = await audit.of_repository(CORNERS.address, since=100.0)
    assert [row.at for row in rows if json.loads(row.body)["action"] == Action.COMMAND] == [
        150,
        250,
    ]
    rows = await audit.of_repository(EDGES.address, since=100.0)
    assert [row.at for row in rows if json.loads(row.body)["action"] == Action.COMMAND] == [300]


async def test_it_is_done_once_and_is_in_the_audit(database: Database, renamed: Rename) -> None:
    assert await renamed()
    await Locks(database).take(LOCK, 300.0)
    assert not await renamed()
    assert await Locks(database).list(EDGES.address, 300.0) == (LOCK,)
    first, _ = await Audit(database).read()
    body = json.loads(first.body)
    assert body["action"] == Action.RENAMED
    assert body["facts"] == {"before": EDGES.address, "after": CORNERS.address}


async def test_what_awaits_checks_hears_of_them_under_the_new_name(
    database: Database, renamed: Rename
) -> None:
    deliveries = Deliveries(database)
    await deliveries.take("1", "push", EDGES.name, "{}")
    awaiting, request = Awaiting(database), replace(example.request(), repository=EDGES.address)
    await awaiting.begin("1", Wait("abc", "a push", 400.0, ""), [Awaited("a", request, 1.0, "")])
    assert await renamed()
    (awaited,) = await awaiting.list(CORNERS.address)
    assert awaited.id == "a"
    assert await awaiting.checks_ended(CORNERS.name, "abc") == 1


async def test_a_lock_that_is_over_gives_way(database: Database, renamed: Rename) -> None:
    locks = Locks(database)
    await locks.take(LOCK, 100.0)
    await locks.take(Lock("2", CORNERS.address, "staging", BOB, "", 110.0, 150.0), 110.0)
    await renamed()
    (there,) = await locks.list(CORNERS.address, 200.0)
    assert there.id == "1"


async def test_of_another_owner_the_app_asks_for_its_installation(
    database: Database, deployments: Deployments, add: Add
) -> None:
    given = Named("https://h/bob/edges", "bob/edges", "https://h/bob/edges.git")
    moved = await add(repository=EDGES.address)
    wanted: Any = {"place": {"repository": place("acme", "edges"), "installation": 7}}
    await deployments.save(moved.id, WANTED, wanted)
    await database.write(lambda connection: rename(connection, EDGES, given, BOB, 200.0, once="it"))
    there = {"place": {"repository": place("bob", "edges"), "installation": None}}
    assert await deployments.load(moved.id, WANTED) == there


def told(number: int | None, owner: str = "acme", name: str = "edges") -> str:
    where = place(owner, name) | {"owner": {"login": owner}}
    return json.dumps({"repository": where | ({} if number is None else {"id": number})})


async def told_of(deliveries: Deliveries, identity: str) -> str:
    delivery = await deliveries.begin(identity)
    assert delivery is not None
    return str(json.loads(delivery.payload)["repository"]["name"])


async def test_what_waits_of_another_that_has_the_name_stays_its_own(database: Database) -> None:
    deliveries, edges = Deliveries(database), replace(EDGES, number=1)
    for identity, number in (("its", 1), ("another's", 2), ("nobody's", None)):
        await deliveries.take(identity, "push", EDGES.name, told(number))
    await database.write(lambda connection: rename(connection, edges, CORNERS, BOB, 1.0, once="it"))
    names = [await told_of(deliveries, each) for each in ("its", "another's", "nobody's")]
    assert names == ["Corners", "edges", "Corners"]


async def test_what_awaits_checks_of_another_that_has_the_name_stays_its_own(
    database: Database,
) -> None:
    deliveries, edges = Deliveries(database), replace(EDGES, number=1)
    await deliveries.take("1", "push", EDGES.name, told(2))
    awaiting, request = Awaiting(database), replace(example.request(), repository=EDGES.address)
    await awaiting.begin("1", Wait("abc", "a push", 400.0, ""), [Awaited("a", request, 1.0, "")])
    await database.write(lambda connection: rename(connection, edges, CORNERS, BOB, 1.0, once="it"))
    assert await awaiting.list(CORNERS.address) == ()
    assert await awaiting.checks_ended(EDGES.name, "abc") == 1


async def test_what_another_has_under_the_old_name_stays(database: Database) -> None:
    await Locks(database).take(LOCK, 100.0)
    await KnownNames(database).note(KnownName("acme/edges", 2))
    edges = replace(EDGES, number=1)
    assert not await database.write(
        lambda connection: rename(connection, edges, CORNERS, BOB, 200.0, once="it")
    )
    assert await Locks(database).list(EDGES.address, 200.0) == (LOCK,)
