"""Locks, resume and why, typed at a terminal."""

import asyncio
import json
import subprocess
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.domain.deployment import Actor, Deployment, Kind, Outcome, State
from bot.store.database import Database
from bot.store.deployments import Deployments, insert
from bot.store.locks import Locks
from tests.bot.cli.terminal import GIT, run, sits_in_a_repository
from tests.handlers.reports import example

EVENTS = ("deployment", "lock", "hold")
RULES = "environments:\n  staging: {}\n  production: {}\n"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return sits_in_a_repository(tmp_path, monkeypatch, RULES)


@pytest.mark.usefixtures("repository")
def test_a_lock_is_taken_shown_and_released() -> None:
    status, output = run("lock", "--to", "staging", "--for", "2h", "--reason", "it moves")
    assert (status, "staging is locked by" in output, "it moves" in output) == (0, True, True)
    assert "edges: staging is locked by" in run("status")[1]
    status, output = run("unlock", "--to", "staging")
    assert (status, "is released" in output) == (0, True)
    assert "not_locked" not in output
    assert run("unlock", "--to", "staging")[0] == 3
    assert "gave a command line: lock --to staging" in run("audit")[1]
    assert "not_locked" in run("why")[1]


@pytest.mark.usefixtures("repository")
def test_status_as_json_has_locks_holds_and_places_in_the_line(tmp_path: Path) -> None:
    assert run("lock", "--to", "staging", "--for", "2h", "--reason", "it moves")[0] == 0
    back = Deployment("06gaaaaaaaaa0001", example.request(kind=Kind.ROLLBACK), State.FINISHED)
    back = replace(back, outcome=Outcome.SUCCEEDED)
    waiting = [
        Deployment(f"06gaaaaaaaaa000{number}", example.request(), created_at=example.START)
        for number in (2, 3)
    ]
    asyncio.run(store(f"sqlite:///{tmp_path}/pachops.db", back, *waiting))
    objects = [json.loads(line) for line in printed("status", "--json")]
    of = {event: [each for each in objects if each["event"] == event] for event in EVENTS}
    last, first, rolled_back = of["deployment"]
    assert last["place"] == {
        "wait": "behind",
        "before": [first["deployment"]],
        "usual": None,
        "begins_in": None,
    }
    assert first["place"]["wait"] == "next"
    assert "place" not in rolled_back
    (lock,) = of["lock"]
    assert (lock["environment"], lock["reason"]) == ("staging", "it moves")
    assert lock["expires_at"].endswith("+00:00")
    (hold,) = of["hold"]
    assert (hold["environment"], hold["rollback"]) == ("staging", back.id)


def test_a_lock_of_what_the_rules_have_no_more_is_released(repository: Path) -> None:
    assert run("lock", "--to", "production")[0] == 0
    (repository / ".pachops.yml").write_text("environments:\n  staging: {}\n")
    subprocess.run([*GIT, "commit", "-qam", "Less"], cwd=repository, check=True)  # noqa: S603
    assert "no such environment" in run("lock", "--to", "production")[1]
    status, output = run("unlock", "--to", "production")
    assert (status, "is released" in output) == (0, True)
    assert "no such environment" in run("unlock", "--to", "production")[1]


def take_over(url: str) -> None:
    """As somebody in Slack does."""

    async def act() -> None:
        database = await Database.open(url)
        try:
            locks, now = Locks(database), time.time()
            (there,) = await locks.list(None, now)
            theirs = replace(there, id="theirs", owner=Actor("grace", "slack"))
            await locks.take_over(there.id, theirs, now)
        finally:
            await database.close()

    asyncio.run(act())


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    "words",
    [
        ("status", "--json"),
        ("unlock", "--to", "production"),
        ("deploy", "--to", "nowhere", "--json"),
        ("deploy", "--to", "nowhere", "--dry-run", "--json"),
    ],
)
def test_the_next_command_tells_once_what_became_of_a_lock(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    assert run("lock", "--to", "staging")[0] == 0
    take_over(f"sqlite:///{tmp_path}/pachops.db")
    first, second = (CliRunner().invoke(app, words) for _ in range(2))
    told = "Your lock of staging in edges was taken over by grace."
    assert told in first.stderr
    assert told not in second.stderr
    assert told not in first.stdout
    if "--json" in words:
        assert all(json.loads(line) for line in first.stdout.splitlines())


@pytest.mark.usefixtures("repository")
def test_a_reminder_at_a_terminal_has_the_command_that_is_typed_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run("lock", "--to", "staging", "--for", "2h")[0] == 0
    later = time.time() + 7200 - 600
    monkeypatch.setattr("bot.cli.lock_notices.time.time", lambda: later)
    assert "`pachops lock --to staging --for 1h` keeps it longer." in run("status")[1]


async def store(url: str, *deployments: Deployment) -> None:
    database = await Database.open(url)
    try:
        for each in deployments:
            await database.write(partial(insert, deployment=each))
        ends = [each for each in deployments if each.outcome is not None]
        for each in ends:
            assert each.outcome
            await Deployments(database).finish(each.id, each.outcome)
    finally:
        await database.close()


def printed(*words: str) -> list[str]:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.stderr
    return result.stdout.splitlines()


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("lock", "--to", "stagin"), "Did you mean `--to staging`?"),
        (("lock",), "several environments and none was named"),
        (("lock", "--all", "--to", "staging"), "--all says all"),
        (("lock", "--all", "--for", "3x"), "'3x' is not a duration"),
        (("lock", "--all", "--for", ""), "is not a duration"),
        (("lock", "--all", "--reason", ""), "the reason is missing"),
        (("lock", "--all", "--take-from", ""), "cannot be the owner of a lock"),
        (("unlock", "--all", "--of", ""), "cannot be the owner of a lock"),
        (("audit", "--since", ""), "--since"),
        (("lock", "--all", "--reason", "x" * 301), "at most 300 characters"),
        (("why",), "nothing was deployed or refused so far"),
    ],
)
def test_what_cannot_be_read_is_refused(words: tuple[str, ...], said: str) -> None:
    status, output = run(*words)
    assert status == 2
    assert said in output


@pytest.mark.usefixtures("repository")
def test_without_a_rollback_there_is_nothing_to_resume() -> None:
    status, output = run("resume", "--to", "production")
    assert (status, output) == (
        0,
        "No rollback holds production: it follows what its rules say.",
    )


def test_a_link_that_was_made_is_in_the_audit_and_its_seal_is_not() -> None:
    status, made = run("link", "--hours", "2")
    assert status == 0
    noted = run("audit")[1]
    assert "gave a command line: link --hours 2" in noted
    assert made.partition("seal=")[2] not in noted


@pytest.mark.usefixtures("repository")
def test_a_deployment_that_is_refused_before_it_is_one_is_explained() -> None:
    assert run("deploy", "--to", "nowhere")[0] == 2
    assert "gave a command line: deploy --to nowhere" in run("audit")[1]
    assert "no such environment" in run("why")[1]


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    "command", [("deploy", "--to", "staging", "--force"), ("lock", "--to", "staging", "--reason")]
)
def test_a_reason_is_none_where_nothing_of_it_can_be_seen(command: tuple[str, ...]) -> None:
    status, said = run(*command, "\u200b")
    assert status == 2
    assert "the reason has an invisible character (U+200B)" in said


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("reason", ["", "  \n ", "--to", "x" * 301])
def test_a_forced_deployment_has_a_reason_that_can_be_read(reason: str) -> None:
    status, said = run("deploy", "--to", "staging", f"--force={reason}")
    assert status == 2
    assert "the reason is missing" in said or "a reason has at most 300 characters" in said
    assert "gave a command line: deploy --to staging" in run("audit")[1]
