from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.doctor.data import look_at_database, look_at_folder
from bot.domain.finding import Level
from bot.domain.reasons import StoppedError
from bot.store import schema
from bot.store.database import Database
from tests.real.postgresql import PostgreSQL


def test_a_folder_that_is_ours_alone_is_good(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (found,) = look_at_folder(tmp_path)
    assert found.level is Level.GOOD


def test_a_folder_that_others_can_look_into_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (found,) = look_at_folder(tmp_path)
    assert (found.level, found.next_step) == (Level.WARNING, f"Run `chmod 700 {tmp_path}`.")


def test_a_folder_that_is_not_there_is_no_fault(tmp_path: Path) -> None:
    (found,) = look_at_folder(tmp_path / "data")
    assert found.level is Level.NOTE


@pytest.mark.real
async def test_a_server_tells_its_version(postgresql_server: PostgreSQL) -> None:
    url = postgresql_server.new_database()
    await (await Database.open(url)).close()
    (found,) = await look_at_database(url)
    assert found.level is Level.GOOD
    assert "PostgreSQL" in found.fact


@pytest.mark.real
async def test_a_server_whose_database_cannot_hold_every_text_is_refused(
    postgresql_server: PostgreSQL,
) -> None:
    with pytest.raises(StoppedError) as stopped:
        await look_at_database(postgresql_server.new_database("SQL_ASCII"))
    assert "must be UTF8" in stopped.value.reason.fact


async def test_a_database_is_looked_at_and_not_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/pachops.db"
    assert (await look_at_database(url))[0].level is Level.NOTE
    assert not (tmp_path / "pachops.db").exists()
    await (await Database.open(url)).close()
    (found,) = await look_at_database(url)
    assert found.level is Level.GOOD
    assert "WAL" in found.fact


async def test_a_database_that_is_newer_than_the_code_is_a_fault(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/pachops.db"
    database = await Database.open(url)
    newer = sa.text(f"update {schema.VERSION_TABLE} set version_num = '9999'")  # noqa: S608
    await database.write(lambda connection: connection.execute(newer))
    await database.close()
    (found,) = await look_at_database(url)
    assert found.level is Level.FAULT
    assert "9999" in found.fact
