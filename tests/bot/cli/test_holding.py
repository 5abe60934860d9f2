"""Who locks, unlocks and resumes at a terminal: those who deploy there, as in chat."""

import asyncio
import os
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from bot.account import user
from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Request,
    Trigger,
    new_deployment_id,
)
from bot.domain.lock import Lock
from bot.store.database import Database
from bot.store.deployments import Deployments, insert
from bot.store.locks import Locks
from tests.bot.cli.terminal import GIT, run, sits_in_a_repository

T = TypeVar("T")
OPEN = "environments:\n  staging: {}\n"
NAMED = f"{OPEN}  production: {{deployers: {{teams: [acme/platform]}}}}\n"
LET_IN = f"{OPEN}  production: {{deployers: {{teams: [acme/platform], terminal: true}}}}\n"
GRACE = Actor("grace", "slack")


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return sits_in_a_repository(tmp_path, monkeypatch, NAMED)


def redeclare(repository: Path, rules: str) -> None:
    (repository / ".pachops.yml").write_text(rules)
    subprocess.run([*GIT, "commit", "-qam", "Rules"], cwd=repository, check=True)  # noqa: S603


def on_database(work: Callable[[Database], Awaitable[T]]) -> T:
    async def opened() -> T:
        database = await Database.open(os.environ["PACHOPS_DATABASE_URL"])
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(opened())


def locked(repository: Path, environment: str | None, owner: Actor = GRACE) -> None:
    lock = Lock("1", str(repository), environment, owner, "fire", time.time())
    on_database(lambda database: Locks(database).take(lock, time.time()))


def locks() -> list[tuple[str | None, str]]:
    found = on_database(lambda database: Locks(database).list(None, time.time()))
    return [(each.environment, each.owner.name) for each in found]


@pytest.mark.parametrize(
    "line",
    [
        "lock --to production",
        "lock --to production --take-from grace",
        "unlock --to production --of grace",
        "resume --to production",
        "lock --all",
        "unlock --all --of grace",
    ],
)
def test_a_list_that_keeps_terminals_from_deploying_keeps_them_from_these(
    repository: Path, line: str
) -> None:
    locked(repository, None if "--all" in line else "production")
    before = locks()
    status, said = run(*line.split())
    assert (status, "is not a deployer of production at a terminal" in said) == (3, True)
    assert locks() == before
    assert "is not a deployer of production at a terminal" in run("why")[1]


@pytest.mark.parametrize("line", ["lock --to production", "lock --all", "lock --to staging"])
def test_who_is_let_in_locks_and_unlocks(repository: Path, line: str) -> None:
    redeclare(repository, LET_IN)
    assert run(*line.split())[0] == 0
    assert run(*f"un{line}".split())[0] == 0
    assert locks() == []


def test_the_default_branch_says_who(repository: Path) -> None:
    subprocess.run([*GIT, "checkout", "-qb", "mine"], cwd=repository, check=True)  # noqa: S603
    redeclare(repository, LET_IN)
    assert run("lock", "--to", "production")[0] == 3


def test_so_do_the_operators_own_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("rules: [{deployers: {users: [bob]}}]\n")
    settings.chmod(0o600)
    monkeypatch.setenv("PACHOPS_SETTINGS_FILE", str(settings))
    assert run("lock", "--to", "staging")[0] == 3


@pytest.mark.parametrize("line", ["unlock --to production --of grace", "unlock --all --of grace"])
def test_where_the_rules_are_wrong_nobody_opens_what_somebody_closed(
    repository: Path, line: str
) -> None:
    environment = None if "--all" in line else "production"
    locked(repository, environment)
    redeclare(repository, "environments: {production: {unheard_of: 1}}\n")
    assert run(*line.split())[0] == 2
    assert locks() == [(environment, "grace")]


def test_a_lock_of_what_the_rules_have_no_more_is_released_by_its_owner(repository: Path) -> None:
    locked(repository, "gone", Actor(user(), "cli"))
    assert run("unlock", "--to", "gone")[0] == 0


@pytest.mark.parametrize("rules", [NAMED, "environments: {production: {unheard_of: 1}}\n"])
@pytest.mark.parametrize(
    ("environment", "line"), [("production", "--to production"), (None, "--all")]
)
def test_ones_own_lock_is_released_whatever_the_rules_are(
    repository: Path, rules: str, environment: str | None, line: str
) -> None:
    locked(repository, environment, Actor(user(), "cli"))
    if rules != NAMED:
        redeclare(repository, rules)
    assert run("unlock", *line.split())[0] == 0
    assert locks() == []


@pytest.mark.parametrize(("rules", "status"), [(NAMED, 3), (LET_IN, 0)])
def test_and_by_those_who_deploy_to_all(repository: Path, rules: str, status: int) -> None:
    locked(repository, "gone")
    redeclare(repository, f"{rules}  more: {{}}\n")
    assert run("unlock", "--to", "gone", "--of", "grace")[0] == status


def test_to_stop_is_safe_and_asks_nobody(repository: Path) -> None:
    redeclare(repository, "environments: {production: {unheard_of: 1}}\n")
    commit = Commit("a" * 40, "main")
    request = Request(
        Kind.DEPLOY, str(repository), "production", commit, Trigger.COMMENT, Actor("ada", "github")
    )
    made = Deployment(new_deployment_id(), request)

    async def submit(database: Database) -> None:
        await database.write(lambda connection: insert(connection, made))

    on_database(submit)
    assert run("cancel", made.id)[0] == 0
    found = on_database(lambda database: Deployments(database).get(made.id))
    assert found is not None
    assert found.cancel_requested_by or found.outcome
