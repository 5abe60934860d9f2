"""Every page, setting and command that a message names is there."""

import ast
import functools
import re
import shlex
from collections.abc import Iterator

import pytest
from typer.main import get_command

from bot.cli import app
from bot.domain.command import FORMS, parse
from bot.domain.command_form import Mistake
from bot.settings import sources
from handlers.slack.repositories import split_repository
from tests.docs.guides import ROOT, slugs

CODE = sorted(path for folder in ("bot", "handlers") for path in (ROOT / folder).rglob("*.py"))
OTHER_TEXTS = sorted(
    path
    for pattern in ("handlers/**/*.html", "action.yml", "compose.yaml", "deploy/**/*.yaml")
    for path in ROOT.glob(pattern)
)
WORD, UNKNOWN = "/pachops", "{}"
"""What stands for the word that commands begin with, and for a value that is not known here."""
_WORDS = re.compile(r"(?:\b|_|\.)word$")
_PAGE = re.compile(r"\bdocs/[\w./-]+\.(?:md|json)(?:#[\w-]+)?")
_VARIABLE = re.compile(r"\bPACHOPS_[A-Z_]*[A-Z]\b(?!_)")
_TYPED = re.compile(r"`(?:\$ )?(pachops [^`]+)`")
_ASKED = re.compile(rf"`{WORD}( [^`]*)?`")
_OTHERS = re.compile(r"PACHOPS_GIT_ASKS_\w+|PACHOPS_IMAGE")
"""Between us and git alone, and compose's own."""


@functools.cache
def texts() -> tuple[tuple[str, str], ...]:
    """Where each text stands, and the text, with what is filled in."""
    code = (
        (f"{path.relative_to(ROOT)}:{node.lineno}", text)
        for path in CODE
        for node, text in _strings(ast.parse(path.read_text()))
    )
    others = ((str(path.relative_to(ROOT)), path.read_text()) for path in OTHER_TEXTS)
    return (*code, *others)


def _strings(tree: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """Those of the code and of its comments for people who read it."""
    inner: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inner |= {id(part) for part in node.values}
            yield node, "".join(_part(part) for part in node.values)
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner
        ):
            yield node, node.value


def _part(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    name = ast.unparse(part.value) if isinstance(part, ast.FormattedValue) else ""
    return WORD if _WORDS.search(name) else UNKNOWN


def found(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """Where it is named, and what is."""
    return [
        (place, match[match.re.groups and 1] or "")
        for place, text in texts()
        for match in pattern.finditer(text)
    ]


def test_the_pages_are_there() -> None:
    named = found(_PAGE)
    assert named
    for place, link in named:
        path, _, anchor = link.partition("#")
        assert (ROOT / path).is_file(), f"{place}: {link}"
        assert not anchor or anchor in slugs(ROOT / path), f"{place}: {link}"


def test_the_settings_are_there() -> None:
    known = {*sources.VARIABLES, *sources.GIT_LOGIN, sources.SETTINGS_FILE, sources.GIT_HOST}
    named = {(place, name) for place, name in found(_VARIABLE) if not _OTHERS.match(name)}
    assert len(named) > 40
    assert [each for each in sorted(named) if each[1] not in known] == []


def test_the_commands_of_the_terminal_are_there() -> None:
    named = found(_TYPED)
    assert len(named) > 15
    for place, line in named:
        assert _is_typed(line), f"{place}: {line}"


def test_the_commands_of_comments_are_there() -> None:
    named = [
        (place, line) for place, line in found(_ASKED) if place.startswith(("bot/", "handlers/"))
    ]
    assert len(named) > 15
    names = {form.name for form in FORMS}
    for place, line in named:
        name = (line.split() or ["help"])[0].removesuffix(UNKNOWN)
        assert name in {*names, ""}, f"{place}: {line}"
        read = parse(shlex.join(split_repository(line)[0]))
        assert UNKNOWN in line or not isinstance(read, Mistake), f"{place}: {read}"


@pytest.mark.parametrize("line", ["pachops nothing", "pachops audit --nothing"])
def test_what_is_not_there_would_be_seen(line: str) -> None:
    assert not _is_typed(line)


def _is_typed(line: str) -> bool:
    """Whether the terminal's commands have all that a line names of them."""
    command = get_command(app)
    for word in shlex.split(line)[1:]:
        if hasattr(command, "commands") and not word.startswith("-"):
            if word not in command.commands:
                return False
            command = command.commands[word]
        elif word.startswith("--"):
            options = {name for each in command.params for name in each.opts}
            if word.partition("=")[0] not in {*options, "--help"}:
                return False
    return True
