"""The report that fits a stream."""

import io

import pytest

from bot.domain.progress import Warned
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


@pytest.mark.parametrize(("json", "report"), [(False, PlainLines), (True, JsonLines)])
def test_closed_output_gets_a_report_that_nobody_reads(*, json: bool, report: type) -> None:
    reporter = reporter_for(None, json=json)
    reporter.show(0.0, Warned("text"))
    reporter.close()
    assert isinstance(reporter, report)
