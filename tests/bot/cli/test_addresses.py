"""A repository that is typed in another way than it is kept has the same line and locks."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Request,
    Trigger,
    new_deployment_id,
)
from bot.store.database import Database
from bot.store.deployments import insert
from tests.bot.cli.terminal import GIT, run, sits_in_a_repository

RULES = """
images: {}
pipelines: []
environments: {staging: {}, production: {}}
"""
URL, SSH = "https://github.com/ACME/Edges", "git@github.com:acme/edges.git"


@pytest.fixture(autouse=True)
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of what was deployed to production by its URL."""
    monkeypatch.setenv("PACHOPS_PACHD_ADDRESS", "grpc://127.0.0.1:1")
    folder = sits_in_a_repository(tmp_path, monkeypatch, RULES)
    subprocess.run([*GIT, "remote", "add", "origin", SSH], cwd=folder, check=True)  # noqa: S603 - fixed words
    deployed_by_its_url("production")
    return folder


def deployed_by_its_url(environment: str) -> None:
    commit, ada = Commit("a" * 40, "main"), Actor("ada", "github")
    request = Request(Kind.DEPLOY, URL, environment, commit, Trigger.COMMENT, ada)
    made = Deployment(new_deployment_id(), request)

    async def keep() -> None:
        database = await Database.open(os.environ["PACHOPS_DATABASE_URL"])
        try:
            await database.write(lambda connection: insert(connection, made))
        finally:
            await database.close()

    asyncio.run(keep())


@pytest.mark.parametrize(
    "line",
    [
        "deploy --to production",
        "lock --to production",
        "lock --all",
        "unlock --to production",
        "resume --to production",
    ],
)
def test_a_clone_is_no_way_around_the_line_of_what_it_is_a_clone_of(line: str) -> None:
    status, said = run(*line.split())
    assert (status, f"Name {URL}" in said) == (2, True)
    assert "other_address" in run("why")[1]


def test_where_nothing_else_is_deployed_a_clone_is_deployed() -> None:
    status, said = run("deploy", "--to", "staging", "--json")
    # It began: there is no cluster here.
    assert (status, '"event": "accepted"' in said) == (1, True)


def test_what_is_locked_by_its_url_is_released_by_its_path(clone: Path) -> None:
    assert run("lock", f"file://{clone}", "--to", "staging")[0] == 0
    status, said = run("unlock", str(clone), "--to", "staging")
    assert (status, "staging" in said) == (0, True)


def test_a_lock_that_a_clone_has_of_its_own_is_released() -> None:
    run("lock", "--to", "staging")
    deployed_by_its_url("staging")
    assert run("unlock", "--to", "staging")[0] == 0
