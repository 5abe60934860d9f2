"""Who acts in a workflow's step is said by its environment, and shown as no more than that."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bot.cli.terminal import run, sits_in_a_repository, typed

RULES = """
images: {}
pipelines: []
environments:
  staging: {deployers: {users: [ada]}}
  production: {deployers: {users: [grace]}}
"""
VARIABLES = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "Ada",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REPOSITORY": "acme/edges",
    "GITHUB_SERVER_URL": "https://github.example",
    "INPUT_PATH": "edges",
    "PACHOPS_PACHD_ADDRESS": "grpc://127.0.0.1:1",
}


@pytest.fixture(autouse=True)
def _step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of a workflow that has checked the repository out."""
    repository = sits_in_a_repository(tmp_path, monkeypatch, RULES)
    sha = (repository / ".git/refs/heads/main").read_text().strip()
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"ref": "refs/heads/main", "after": sha}))
    places = {"GITHUB_EVENT_PATH": event, "GITHUB_WORKSPACE": tmp_path, "RUNNER_TEMP": tmp_path}
    for name, value in {**VARIABLES, **places, "GITHUB_SHA": sha}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("GITHUB_TRIGGERING_ACTOR", raising=False)


def deployed_to(monkeypatch: pytest.MonkeyPatch, environment: str) -> str:
    monkeypatch.setenv("INPUT_ENVIRONMENT", environment)
    return run("action")[1]


def rows() -> list[dict[str, Any]]:
    found = [json.loads(each) for each in typed("audit", "--json")[1].splitlines()]
    return [each for each in found if each["actor"]["name"] == "Ada"]


def test_what_it_does_is_in_the_audit_as_a_workflows(monkeypatch: pytest.MonkeyPatch) -> None:
    deployed_to(monkeypatch, "staging")
    assert {each["action"] for each in rows()} >= {"command", "decision", "submitted"}
    assert {(each["actor"]["surface"], each["actor"]["account"]) for each in rows()} == {
        ("action", "github:ada")
    }
    assert "Ada (action)" in run("audit")[1]
    assert "Ada asked `action` in a workflow" in run("why")[1]
    assert "Ada (action)" in run("history")[1]


def test_so_is_what_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Ada is not a deployer of production" in deployed_to(monkeypatch, "production")
    assert rows()[-1]["reasons"] == ["not_a_deployer"]
    assert "Ada asked `action` in a workflow" in run("why")[1]
