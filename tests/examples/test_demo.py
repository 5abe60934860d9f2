"""The demo where a part of it is missing; with all of them it checks itself."""

import pytest

from examples import demo_cli
from examples.demo import __main__ as demo
from tests.real.engine import MissingPartError


def test_where_npm_cannot_be_reached_it_says_so_and_shows_the_small_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> None:
        raise MissingPartError("npm could not install local-slack: ENOTFOUND")

    monkeypatch.setattr(demo, "install_local_slack", missing)
    monkeypatch.setattr(demo_cli, "main", lambda: 7)
    assert demo.main() == 7
    said = capsys.readouterr().out
    assert "ENOTFOUND" in said
    assert "make demo-cli" in said


def test_without_an_engine_it_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    monkeypatch.setattr(demo, "install_local_slack", lambda: tmp_path_factory.mktemp("slack"))
    monkeypatch.setattr(demo, "alone", lambda command: command)
    monkeypatch.delenv("ENGINE_OF_ALL_TESTS", raising=False)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    monkeypatch.setattr("tests.real.engine.os.geteuid", lambda: 1000)
    assert demo.main() == 1
    assert "start Docker, or set DOCKER_HOST" in capsys.readouterr().err
