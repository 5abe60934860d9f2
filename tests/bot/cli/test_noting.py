"""What is typed at a terminal is in the audit, whatever comes of it."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest

from bot.store.audit import Audit
from tests.bot.cli.audited import full, made, meddled, noted, rows
from tests.bot.cli.terminal import typed
from tests.real.postgresql import PostgreSQL

pytestmark = pytest.mark.usefixtures("file")


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
