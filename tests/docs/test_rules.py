"""The page of rules: what it shows is what the bot reads."""

import re

import pytest
from typer.main import get_command

from bot.cli import app
from bot.domain.command import parse
from bot.domain.command_form import Mistake
from bot.domain.reasons import MEANINGS
from bot.project import parse_project
from tests.docs.test_pages import ROOT, blocks

PAGE = ROOT / "docs" / "rules.md"
TYPED = [line for text in blocks(PAGE, "text") for line in text.splitlines() if line]


def test_the_rules_are_valid() -> None:
    (shown,) = blocks(PAGE, "yaml")
    assert set(parse_project(shown.encode()).rules().environments) == {"staging", "production"}


@pytest.mark.parametrize("line", TYPED)
def test_the_commands_are_read(line: str) -> None:
    word, _, command = line.partition(" ")
    assert word == "/pachops"
    assert not isinstance(parse(command), Mistake)


def test_the_command_line_has_them() -> None:
    commands = getattr(get_command(app), "commands", {})
    typed = {line.split()[1] for line in TYPED}
    assert typed <= set(commands)


def test_the_codes_are_there() -> None:
    named = set(re.findall(r"\(`([a-z_]+)`\)", PAGE.read_text(encoding="utf-8")))
    assert named <= {code.value for code in MEANINGS}
    assert len(named) >= 4
