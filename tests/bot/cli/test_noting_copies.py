"""Copies of the database are made and put back with a row in the audit, where there can be one."""

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.engine.claim import Claim
from bot.store.audit import Audit
from tests.bot.cli.audited import full, meddled, noted, rows
from tests.bot.cli.terminal import typed
from tests.real.postgresql import PostgreSQL

pytestmark = pytest.mark.usefixtures("file")


@pytest.mark.parametrize("name", ["backup", "restore"])
def test_a_copy_that_fails_is_in_the_audit(file: Path, tmp_path: Path, name: str) -> None:
    typed("status")
    wrong = tmp_path / "letter"
    wrong.write_text("dear\n" * 1000)
    assert typed(name, str(wrong))[0] == 2
    line = f"{name} {wrong}"
    ((_, _, code),) = [each for each in noted(file) if each[:2] == ("decision", line)]
    assert ("command", line, []) in noted(file)
    assert code in (["bad_command"], ["database_unusable"])


def test_so_is_a_restore_beside_a_bot(file: Path, tmp_path: Path) -> None:
    typed("status")
    typed("backup", str(tmp_path / "copy"))
    claim = Claim(file)
    line = f"restore {tmp_path}/copy"
    assert typed(*line.split())[0] == 3
    claim.release()
    assert noted(file)[-2:] == [("command", line, []), ("decision", line, ["database_in_use"])]


def test_a_restore_is_in_what_it_put_back_and_in_what_it_put_aside(
    file: Path, tmp_path: Path
) -> None:
    typed("status")
    typed("backup", str(tmp_path / "copy"))
    line = f"restore {tmp_path}/copy"
    assert typed(*line.split())[0] == 0
    (aside,) = tmp_path.glob("*before-restore*")
    assert noted(file)[-1] == noted(aside)[-1] == ("command", line, [])


def without(file: Path) -> None:
    file.unlink()


def of_another_version(file: Path) -> None:
    meddled(file, "update pachops_schema set version_num = '0001'")


def broken(file: Path) -> None:
    file.write_text("dear\n" * 1000)


@pytest.mark.parametrize("spoil", [without, of_another_version, broken])
def test_a_restore_needs_no_database_that_can_be_noted_in(
    spoil: Callable[[Path], None], file: Path, tmp_path: Path
) -> None:
    typed("status")
    typed("backup", str(tmp_path / "copy"))
    spoil(file)
    status, _, said = typed("restore", str(tmp_path / "copy"))
    if spoil is broken:
        assert status == 2
        return
    assert status == 0
    assert said.count("is not in the audit") == (spoil is of_another_version)
    assert noted(file)[-1][:2] == ("command", f"restore {tmp_path}/copy")


def test_a_backup_makes_no_database_only_to_note_it(file: Path, tmp_path: Path) -> None:
    assert typed("backup", str(tmp_path / "copy"))[0] == 2
    assert not file.exists()


def test_a_backup_is_made_where_nothing_can_be_noted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    typed("status")
    monkeypatch.setattr(Audit, "append", full)
    status, said, warned = typed("backup", str(tmp_path / "copy"))
    assert (status, "copy" in said) == (0, True)
    assert "is not in the audit" in warned


@pytest.mark.parametrize("name", ["backup", "doctor"])
def test_a_database_of_another_version_is_not_written_to_and_that_is_said(
    file: Path, tmp_path: Path, name: str
) -> None:
    typed("status")
    of_another_version(file)
    words = [str(tmp_path / "copy")] if name == "backup" else []
    status, said, warned = typed(name, *words)
    assert status == 0 or name == "doctor"
    assert "is not in the audit" in " ".join(warned.split())
    assert "schema 0001" in warned
    assert said
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("select count(*) from audit").fetchone() == (1,)


@pytest.mark.parametrize("name", ["backup", "restore"])
def test_a_copy_of_a_server_that_is_refused_is_in_its_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgresql_server: PostgreSQL, name: str
) -> None:
    url = postgresql_server.new_database()
    monkeypatch.setenv("PACHOPS_DATABASE_URL", url)
    typed("status")
    status, _, warned = typed(name, str(tmp_path / "copy"))
    assert (status, "not in the audit" in warned) == (2, False)
    bodies = [json.loads(row.body) for row in rows(url)]
    assert [each["action"] for each in bodies] == ["command", "command", "decision"]
    assert bodies[-1]["reasons"] == ["bad_command"]


@pytest.mark.parametrize(("name", "program"), [("backup", "pg_dump"), ("restore", "pg_restore")])
def test_of_a_server_it_is_said_at_once_that_it_has_its_own_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, program: str
) -> None:
    monkeypatch.setenv("PACHOPS_DATABASE_URL", "postgresql://ann@127.0.0.1:1/away")
    began = time.monotonic()
    status, _, warned = typed(name, str(tmp_path / "copy"))
    assert (status, program in warned) == (2, True)
    assert time.monotonic() - began < 5
