import shutil
import sqlite3
import stat
from contextlib import nullcontext
from pathlib import Path
from typing import cast

import psycopg
import pytest
import sqlalchemy as sa

from bot.domain.reasons import Code, StoppedError
from bot.store import schema
from bot.store.database import Database, keep_a_write_ahead_log
from tests.real.postgresql import PostgreSQL


async def refusal(url: str) -> StoppedError:
    with pytest.raises(StoppedError) as stopped:
        await Database.open(url, busy_timeout=0.1)
    return stopped.value


async def test_the_folder_and_the_file_are_made_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "state" / "pachops" / "pachops.db"
    await (await Database.open(f"sqlite:///{path}")).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_what_was_written_is_there_when_it_is_opened_again(url: str) -> None:
    database = await Database.open(url)
    await database.write(
        lambda connection: connection.execute(
            sa.text("insert into worker (id, seen_at) values ('me', 1)")
        )
    )
    await database.close()

    database = await Database.open(url)
    names = await database.read(
        lambda connection: connection.execute(sa.text("select id from worker")).scalars().all()
    )
    await database.close()
    assert names == ["me"]


async def test_a_change_that_fails_leaves_nothing(database: Database) -> None:
    def change(connection: sa.Connection) -> None:
        connection.execute(sa.text("insert into worker (id, seen_at) values ('me', 1)"))
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(change)
    rows = await database.read(
        lambda connection: connection.execute(sa.text("select * from worker")).all()
    )
    assert rows == []


async def test_a_reader_is_not_held_up_by_a_writer(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path}/pachops.db", busy_timeout=0.1)
    other = sqlite3.connect(tmp_path / "pachops.db", isolation_level=None)
    other.execute("begin immediate")
    assert await database.read(schema.is_current)
    other.close()
    await database.close()


async def test_a_transaction_of_somebody_else_that_does_not_end_is_named(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/pachops.db"
    database = await Database.open(url, busy_timeout=0.1)
    other = sqlite3.connect(tmp_path / "pachops.db", isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(StoppedError) as stopped:
        await database.write(lambda connection: connection.execute(sa.text("delete from worker")))
    other.close()
    await database.close()
    assert stopped.value.reason.code is Code.DATABASE_IN_USE
    assert stopped.value.reason.where == str(tmp_path / "pachops.db")


@pytest.mark.real
async def test_a_row_that_somebody_else_does_not_let_go_is_named(
    postgresql_server: PostgreSQL,
) -> None:
    url = postgresql_server.new_database()
    database = await Database.open(url, busy_timeout=0.1)
    with psycopg.connect(url) as other:
        other.execute("lock table worker")
        with pytest.raises(StoppedError) as stopped:
            await database.read(
                lambda connection: connection.execute(sa.text("select * from worker"))
            )
    await database.close()
    assert stopped.value.reason.code is Code.DATABASE_IN_USE


async def test_a_full_disk_is_named_and_nothing_is_half_written(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/pachops.db"
    database = await Database.open(url)

    def fill(connection: sa.Connection) -> None:
        pages = connection.exec_driver_sql("pragma page_count").scalar_one()
        connection.exec_driver_sql(f"pragma max_page_count={pages}")
        for number in range(1000):
            connection.execute(
                sa.text("insert into worker (id, seen_at) values (:id, 1)"),
                {"id": f"{number}" + "x" * 1000},
            )

    with pytest.raises(StoppedError) as stopped:
        await database.write(fill)
    rows = await database.read(
        lambda connection: connection.execute(sa.text("select * from worker")).all()
    )
    await database.close()
    assert stopped.value.reason.code is Code.DISK_FULL
    assert rows == []


async def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "pachops.db"
    path.write_text("a letter to somebody\n" * 100)
    stopped = await refusal(f"sqlite:///{path}")
    assert stopped.reason.code is Code.DATABASE_UNUSABLE
    assert "not a database" in stopped.reason.fact
    assert path.read_text() == "a letter to somebody\n" * 100


async def test_a_broken_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pachops.db"
    await (await Database.open(f"sqlite:///{path}")).close()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * (path.stat().st_size - 100))
    stopped = await refusal(f"sqlite:///{path}")
    assert stopped.reason.code is Code.DATABASE_UNUSABLE
    assert stopped.reason.where == str(path)


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    stopped = await refusal(f"sqlite:///{tmp_path}/file/pachops.db")
    assert stopped.reason.code is Code.DATABASE_UNUSABLE
    assert "PACHOPS_DATA_DIR" in stopped.reason.next_step


async def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    stopped = await refusal(f"sqlite:///{tmp_path}")
    assert (stopped.reason.code, stopped.reason.fact) == (Code.DATABASE_UNUSABLE, "is a directory")


@pytest.mark.parametrize("url", ["", "pachops.db", "mysql://host/name", "sqlite://", "sqlite:///"])
async def test_a_url_that_is_not_for_us_is_refused_with_an_example(url: str) -> None:
    stopped = await refusal(url)
    assert stopped.reason.code is Code.DATABASE_UNUSABLE
    assert "sqlite:///" in stopped.reason.next_step


async def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    stopped = await refusal("postgresql://ada:secret-word@127.0.0.1:1/pachops")
    assert stopped.reason.code is Code.DATABASE_UNUSABLE
    assert "refused" in stopped.reason.fact.lower()
    assert "secret-word" not in f"{stopped} {stopped.reason}"


async def test_a_newer_schema_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "pachops.db"
    await (await Database.open(f"sqlite:///{path}")).close()
    with sqlite3.connect(path) as connection:
        connection.execute("update pachops_schema set version_num = '9999'")
    connection.close()
    shutil.copy(path, tmp_path / "before.db")

    stopped = await refusal(f"sqlite:///{path}")
    assert stopped.reason.code is Code.DATABASE_UNUSABLE
    assert "9999" in stopped.reason.fact
    assert "Upgrade pachops" in stopped.reason.next_step
    assert path.read_bytes() == (tmp_path / "before.db").read_bytes()


class BusyAtFirst:
    """Says that it is locked as often as it is told to, and then does what it is asked."""

    def __init__(self, times: int, code: int) -> None:
        self.times = times
        self.error = sqlite3.OperationalError("database is locked")
        self.error.sqlite_errorcode = code

    def execute(self, _statement: str) -> None:
        self.times -= 1
        if self.times >= 0:
            raise self.error


@pytest.mark.parametrize(
    ("times", "timeout", "code", "gets_it"),
    [
        (2, 60.0, sqlite3.SQLITE_BUSY, True),
        (2, 60.0, sqlite3.SQLITE_BUSY_RECOVERY, True),
        (1000, -1.0, sqlite3.SQLITE_BUSY, False),
        (1, 60.0, sqlite3.SQLITE_READONLY, False),
    ],
)
def test_whoever_finds_the_file_locked_waits_for_it(
    times: int,
    timeout: float,
    code: int,
    gets_it: bool,  # noqa: FBT001
) -> None:
    connection = cast(sqlite3.Connection, BusyAtFirst(times, code))
    with nullcontext() if gets_it else pytest.raises(sqlite3.OperationalError):
        keep_a_write_ahead_log(connection, timeout)


@pytest.mark.real
@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
async def test_a_database_that_cannot_hold_every_text_is_refused_and_not_touched(
    postgresql_server: PostgreSQL, encoding: str
) -> None:
    url = postgresql_server.new_database(encoding)
    stopped = await refusal(url)
    assert stopped.reason.code is Code.DATABASE_UNUSABLE
    assert stopped.reason.fact == f"its encoding is {encoding}, and must be UTF8"
    assert "--encoding=UTF8" in stopped.reason.next_step
    with psycopg.connect(url, client_encoding="UTF8") as connection:
        tables = connection.execute("select * from pg_tables where schemaname = 'public'")
        assert tables.fetchall() == []
