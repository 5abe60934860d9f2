"""Every file and command that the guides show is read by what it is for."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from ruamel.yaml import YAML
from typer.main import get_command

from bot.cli import app
from bot.domain.command import parse
from bot.domain.command_form import Mistake
from bot.project import parse_project
from bot.settings import load_settings
from handlers.web.app import MOST_BYTES, web_app
from tests.docs import guides
from tests.docs.guides import DOCS, GUIDES, ROOT

OWN_ACTION = "pachops/pachops@v0"
ACTION: dict[str, Any] = YAML(typ="safe").load(ROOT / "action.yml")

every_guide = pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)


_FILES = r"/(?:run/secrets|etc/pachops)/[\w./]+"
READ = {"console", "yaml", "text"}
"""The kinds of blocks of which the tests here read each one, on whatever page."""
ONCE = {
    "recipes.md": {"make"},
    "operations.md": {"nginx"},
    "architecture.md": {""},  # the folders, which test_architecture.py reads
}


@every_guide
def test_every_block_is_of_a_kind_that_is_read(page: Path) -> None:
    assert guides.kinds(page) <= READ | ONCE.get(page.name, set())


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
        for path in re.findall(_FILES, text):
            content = "-----BEGIN RSA PRIVATE KEY-----" if "key" in path else "a-secret-value"
            (tmp_path / Path(path).name).write_text(content)
        named = re.sub(_FILES, lambda found: str(tmp_path / Path(found[0]).name), text)
        if "clusters" not in text:
            named += 'clusters: {default: {address: "grpc://localhost:30650"}}\n'
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
        arguments = of_pachops(shlex.split(line, comments=True))
        if arguments and arguments != ["--version"]:
            command = get_command(app)
            while hasattr(command, "commands"):
                command, arguments = command.commands[arguments[0]], arguments[1:]
            command.make_context(command.name, list(arguments), resilient_parsing=True)
            for option in (each for each in arguments if each.startswith("--")):
                assert any(option in parameter.opts for parameter in command.params), line


def of_pachops(words: list[str]) -> list[str]:
    """What pachops is given: as a command, behind settings, or in a container of its image."""
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    if words[:2] == ["docker", "run"]:
        return words[words.index("pachops") + 1 :]
    return words[1:] if words and Path(words[0]).name == "pachops" else []


@every_guide
def test_the_commands_are_a_shells(page: Path) -> None:
    for line in guides.commands(page):
        parsed = subprocess.run(  # noqa: S603 - it is only parsed
            ["bash", "-n", "-c", line],  # noqa: S607 - whichever there is
            capture_output=True,
            text=True,
            check=False,
        )
        assert parsed.returncode == 0, parsed.stderr


def test_the_files_that_are_made_for_compose_are_those_that_others_read() -> None:
    shown = "\n".join(guides.commands(DOCS / "install.md"))
    owned, closed = (
        set(re.findall(r"secrets/[\w.]+", line))
        for line in shown.splitlines()
        if line.startswith(("sudo chown", "sudo chmod"))
    )
    assert owned == closed


def test_what_is_scraped_is_served() -> None:
    (text,) = guides.scrapes(DOCS / "operations.md")
    (job,) = YAML(typ="safe").load(text)["scrape_configs"]
    served = web_app(_nothing, _nothing, metrics=_nothing).router.resources()
    # Prometheus's own default.
    assert job.get("metrics_path", "/metrics") in {each.canonical for each in served}


async def _nothing(*_: object) -> web.Response:
    return web.Response()


def test_the_proxy_takes_what_the_bot_takes() -> None:
    (text,) = guides.blocks(DOCS / "operations.md", "nginx")
    assert text.count("{") == text.count("}")
    (megabytes,) = re.findall(r"client_max_body_size (\d+)m;", text)
    assert int(megabytes) * 1024**2 >= MOST_BYTES


def test_the_makefile_that_is_given_up_is_one(tmp_path: Path) -> None:
    (text,) = guides.blocks(DOCS / "recipes.md", "make")
    said = subprocess.run(
        ["make", "--dry-run", "--file=-", "SHA=0f1e2d3"],  # noqa: S607 - whichever there is
        cwd=tmp_path,
        input=text,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "pachctl update pipeline" in said


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
            assert anchor in guides.slugs(target), link
