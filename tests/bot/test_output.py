from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.cli.output import draw
from handlers.reports.tables import history_table
from tests.handlers.reports import example


def test_a_line_in_a_pipe_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    draw(history_table([example.BAD], now=example.START + 1000))
    lines = capsys.readouterr().out.splitlines()
    assert "RUN pip install ended with exit code 1" in lines[-1]
    assert lines == [line.rstrip() for line in lines]


def test_a_reason_in_a_pipe_has_each_part_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACHOPS_DATA_DIR", f"/proc/{'deep/' * 40}")
    lines = CliRunner().invoke(app, ["status"]).output.splitlines()
    assert lines == [line.rstrip() for line in lines]
    assert lines[1].strip() == f"/proc/{'deep/' * 40}pachops.db"


def test_an_empty_history_of_one_environment_does_not_say_that_nothing_was_deployed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PACHOPS_DATA_DIR", str(tmp_path))
    said = CliRunner().invoke(app, ["history", "--to", "stagin"]).output
    assert "Nothing was deployed to stagin so far" in said
    assert "No deployments yet" not in said
