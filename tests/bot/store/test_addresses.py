from collections.abc import Awaitable, Callable

from bot.domain.deployment import Actor, Deployment
from bot.domain.lock import Lock
from bot.store.addresses import Kept, kept
from bot.store.database import Database
from bot.store.locks import Locks

Add = Callable[..., Awaitable[Deployment]]
EDGES, CORNERS = "https://h/acme/edges", "https://h/acme/corners"


async def test_each_is_there_once_and_what_was_deployed_last_is_first(
    database: Database, add: Add
) -> None:
    for repository, environment in (
        (EDGES, "staging"),
        (CORNERS, "staging"),
        (EDGES, "production"),
        (EDGES, "staging"),
    ):
        await add(repository=repository, environment=environment)
    found = await database.read(lambda connection: kept(connection, 1.0))
    assert found == (
        Kept(EDGES, "staging"),
        Kept(EDGES, "production"),
        Kept(CORNERS, "staging"),
    )


async def test_what_is_only_locked_is_there_as_long_as_it_is(database: Database) -> None:
    ada = Actor("ada", "cli")
    await Locks(database).take(Lock("1", EDGES, None, ada, "", 1.0, expires_at=9.0), 1.0)
    lock = Kept(EDGES, None, is_lock=True)
    assert await database.read(lambda connection: kept(connection, 5.0)) == (lock,)
    assert await database.read(lambda connection: kept(connection, 9.0)) == ()


async def test_where_there_is_nothing_there_is_none(database: Database) -> None:
    assert await database.read(lambda connection: kept(connection, 1.0)) == ()
