"""Every file and command that the guides show is read by what it is for."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from bot.cli import app
from bot.domain.command import parse
from bot.domain.command_form import Mistake
from bot.project import parse_project
from bot.settings import load_settings
from tests.docs import guides
from tests.docs.guides import DOCS, GUIDES, ROOT

OWN_ACTION = "pachops/pachops@v0"
ACTION: dict[str, Any] = YAML(typ="safe").load(ROOT / "action.yml")

every_guide = pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)


@every_guide
def test_every_block_of_yaml_is_known(page: Path) -> None:
    assert guides.others(page) == []


@every_guide
def test_the_project_files_are_valid(page: Path) -> None:
    for text in guides.project_files(page):
        parse_project(text.encode())


def test_every_recipe_has_its_project_file() -> None:
    assert len(guides.project_files(DOCS / "recipes.md")) >= 8


@every_guide
def test_the_settings_files_are_valid(page: Path, tmp_path: Path) -> None:
    for text in guides.settings_files(page):
        (tmp_path / "key").write_text("-----BEGIN RSA PRIVATE KEY-----")
        named = re.sub(r"/(?:run/secrets|etc/pachops)/[\w./]+", str(tmp_path / "key"), text)
        file = tmp_path / "settings.yaml"
        file.write_text(named)
        file.chmod(0o600)
        settings = load_settings({"HOME": str(tmp_path), "PACHOPS_SETTINGS_FILE": str(file)})
        assert "default" in settings.clusters


@every_guide
def test_the_steps_have_inputs_and_outputs_that_exist(page: Path) -> None:
    for text in guides.workflows(page):
        steps = [
            step
            for job in YAML(typ="safe").load(text)["jobs"].values()
            for step in job["steps"]
            if step.get("uses") == OWN_ACTION
        ]
        assert steps
        for step in steps:
            assert set(step.get("with", {})) <= set(ACTION["inputs"])
        named = set(re.findall(r"steps\.deploy\.outputs\.(\w+)", text))
        assert named <= set(ACTION["outputs"])


def test_the_settings_in_a_step_are_valid(tmp_path: Path) -> None:
    (shown,) = (
        step["with"]["settings"]
        for text in guides.workflows(DOCS / "action.md")
        for job in YAML(typ="safe").load(text)["jobs"].values()
        for step in job["steps"]
        if "settings" in step.get("with", {})
    )
    file = tmp_path / "settings.yaml"
    file.write_text(shown)
    settings = load_settings({"HOME": str(tmp_path), "PACHOPS_SETTINGS_FILE": str(file)})
    assert set(settings.clusters) == {"default", "research"}


@pytest.mark.parametrize("part", ["inputs", "outputs"])
def test_the_tables_have_every_input_and_output(part: str) -> None:
    section = (DOCS / "action.md").read_text().partition(f"## {part.title()}\n")[2]
    rows = re.findall(r"^\| `([\w-]+)` \|", section.partition("\n## ")[0], re.MULTILINE)
    assert rows == list(ACTION[part])


def test_the_tables_have_the_defaults() -> None:
    text = (DOCS / "action.md").read_text()
    for name in ("reprocess", "dry-run", "report", "python-version"):
        assert f"| `{name}` | `{ACTION['inputs'][name]['default']}` |" in text


@every_guide
def test_the_commands_of_pachops_take_these_options(page: Path) -> None:
    for line in guides.commands(page):
        words = shlex.split(line, comments=True)
        if words[0].endswith("pachops") and words[1] != "--version":
            command, arguments = get_command(app), words[1:]
            while hasattr(command, "commands"):
                command, arguments = command.commands[arguments[0]], arguments[1:]
            command.make_context(command.name, list(arguments), resilient_parsing=True)
            for option in (each for each in arguments if each.startswith("--")):
                assert any(option in parameter.opts for parameter in command.params), line


@every_guide
def test_what_people_ask_for_is_understood(page: Path) -> None:
    for line in guides.asked(page):
        assert not isinstance(parse(line), Mistake), line


def test_the_readme_shows_what_people_ask_for() -> None:
    assert len(guides.asked(ROOT / "README.md")) >= 5


@every_guide
def test_the_targets_of_make_are_there(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    text = page.read_text()
    for target in re.findall(r"(?:^\$ |`)make ([\w-]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_files_that_commands_name_are_there() -> None:
    for line in guides.commands(DOCS / "install.md"):
        for path in re.findall(r"\bdeploy/[\w./]+", line):
            assert (ROOT / path).exists(), line


def test_the_secrets_that_are_made_are_those_that_compose_reads() -> None:
    compose = YAML(typ="safe").load(ROOT / "compose.yaml")
    needed = {Path(each["file"]).name for each in compose["secrets"].values()}
    made = set(re.findall(r"secrets/([\w.]+)", (DOCS / "install.md").read_text()))
    assert needed <= made


@pytest.mark.parametrize("page", [*GUIDES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)]+)\)", text) + re.findall(r'src="([^"]+)"', text):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor:
            titles = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", t).strip().lower().replace(" ", "-") for t in titles}
            assert anchor in slugs, link
