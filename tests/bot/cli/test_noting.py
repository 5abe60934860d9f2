"""What is typed at a terminal is in the audit, whatever comes of it."""

import asyncio
import json
import os
import pwd
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from pydantic import SecretStr

from bot.domain.audit import Row
from bot.domain.deployment import Actor
from bot.domain.reasons import Code, StoppedError
from bot.engine.claim import Claim
from bot.redact import Redactor
from bot.store.audit import Audit
from bot.store.database import Database
from handlers.commands.noting import refusal_at_terminal
from tests.bot.cli.terminal import sits_in_a_repository, typed
from tests.real.postgresql import PostgreSQL


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PACHOPS_DATA_DIR", str(tmp_path))
    return tmp_path / "pachops.db"


async def made(file: Path) -> None:
    await (await Database.open(f"sqlite:///{file}")).close()


def rows(url: str) -> Sequence[Row]:
    async def read() -> Sequence[Row]:
        database = await Database.open(url)
        try:
            return await Audit(database).read()
        finally:
            await database.close()

    return asyncio.run(read())


def noted(file: Path) -> list[tuple[str, str, list[str]]]:
    bodies: list[dict[str, Any]] = [json.loads(row.body) for row in rows(f"sqlite:///{file}")]
    return [(each["action"], each["facts"]["line"], each.get("reasons", [])) for each in bodies]


@pytest.mark.parametrize(
    "line",
    [
        "status",
        "status --json",
        "history --to staging --limit 5",
        "audit",
        "audit --since 7d",
        "audit --verify",
        "audit --json",
        "worker --drain",
        "doctor",
    ],
)
def test_who_looked_is_in_the_audit(file: Path, line: str) -> None:
    asyncio.run(made(file))
    assert typed(*line.split())[0] == 0 or line == "doctor"
    assert noted(file) == [("command", line, [])]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("show nowhere", "deployment_unknown"),
        ("show nowhere --log --json", "deployment_unknown"),
        ("why nowhere", "deployment_unknown"),
        ("why", "deployment_unknown"),
        ("audit --since yesterday", "bad_command"),
        ("audit --verify --expect 5", "bad_command"),
        ("audit --expect 5:" + "a" * 64, "audit_broken"),
        ("cancel nowhere", "deployment_unknown"),
    ],
)
def test_so_is_who_was_refused_and_why(file: Path, line: str, code: str) -> None:
    assert typed(*line.split())[0] != 0
    assert noted(file) == [("command", line, []), ("decision", line, [code])]


def test_a_why_explains_no_other_why() -> None:
    assert typed("show", "nowhere")[0] != 0
    for words in (("why", "elsewhere"), ("why",)):
        status, said, _ = typed(*words)
    assert status == 0
    assert "nowhere" in said
    assert "elsewhere" not in said


def test_the_head_that_is_printed_has_its_own_row(file: Path) -> None:
    typed("status")
    head = json.loads(typed("audit", "--verify", "--json")[1])["head"]
    last = rows(f"sqlite:///{file}")[-1]
    assert head == f"{last.seq}:{last.hash}"
    assert last.seq == 2
    assert typed("audit", "--verify", "--expect", head)[0] == 0


def full(_audit: Audit, *_: object, **__: object) -> None:
    raise StoppedError(Code.DISK_FULL, "database or disk is full")


@pytest.mark.parametrize(
    ("line", "status"), [("status", 0), ("audit --verify", 0), ("show nowhere", 2)]
)
def test_who_only_looks_is_answered_where_nothing_can_be_written(
    monkeypatch: pytest.MonkeyPatch, line: str, status: int
) -> None:
    answer = typed(*line.split())
    monkeypatch.setattr(Audit, "append", full)
    found, said, warned = typed(*line.split())
    assert found == status
    assert (found, bool(said)) == (answer[0], bool(answer[1]))
    assert warned.count("is not in the audit") == 1
    assert "database or disk is full" in warned


@pytest.mark.parametrize("line", ["link", "cancel nowhere"])
def test_who_does_more_is_not(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    typed("status")
    monkeypatch.setattr(Audit, "append", full)
    status, said, warned = typed(*line.split())
    assert (status, said) == (1, "")
    assert "database or disk is full" in warned


@pytest.mark.real
def test_a_server_that_only_reads_answers_too(
    postgresql_server: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql_server.new_database()
    monkeypatch.setenv("PACHOPS_DATABASE_URL", url)
    assert typed("history")[0] == 0
    name = url.rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"alter database {name} set default_transaction_read_only = on")
    for line in ("history", "status", "audit"):
        status, said, warned = typed(line)
        assert (status, bool(said)) == (0, True)
        assert "is not in the audit" in warned


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:  # noqa: S603
        pytest.skip("this machine lets nobody mount")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)  # noqa: S603, S607


@pytest.mark.real
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_who_looks_why_a_bots_disk_is_full_is_answered(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = small_disk / "pachops.db"
    monkeypatch.setenv("PACHOPS_DATABASE_URL", f"sqlite:///{file}")
    typed("status")
    with closing(sqlite3.connect(file)) as bot:
        bot.execute("select * from audit").fetchall()
        typed("status")
        with (small_disk / "fill").open("wb", buffering=0) as fill, suppress(OSError):
            while fill.write(b"x" * 4096):
                pass
        status, said, warned = typed("status")
    assert (status, "No deployments yet" in said) == (0, True)
    assert "is not in the audit" in warned


def meddled(file: Path, change: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'"):
            connection.execute(f"drop trigger {name}")
        connection.execute(change)


@pytest.mark.parametrize(
    "change",
    [
        "delete from audit_head",
        "update audit_head set seq = 1",
        "insert into audit select 3, at, body, previous, hash, null, null from audit where seq = 2",
        "delete from audit where seq = 2",
    ],
)
def test_an_audit_that_cannot_be_added_to_is_still_verified(file: Path, change: str) -> None:
    for _ in range(2):
        typed("status")
    meddled(file, change)
    status, _, said = typed("audit", "--verify")
    assert status == 1
    assert "The audit is not as it was written" in said
    assert typed("status")[0] == 0


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


SECRET = "pa'ss word1$x"


@pytest.mark.parametrize(
    "words",
    [
        ("show", SECRET),
        ("show", f"of-{SECRET}"),
        ("deploy", "--to", SECRET),
        ("lock", "--to", "staging", "--reason", SECRET),
        ("deploy", "--to", "staging", "--dry-run", "--force", SECRET),
    ],
)
def test_a_secret_that_the_shell_would_quote_is_masked(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    sits_in_a_repository(tmp_path, monkeypatch, "environments: {staging: {}}\n")
    monkeypatch.setenv("PACHOPS_BUILD_SECRET_NPM", SECRET)
    typed("status")
    typed(*words)
    kept = " ".join(row.body for row in rows(f"sqlite:///{file}"))
    assert "word1" not in kept
    assert words[0] in kept


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("deploy", "https://ann:hunter2secret@host/x"), "deploy 'https://***@host/x'"),
        (("lock", "https://ann:hunter2secret@host/x"), "lock 'https://***@host/x'"),
        (("lock", "https://ann:hunter2 s/ecr@t@host/x"), "lock 'https://***@host/x'"),
        (("lock", "https://hunter2@host/x"), "lock 'https://***@host/x'"),
        (("lock", "ann:hunter2secret@host/x"), "lock '***@host/x'"),
        (("show", "https://ann:hunter2@host"), "show 'https://***@host'"),
        (("lock", "JIRA-1:ask-bob@acme.com"), "lock JIRA-1:ask-bob@acme.com"),
        (("show", "edges:v1@sha256:ab"), "show edges:v1@sha256:ab"),
    ],
)
def test_a_login_in_an_address_is_masked_though_nobody_knows_it(
    file: Path, words: tuple[str, ...], line: str
) -> None:
    assert typed(*words)[0] != 0
    assert [each[1] for each in noted(file)] == [line, line]
    assert "hunter2" not in " ".join(row.body for row in rows(f"sqlite:///{file}"))


def test_every_part_of_a_reason_is_masked() -> None:
    stopped = StoppedError(
        Code.BAD_COMMAND, "a hunter2", where="b hunter2", next_step="c hunter2 d"
    )
    clean = Redactor([SecretStr("hunter2")]).clean
    entry = refusal_at_terminal("show", Actor("ann", "cli"), stopped, clean)
    assert "hunter2" not in json.dumps(dict(entry.facts))
    assert "b ***" in json.dumps(dict(entry.facts))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_who_leaves_before_the_repository_is_read_has_given_a_command(
    file: Path, how: signal.Signals, more: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        words = ("deploy", f"http://127.0.0.1:{silent.getsockname()[1]}/edges", *more)
        main = (sys.executable, "-c", "from bot.cli import main; main()")
        with subprocess.Popen([*main, *words], stderr=subprocess.PIPE) as process:  # noqa: S603
            silent.settimeout(30)
            asked, _ = silent.accept()
            process.send_signal(how)
            process.communicate(timeout=30)
            asked.close()
    assert noted(file) == [("command", " ".join(words), [])]


BAD = os.fsdecode(b"caf\xe9")


@pytest.mark.parametrize(
    "words",
    [
        ("show", BAD),
        ("why", BAD),
        ("cancel", BAD),
        ("approve", BAD),
        ("history", "--to", BAD),
        ("lock", "--to", "staging", "--reason", BAD),
        ("deploy", "--to", BAD),
        ("rollback", "--to", BAD),
        ("backup", BAD),
    ],
)
def test_a_word_that_is_not_utf8_is_refused_with_a_reason(
    file: Path, words: tuple[str, ...]
) -> None:
    typed("status")
    status, said, warned = typed(*words)
    assert status == 2
    assert "`caf\N{REPLACEMENT CHARACTER}` is not text in UTF-8" in " ".join(
        (said + warned).split()
    )
    line = " ".join(words).replace(BAD, "'caf\N{REPLACEMENT CHARACTER}'")
    assert noted(file)[1:3] == [("command", line, []), ("decision", line, ["bad_command"])]
    assert typed("why")[0] == 0
    assert typed("audit", "--verify")[0] == 0


class Account(NamedTuple):
    pw_name: str


def test_who_types_is_the_account_whatever_the_environment_says(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "grace")
    typed("status")
    assert json.loads(rows(f"sqlite:///{file}")[0].body)["actor"]["name"] == (
        pwd.getpwuid(os.getuid()).pw_name
    )


@pytest.mark.parametrize(
    ("account", "name", "shown"),
    [
        ("ada", "grace", "ada"),
        (BAD, "grace", "caf\N{REPLACEMENT CHARACTER}"),
        (None, "grace", "grace"),
        (None, BAD, "caf\N{REPLACEMENT CHARACTER}"),
        (None, None, "unknown"),
    ],
)
def test_a_name_of_an_account_can_be_shown(
    file: Path, monkeypatch: pytest.MonkeyPatch, account: str | None, name: str | None, shown: str
) -> None:
    def found(_number: int) -> Account:
        if account is None:
            raise KeyError
        return Account(account)

    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    if name is not None:
        monkeypatch.setenv("LOGNAME", name)
    monkeypatch.setattr(pwd, "getpwuid", found)
    assert typed("status")[0] == 0
    assert json.loads(rows(f"sqlite:///{file}")[0].body)["actor"]["name"] == shown


@pytest.mark.parametrize("line", ["deploy", "deploy --dry-run", "rollback . --to x", "lock --to x"])
def test_a_folder_whose_name_is_not_utf8_is_refused_with_a_reason(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    folder = tmp_path / BAD
    folder.mkdir()
    subprocess.run(["git", "init", "-q", folder], check=True)  # noqa: S603, S607
    monkeypatch.chdir(folder)
    status, said, warned = typed(*line.split())
    assert status == 2
    assert "is not text in UTF-8" in " ".join((said + warned).split())
    assert noted(file) == [("command", line, []), ("decision", line, ["bad_command"])]


@pytest.mark.parametrize(
    ("line", "reasons"),
    [
        ("setup slack", None),
        ("setup slack --url nowhere", ["bad_command"]),
        ("setup github --url nowhere", ["bad_command"]),
    ],
)
def test_a_setup_is_in_the_audit(file: Path, line: str, reasons: list[str] | None) -> None:
    assert typed(*line.split())[0] == 2
    answered = [("decision", line, reasons)] if reasons else []
    assert noted(file) == [("command", line, []), *answered]


@pytest.mark.parametrize("line", ["setup slack", "setup github --url nowhere"])
def test_a_setup_that_cannot_be_noted_goes_on(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    status = typed(*line.split())[0]
    monkeypatch.setattr(Audit, "append", full)
    found, _, warned = typed(*line.split())
    assert found == status
    assert warned.count("is not in the audit") == 1


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


def test_who_looks_waits_for_a_held_lock_only_a_little(file: Path) -> None:
    typed("status")
    with closing(sqlite3.connect(file)) as other:
        other.execute("begin immediate")
        began = time.monotonic()
        status, said, warned = typed("status")
        took = time.monotonic() - began
    assert (status, bool(said)) == (0, True)
    assert "is not in the audit" in warned
    assert took < 5


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
