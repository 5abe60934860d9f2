"""Changes that wait together are written together, and none suffers from another."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.domain.reasons import Code, StoppedError
from bot.store.database import Database
from tests.migrated import migrated

NOTES = sa.table("note", sa.column("text"))


class Disk:
    """A database whose first change is held, so that others wait for it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.begun: list[str] = []
        """The texts that were tried, in order."""
        self.held = threading.Event()

    async def note(self, text: str) -> str:
        def change(connection: sa.Connection) -> str:
            self.begun.append(text)
            connection.execute(sa.insert(NOTES).values(text=text))
            if text == "wrong":
                raise LookupError(text)
            return text

        return await self.database.write(change)

    async def hold(self) -> Awaitable[None]:
        """The disk is busy until it is let go; what waits for that."""
        is_busy = asyncio.Event()
        loop = asyncio.get_running_loop()

        def change(_connection: sa.Connection) -> None:
            loop.call_soon_threadsafe(is_busy.set)
            self.held.wait()

        holding = asyncio.create_task(self.database.write(change))
        await is_busy.wait()
        return holding

    async def notes(self) -> list[str]:
        query = sa.select(NOTES.c.text)
        return list(await self.database.read(lambda connection: connection.scalars(query).all()))


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[Disk]:
    database = await Database.open(migrated(tmp_path / "pachops.db"), busy_timeout=0.05)
    await database.write(lambda connection: connection.execute(sa.text("CREATE TABLE note (text)")))
    disk = Disk(database)
    yield disk
    disk.held.set()
    await database.close()


async def waiting(*works: Callable[[], Awaitable[str]]) -> list[asyncio.Task[str]]:
    """Each waits for its turn, in this order."""
    tasks = [asyncio.ensure_future(work()) for work in works]
    await asyncio.sleep(0)
    return tasks


def commits(database: Database) -> list[None]:
    """Grows with every transaction that is put on disk."""
    seen: list[None] = []
    sa.event.listen(database._engine, "commit", lambda _connection: seen.append(None))
    return seen


async def test_what_waits_for_the_disk_shares_one_transaction(disk: Disk) -> None:
    seen = commits(disk.database)
    holding = await disk.hold()
    tasks = await waiting(*(lambda text=text: disk.note(text) for text in "abcdef"))
    disk.held.set()
    await holding
    assert await asyncio.gather(*tasks) == list("abcdef")
    assert await disk.notes() == list("abcdef")
    # The one that was held, and one for all that waited; reading is one more.
    assert len(seen) == 3


async def test_one_that_fails_leaves_nothing_and_the_others_whole(disk: Disk) -> None:
    holding = await disk.hold()
    tasks = await waiting(*(lambda text=text: disk.note(text) for text in ("a", "wrong", "b")))
    disk.held.set()
    await holding
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in done] == [str, LookupError, str]
    assert await disk.notes() == ["a", "b"]


async def test_one_that_nobody_waits_for_any_more_is_not_begun(disk: Disk) -> None:
    holding = await disk.hold()
    tasks = await waiting(lambda: disk.note("a"), lambda: disk.note("b"))
    tasks[0].cancel()
    await asyncio.wait({tasks[0]})
    disk.held.set()
    await holding
    assert await tasks[1] == "b"
    assert disk.begun == ["b"]


async def test_a_file_that_another_writes_to_is_an_error_for_all_and_then_goes_on(
    disk: Disk, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "pachops.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    done = await asyncio.gather(*(disk.note(text) for text in "abc"), return_exceptions=True)
    other.execute("ROLLBACK")
    other.close()
    codes = [each.reason.code for each in done if isinstance(each, StoppedError)]
    assert codes == [Code.DATABASE_IN_USE] * 3
    assert disk.begun == []
    assert await disk.note("later") == "later"
    assert await disk.notes() == ["later"]


async def test_changes_are_made_in_the_order_given(disk: Disk) -> None:
    holding = await disk.hold()
    texts = [str(number) for number in range(500)]
    tasks = await waiting(*(lambda text=text: disk.note(text) for text in texts))
    disk.held.set()
    await holding
    await asyncio.gather(*tasks)
    assert await disk.notes() == texts
