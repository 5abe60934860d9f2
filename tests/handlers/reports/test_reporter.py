"""The report that fits a stream."""

import io

import pytest

from handlers.reports.json_lines import JsonLines
from handlers.reports.plain import PlainLines
from handlers.reports.reporter import reporter_for
from handlers.reports.terminal import LiveTerminal
from tests.handlers.reports.test_terminal import Terminal


def test_terminal_gets_the_live_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    assert isinstance(reporter_for(Terminal(), json=False), LiveTerminal)


def test_terminal_that_cannot_move_its_cursor_gets_plain_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(reporter_for(Terminal(), json=False), PlainLines)


def test_pipe_gets_plain_lines() -> None:
    assert isinstance(reporter_for(io.StringIO(), json=False), PlainLines)


def test_json_is_json_even_on_a_terminal() -> None:
    assert isinstance(reporter_for(Terminal(), json=True), JsonLines)
