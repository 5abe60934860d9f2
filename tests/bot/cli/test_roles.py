"""What a list of people means for who types at a terminal, from the command to the audit."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from typer.testing import CliRunner

from bot.account import user
from bot.cli import app
from bot.domain.approval import ApprovalRequest, Proposal
from bot.domain.deployment import Actor, Commit, Deployment, Kind, Request, Trigger
from bot.store.approvals import Approvals, Asked
from bot.store.audit import Audit
from bot.store.database import Database
from bot.store.deployments import insert

T = TypeVar("T")
RULES = """
images: {}
pipelines: []
environments:
  staging: {}
  production:
    deployers: {teams: [acme/platform]}
    approvals: {count: 1, who: {users: [bob]}}
  emergency:
    deployers: {teams: [acme/platform], terminal: true}
    force: {teams: [acme/platform], terminal: true}
    approvals: {count: 1, who: {users: [bob], terminal: true}}
  free: {approvals: 1, force: {permission: admin}}
"""
GIT = ("git", "-c", "user.name=ann", "-c", "user.email=ann@acme.io")
ID = "06gaaaaaaaaa0001"


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "edges"
    folder.mkdir()
    (folder / ".pachops.yml").write_text(RULES)
    for arguments in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "Rules")):
        subprocess.run([*GIT, *arguments], cwd=folder, check=True)  # noqa: S603 - fixed words
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PACHOPS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PACHOPS_DATABASE_URL", f"sqlite:///{tmp_path}/pachops.db")
    monkeypatch.setenv("PACHOPS_PACHD_ADDRESS", "grpc://127.0.0.1:1")
    monkeypatch.chdir(folder)
    return folder


def run(*words: str) -> tuple[int, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["pachops", *words])
        result = CliRunner().invoke(app, words)
    return result.exit_code, " ".join((result.stdout + result.stderr).split())


def rows() -> list[dict[str, Any]]:
    printed = CliRunner().invoke(app, ["audit", "--json"]).stdout
    return [json.loads(line) for line in printed.splitlines()]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--to", "production"), "not_a_deployer"),
        (("--to", "production", "--force", "it burns"), "not_a_deployer"),
        (("--to", "staging", "--force", "it burns"), "force_not_allowed"),
        (("--to", "staging"), None),
        (("--to", "emergency", "--force", "it burns"), None),
        (("--to", "free", "--force", "it burns"), None),
    ],
)
def test_a_deployment_is_let_through_or_refused_before_it_is_one(
    repository: Path, words: tuple[str, ...], code: str | None
) -> None:
    status, said = run("deploy", *words, "--json")
    if code is None:
        # It began: there is no cluster here.
        assert (status, '"event": "accepted"' in said) == (1, True)
        return
    assert status == 3
    assert code in said
    assert "terminal: true" in said or "lets nobody force" in said
    command, decision = rows()[:2]
    assert (command["action"], decision["action"]) == ("command", "decision")
    assert (decision["repository"], decision["environment"]) == (str(repository), words[1])
    assert decision["reasons"][0] == code
    assert decision["facts"]["on"]["trigger"] == "cli"
    assert code in run("why")[1]
    assert "No deployments yet" in run("status")[1]


def test_all_that_stood_in_the_way_is_in_the_audit_and_explained() -> None:
    _, said = run("deploy", "--to", "production", "--force", "it burns")
    assert "lets nobody force" in said
    codes = ["not_a_deployer", "force_not_allowed"]
    assert rows()[1]["reasons"] == codes
    assert [each["code"] for each in rows()[1]["facts"]["reasons"]] == codes
    explained = run("why")[1]
    assert all(code in explained for code in codes)


def waits_for_approval(repository: Path, environment: str) -> None:
    sha = (repository / ".git/refs/heads/main").read_text().strip()
    request = Request(
        Kind.DEPLOY,
        str(repository),
        environment,
        Commit(sha, "HEAD", "main"),
        Trigger.CLI,
        Actor("grace", "cli"),
    )

    async def ask(database: Database) -> None:
        await database.write(partial(insert, deployment=Deployment(ID, request)))
        now = time.time()
        proposal = Proposal(sha, (), ())
        wanted = ApprovalRequest(ID, proposal, request.actor, 1, now, now + 3600)
        await Approvals(database).ask(wanted)

    asyncio.run(on_database(ask))


async def on_database(work: Callable[[Database], Awaitable[T]]) -> T:
    database = await Database.open(os.environ["PACHOPS_DATABASE_URL"])
    try:
        return await work(database)
    finally:
        await database.close()


def approval() -> Asked:
    found = asyncio.run(on_database(lambda database: Approvals(database).get(ID)))
    assert isinstance(found, Asked)
    return found


@pytest.mark.parametrize("verdict", ["approve", "reject"])
@pytest.mark.parametrize(
    ("environment", "counts"), [("production", False), ("emergency", True), ("free", True)]
)
def test_a_vote_counts_where_the_list_lets_the_terminal_in(
    repository: Path, environment: str, verdict: str, *, counts: bool
) -> None:
    waits_for_approval(repository, environment)
    status, said = run(verdict, ID)
    assert len(approval().votes) == counts
    if counts:
        assert status == 0
        return
    assert status == 3
    assert "is not an approver of production at a terminal; they are: bob" in said
    assert [each["action"] for each in rows()][-3:-1] == ["command", "decision"]
    assert "is not an approver of production" in run("why")[1]


def test_the_rules_of_the_moment_of_a_vote_say_how_many_are_needed(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits_for_approval(repository, "free")
    settings = tmp_path / "settings.yaml"
    settings.write_text("rules: [{approvals: 3}]\n")
    settings.chmod(0o600)
    monkeypatch.setenv("PACHOPS_SETTINGS_FILE", str(settings))
    assert run("approve", ID)[0] == 0
    assert approval().request.needed == 3
    assert user() in [each.by.name for each in approval().votes]


def test_who_is_too_late_is_told_that_first(repository: Path) -> None:
    waits_for_approval(repository, "production")

    async def end(database: Database) -> None:
        await Approvals(database).settle(ID, time.time() + 7200)

    asyncio.run(on_database(end))
    assert "is decided" in run("approve", ID)[1]


def test_a_vote_on_nothing_is_refused() -> None:
    assert run("approve", "nowhere")[0] == 2
    assert asyncio.run(on_database(lambda database: Audit(database).verify()))[1] == ()
