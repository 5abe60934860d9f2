from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot.doctor.github import (
    LEAST,
    look_at,
    of_clock,
    of_events,
    of_hook,
    of_installations,
    of_permissions,
    of_token,
)
from bot.domain.finding import Finding, Level
from bot.services.github import AppView
from bot.settings import load_settings
from tests.standins.github.app import EVENTS
from tests.standins.github.server import GitHubServer

WHOLE = AppView(slug="pachops", permissions={**LEAST, "members": "read"}, events=EVENTS)


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[GitHubServer]:
    async with GitHubServer(tmp_path) as github:
        github.repository("acme/edges", {"a": "1"})
        yield github


def levels(findings: Sequence[Finding]) -> list[Level]:
    return [each.level for each in findings]


def variables(tmp_path: Path, github: GitHubServer) -> dict[str, str]:
    return {
        "HOME": str(tmp_path),
        "PACHOPS_GITHUB_BASE_URL": github.url,
        "PACHOPS_GITHUB_APP_ID": str(github.app.id),
        "PACHOPS_GITHUB_PRIVATE_KEY": github.app.private_key.replace("\n", "\\n"),
        "PACHOPS_GITHUB_WEBHOOK_SECRETS": github.app.webhook_secret,
    }


async def test_an_app_that_is_well_set_up_is_good(github: GitHubServer, tmp_path: Path) -> None:
    github.send_webhooks_to("http://127.0.0.1:9/github/webhook")
    findings = await look_at(load_settings(variables(tmp_path, github)))
    assert {each.level for each in findings} == {Level.GOOD}, findings


async def test_a_token_is_looked_at(github: GitHubServer, tmp_path: Path) -> None:
    environ = {
        "HOME": str(tmp_path),
        "PACHOPS_GITHUB_BASE_URL": github.url,
        "PACHOPS_GITHUB_TOKEN": github.personal_token("ada"),
    }
    findings = await look_at(load_settings(environ))
    assert levels(findings) == [Level.GOOD, Level.NOTE]


@pytest.mark.parametrize(
    ("findings", "level", "part"),
    [
        (of_clock(3), Level.GOOD, "3 s"),
        (of_clock(-90), Level.FAULT, "90 s behind"),
        (of_clock(90), Level.FAULT, "90 s ahead"),
        (
            of_permissions(WHOLE.model_copy(update={"permissions": {**LEAST, "checks": "read"}})),
            Level.FAULT,
            "checks: write",
        ),
        (of_events(WHOLE, [*EVENTS, "check_suite"]), Level.FAULT, "check_suite"),
        (of_installations({}), Level.FAULT, "nowhere"),
        (of_installations({"acme": {"metadata": "read"}}), Level.FAULT, "acme has not granted"),
        (of_installations({"acme": dict(LEAST)}), Level.GOOD, "acme"),
        (of_hook(None, None), Level.FAULT, "no webhook"),
        (of_hook("https://old/github/webhook", "https://new"), Level.WARNING, "https://old"),
        (of_token(()), Level.FAULT, "none"),
        (of_token(("repo",)), Level.GOOD, "repositories"),
        (of_token(("public_repo", "admin:repo_hook")), Level.GOOD, "repositories"),
    ],
)
def test_what_is_wrong_is_said(findings: Sequence[Finding], level: Level, part: str) -> None:
    assert levels(findings) == [level]
    assert part in findings[0].fact
    assert bool(findings[0].next_step) == (level is not Level.GOOD)


def test_more_rights_than_needed_are_named() -> None:
    more = WHOLE.model_copy(update={"permissions": {**LEAST, "administration": "write"}})
    facts = [each.fact for each in of_permissions(more)]
    assert any("administration: write" in fact for fact in facts)
    assert any("members: read" in fact for fact in facts)
