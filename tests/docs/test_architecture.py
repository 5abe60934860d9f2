"""docs/architecture.md says how the code is laid out; this holds one to the other."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain.deployment import Stage
from tests.docs.guides import DOCS, ROOT

PAGE = (DOCS / "architecture.md").read_text(encoding="utf-8")
SOURCES = sorted((*(ROOT / "bot").rglob("*.py"), *(ROOT / "handlers").rglob("*.py")))
MEET_PEOPLE = {
    "bot/action.py",
    "bot/app.py",
    "bot/cli",
    "bot/serve.py",
    "bot/session.py",
    "bot/setup.py",
    "bot/site.py",
    "bot/slack_service.py",
    "bot/telling.py",
    "bot/slack_setup.py",
    "bot/worker.py",
}
"""The only parts of `bot` that may import `handlers`."""
SDKS = {
    "dbos": "bot/engine/",
    "docker": "bot/services/docker/",
    "github": "bot/services/github/",
    "grpc": "bot/services/pachyderm/",
    "pachyderm_sdk": "bot/services/pachyderm/",
    "slack_bolt": "bot/services/slack/",
    "slack_sdk": "bot/services/slack/",
}


def place(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@functools.cache
def imports(file: Path) -> tuple[str, ...]:
    """The modules that it imports, also within functions."""
    return tuple(_imports(file))


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def listed(folder: str) -> set[str]:
    """What the page lists in a folder."""
    section = PAGE.partition(f"\n{folder}/")[2]
    lines = re.split(r"\n(?=\S)", section, maxsplit=1)[0].splitlines()[1:]
    shown = [line for line in lines if re.match(r"  [\w/]+(?:\.py|/) ", line)]
    return {name for line in shown for name in re.findall(r"\b\w+(?:\.py|/)(?![\w.])", line)}


@pytest.mark.parametrize("folder", ["bot", "handlers"])
def test_every_part_has_its_line(folder: str) -> None:
    parts = {
        each.name + ("/" if each.is_dir() else "")
        for each in (ROOT / folder).iterdir()
        if each.name not in {"__init__.py", "__pycache__"}
    }
    assert listed(folder) & parts == parts


def test_the_domain_knows_nothing_else() -> None:
    for file in (ROOT / "bot" / "domain").rglob("*.py"):
        ours = {name for name in imports(file) if name.split(".")[0] in {"bot", "handlers"}}
        assert all(name.startswith("bot.domain") for name in ours), place(file)


def test_handlers_are_known_to_the_ways_in_alone() -> None:
    knowing = {
        place(file)
        for file in SOURCES
        if place(file).startswith("bot/")
        and any(name.split(".")[0] == "handlers" for name in imports(file))
    }
    inner = {"/".join(each.split("/")[:2]) for each in knowing}
    assert inner == MEET_PEOPLE


@pytest.mark.parametrize("sdk", SDKS)
def test_each_sdk_has_one_importer(sdk: str) -> None:
    importing = {place(f) for f in SOURCES if any(n.split(".")[0] == sdk for n in imports(f))}
    assert importing
    assert all(each.startswith(SDKS[sdk]) for each in importing), importing


def test_services_and_store_look_down_alone() -> None:
    above = ("bot.app", "bot.workflow", "bot.stages", "bot.engine", "bot.cli", "handlers")
    for file in SOURCES:
        if place(file).startswith(("bot/services/", "bot/store/")):
            assert not [name for name in imports(file) if name.startswith(above)], place(file)


def test_the_stages_of_the_words_are_those_of_the_code() -> None:
    row = PAGE.partition("| stage | a part of a deployment: ")[2].partition(" |")[0]
    assert row.split(", ") == [each.value.replace("_", " ") for each in Stage]
