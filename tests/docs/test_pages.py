"""What the pages show is read by the code that it is for."""

import re
import shlex
from pathlib import Path
from typing import cast

import pytest
from typer.main import get_command

from bot.cli import app
from bot.domain.command import parse
from bot.domain.command_form import Mistake
from bot.project import parse_project
from bot.settings import load_settings
from bot.store.deliveries import Deliveries
from bot.store.figures import FigureStore
from handlers.slack.repositories import split_repository
from handlers.web.metrics import Metrics

ROOT = Path(__file__).parents[2]
SLACK = ROOT / "docs" / "slack.md"
SCALING = ROOT / "docs" / "scaling.md"
PAGES = (ROOT / "README.md", ROOT / "docs" / "configuration.md")
OPERATIONS = ROOT / "docs" / "operations.md"


def blocks(page: Path, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_project_files_are_valid(page: Path) -> None:
    shown = [text for text in blocks(page, "yaml") if "\nenvironments:" in f"\n{text}"]
    assert [parse_project(text.encode()).environments.keys() for text in shown]


def test_the_settings_file_is_valid(tmp_path: Path) -> None:
    shown = next(text for text in blocks(PAGES[1], "yaml") if "clusters:" in text)
    for name in ("pachd", "git", "npm"):
        (tmp_path / name).write_text("a-secret-value")
    file = tmp_path / "settings.yaml"
    file.write_text(shown.replace("/run/secrets", str(tmp_path)))
    file.chmod(0o600)
    settings = load_settings({"HOME": str(tmp_path), "PACHOPS_SETTINGS_FILE": str(file)})
    assert set(settings.clusters) == {"default", "research"}


def test_the_operators_rules_are_valid(tmp_path: Path) -> None:
    shown = next(text for text in blocks(PAGES[1], "yaml") if text.startswith("rules:"))
    file = tmp_path / "settings.yaml"
    file.write_text(shown)
    settings = load_settings({"HOME": str(tmp_path), "PACHOPS_SETTINGS_FILE": str(file)})
    assert len(settings.rules) == 1


def test_the_variables_of_the_table_are_known(tmp_path: Path) -> None:
    pages = PAGES[1].read_text(encoding="utf-8") + SCALING.read_text(encoding="utf-8")
    table = re.findall(r"`(PACHOPS_[A-Z_]+|DOCKER_HOST)`", pages)
    names = {name for name in table if not name.endswith("FILE")} - {"PACHOPS_GIT_HOST"}
    values = {
        "PACHOPS_PACHD_ADDRESS": "grpc://localhost:30650",
        "PACHOPS_DATABASE_URL": f"sqlite:///{tmp_path}/pachops.db",
        "DOCKER_HOST": "unix:///var/run/docker.sock",
        "PACHOPS_MINIMUM_FREE_SPACE": "1g",
        "PACHOPS_PARALLEL_BUILDS": "2",
        "PACHOPS_ALLOW_FORKS": "true",
        "PACHOPS_RUNNING_DEPLOYMENTS": "2",
        "PACHOPS_TIMEOUT_STOP": "1m",
        "PACHOPS_BUILDX_CACHE": "true",
        "PACHOPS_RETENTION_ROLLBACKS": "2",
        "PACHOPS_TIMEOUT_SOURCE": "1m",
        "PACHOPS_LOG_LEVEL": "info",
        "PACHOPS_DATA_DIR": str(tmp_path),
        "PACHOPS_GITHUB_APP_ID": "4711",
        "PACHOPS_GITHUB_PRIVATE_KEY": "-----BEGIN RSA PRIVATE KEY-----",
        "PACHOPS_GITHUB_BASE_URL": "https://github.example.com",
        "PACHOPS_GITHUB_WORD": "/deploybot",
        "PACHOPS_SLACK_BOT_TOKEN": "xoxb-1",
        "PACHOPS_SLACK_APP_TOKEN": "xapp-1",
        "PACHOPS_SLACK_MODE": "http",
        "PACHOPS_SLACK_BASE_URL": "https://slack-gov.com/api",
        "PACHOPS_SLACK_DEFAULT_CHANNEL": "#deployments",
        "PACHOPS_WEB_PORT": "8080",
        "PACHOPS_WEB_WORKER_PORT": "8081",
        "PACHOPS_WEB_PUBLIC_URL": "https://pachops.example.com",
        "PACHOPS_WEB_LINK_KEYS": "24-characters-at-the-least,and-an-older-one-of-these",
        "PACHOPS_WEB_LINK_DAYS": "14",
        "PACHOPS_WEB_METRICS_TOKEN": "24-characters-at-the-least",
        "PACHOPS_LOG_FORMAT": "json",
    }
    settings = load_settings(
        {"HOME": str(tmp_path)}
        | {name: "30d" if "_RETENTION_" in name else "a-value" for name in names}
        | {name: value for name, value in values.items() if name in names}
    )
    assert settings.parallel_builds == 2


@pytest.mark.parametrize("page", [*PAGES, SCALING, OPERATIONS], ids=lambda page: page.name)
def test_the_commands_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    shown = set(re.findall(r"(?:^\$ (?:\.venv/bin/)?|`)pachops ([a-z]+)", text, re.MULTILINE))
    commands = get_command(app).commands  # type: ignore[attr-defined] # a click Group
    assert shown
    assert shown <= set(commands)


def test_links_between_pages_lead_somewhere() -> None:
    docs = ROOT / "docs"
    pages = (*PAGES, SCALING, OPERATIONS, docs / "architecture.md", docs / "security.md")
    for page in pages:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_figure_is_described() -> None:
    # Nothing is looked up, so that no database is asked.
    figures, deliveries = cast(FigureStore, None), cast(Deliveries, None)
    metrics = Metrics(figures, deliveries, token=None).registry.collect()
    text = OPERATIONS.read_text(encoding="utf-8")
    ours = {family.name for family in metrics if family.name.startswith("pachops_")}
    known = {name for name in ours if name in text or name.startswith("pachops_dora_")}
    assert ours == known


def test_the_commands_in_slack_are_commands() -> None:
    shown = "\n".join(blocks(SLACK, "text")).splitlines()
    lines = [*shown, *re.findall(r"`(/pachops [^`]*)`", SLACK.read_text(encoding="utf-8"))]
    assert len(lines) > 20
    for line in lines:
        command, _ = split_repository(line.removeprefix("/pachops "))
        assert not isinstance(parse(shlex.join(command)), Mistake), line


def test_the_approvals_shown_for_slack_are_rules() -> None:
    (shown,) = re.findall(r"`(approvals: [^`]*)`", SLACK.read_text(encoding="utf-8"))
    project = parse_project(f"environments: {{production: {{{shown}}}}}".encode())
    (people,) = project.rules().environments["production"].approvals.who
    assert people.groups == {"ml-oncall"}
