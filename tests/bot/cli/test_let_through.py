"""What a terminal is allowed is a decision in the audit, and explained like that of chat."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.domain.deployment import Actor, Commit, Deployment, Kind, Request, Trigger
from bot.domain.gate_rules import EnvironmentRules
from bot.store.audit import Audit
from bot.store.database import Database
from bot.store.deployments import insert
from handlers.commands.noting import leave_at_terminal
from tests.bot.cli.terminal import run, sits_in_a_repository

RULES = """
images: {}
pipelines: []
environments:
  staging: {}
  emergency:
    deployers: {teams: [acme/platform], users: [bob], terminal: true}
    force: {permission: maintain}
    not: [Mon 00:00 - Thu 00:00 UTC, Thu 00:00 - Mon 00:00 UTC]
    requires: [checks]
    approvals: 2
"""


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PACHOPS_PACHD_ADDRESS", "grpc://127.0.0.1:1")
    return sits_in_a_repository(tmp_path, monkeypatch, RULES)


def rows() -> list[dict[str, Any]]:
    printed = CliRunner().invoke(app, ["audit", "--json"]).stdout
    return [json.loads(line) for line in printed.splitlines()]


def decision(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The only one, which comes right before what it let through."""
    (place,) = [index for index, each in enumerate(found) if each["action"] == "decision"]
    assert found[place + 1]["action"] == "submitted"
    assert found[place]["deployment"] == found[place + 1]["deployment"]
    assert found[place]["repository"] == found[place + 1]["repository"]
    assert found[place].get("reasons", []) == []
    return found[place]


def test_what_is_let_through_is_a_decision_with_its_facts(repository: Path) -> None:
    run("deploy", "--to", "staging")
    found = decision(rows())
    sha = (repository / ".git/refs/heads/main").read_text().strip()
    assert found["environment"] == "staging"
    assert found["facts"]["line"] == "deploy --to staging"
    assert found["facts"]["on"] == {
        "trigger": "cli",
        "ref": "HEAD",
        "sha": sha,
        "branch": "main",
        "deployers": ["everybody with write permission"],
    }
    explained = run("why", found["deployment"])[1]
    assert "It was let through" in explained
    assert "`deploy --to staging` on the command line" in explained
    assert "deployers: everybody with write permission" in explained
    assert sha in explained


def test_so_is_whom_a_list_lets_in_and_what_was_forced() -> None:
    run("deploy", "--to", "emergency", "--force", "it burns")
    found = decision(rows())
    assert found["facts"]["on"]["deployers"] == ["bob, acme/platform; terminals too"]
    assert found["facts"]["on"]["may_force"] == ["everybody with maintain permission"]
    assert found["facts"]["on"]["force"] == "it burns"
    explained = run("why", found["deployment"])[1]
    assert "may force: everybody with maintain permission" in explained
    assert "force: it burns" in explained


def test_what_was_skipped_by_force_is_in_it_and_explained() -> None:
    run("lock", "emergency", "an experiment")
    run("deploy", "--to", "emergency", "--force", "it burns")
    found = decision(rows())
    assert [each["code"] for each in found["facts"]["skipped"]] == [
        "environment_frozen",
        "fact_unknown",
        "approval_missing",
    ]
    explained = run("why", found["deployment"])[1]
    assert "Skipped by force: emergency needs 2 approvals by others" in explained
    assert "Skipped by force: emergency is frozen" in explained


def test_so_is_a_rollback(repository: Path, tmp_path: Path) -> None:
    by = Actor("grace", "cli")
    before = Request(
        Kind.DEPLOY, str(repository), "staging", Commit("a" * 40, "HEAD"), Trigger.CLI, by
    )

    async def ask() -> None:
        database = await Database.open(f"sqlite:///{tmp_path}/pachops.db")
        await database.write(
            lambda connection: insert(connection, Deployment("06gaaaaaaaaa0001", before))
        )
        await database.close()

    asyncio.run(ask())
    run("rollback", str(repository), "--to", "staging")
    (found,) = [each for each in rows() if each["action"] == "decision"]
    assert found["facts"]["line"].startswith("rollback ")
    assert found["facts"]["on"]["deployers"] == ["everybody with write permission"]
    assert "It was let through" in run("why", found["deployment"])[1]


def test_it_is_there_once_however_often_it_is_written(tmp_path: Path) -> None:
    asked = Request(Kind.DEPLOY, "r", "e", Commit("a" * 40, "HEAD"), Trigger.CLI, Actor("a", "cli"))
    deployment = Deployment("06gaaaaaaaaa0001", asked)

    async def written() -> list[bool]:
        database = await Database.open(f"sqlite:///{tmp_path}/pachops.db")
        found = []
        for _ in range(2):
            entry, once = leave_at_terminal("deploy", deployment, EnvironmentRules(), (), str)
            found.append(await Audit(database).append(entry, once=once) is not None)
        await database.close()
        return found

    assert asyncio.run(written()) == [True, False]
