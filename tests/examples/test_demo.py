"""The whole demo, as it ends by itself; and where a part of it is missing."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from examples import demo_cli
from examples.demo import __main__ as demo
from tests.real.engine import SHARED_HOST, MissingPartError
from tests.real.outside import PROJECT
from tests.real.program import run_program

LONGEST = 480.0
ACTS = {
    "A push to main is deployed to staging": ("GitHub", "registry", "Pachyderm", "Slack"),
    "A pull request is planned and deployed by comments": ("GitHub", "GitHub", "Pachyderm"),
    "A mistake fails its test; nothing is pushed or updated": (
        *("GitHub", "Pachyderm"),  # while it is bad
        *("GitHub", "Pachyderm"),  # when it is taken back
    ),
    "Production asks for approval in Slack and gets it": ("Slack", "Slack", "Pachyderm"),
    "A release is deployed to production and announced": ("Pachyderm", "Slack"),
    "Production goes back to what ran before": ("Pachyderm",),
}
"""What is played, and where each act looks."""


@pytest.mark.real
@pytest.mark.usefixtures("registry", "local_slack_program", "emulate_packages")
def test_it_plays_every_act_and_checks_each_step(engine_host: str) -> None:
    done = run_program(
        [sys.executable, "-m", "examples.demo"],
        timeout=LONGEST,
        cwd=PROJECT,
        env=os.environ | {"ONCE": "1", SHARED_HOST: engine_host},
    )
    said = done.stdout
    assert done.returncode == 0, said[-4000:] + done.stderr[-4000:]
    assert re.findall(r"^(\d)\. (.*)$", said, re.MULTILINE) == [
        (str(number), title) for number, title in enumerate(ACTS, start=1)
    ]
    looked = re.findall(r"^   \u2713 (\w+) ", said, re.MULTILINE)
    assert looked == [place for places in ACTS.values() for place in places]
    assert re.search(r"^6 acts, every step checked, in \d+ s\.$", said, re.MULTILINE)
    assert _open_places(said) == []


def _open_places(said: str) -> list[str]:
    """What was started and is still there."""
    found = re.findall(r"(127\.0\.0\.1|localhost):(\d+)", said)
    assert len(found) > len(("registry", "Pachyderm", "Slack", "GitHub", "pachops"))
    still = []
    for host, port in set(found):
        with socket.socket() as probe:
            probe.settimeout(5)
            if probe.connect_ex((host, int(port))) == 0:
                still.append(f"{host}:{port}")
    return still


def test_make_demo_is_this_demo() -> None:
    said = subprocess.run(
        ["make", "--dry-run", "demo", "ONCE=1"],  # noqa: S607 - what a person types
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "ONCE='1' .venv/bin/python -m examples.demo\n" in said


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


def test_ctrl_c_while_npm_installs_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "install_local_slack", interrupted)
    assert demo.main() == 130
    assert "stopped before it began" in capsys.readouterr().out


def test_without_an_engine_it_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    monkeypatch.setattr(demo, "install_local_slack", lambda: tmp_path_factory.mktemp("slack"))
    monkeypatch.setattr(demo, "install_emulate", lambda: tmp_path_factory.mktemp("github"))
    monkeypatch.setattr(demo, "alone", lambda command: command)
    monkeypatch.delenv("ENGINE_OF_ALL_TESTS", raising=False)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    monkeypatch.setattr("tests.real.engine.os.geteuid", lambda: 1000)
    assert demo.main() == 1
    assert "start Docker, or set DOCKER_HOST" in capsys.readouterr().err


def test_without_git_it_says_what_brings_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(demo, "install_local_slack", lambda: tmp_path)
    monkeypatch.setattr(demo, "install_emulate", lambda: tmp_path)
    monkeypatch.setattr(demo, "alone", lambda command: command)
    monkeypatch.setattr("tests.real.engine.os.geteuid", lambda: 1000)
    monkeypatch.setattr("tests.real.engine.SYSTEM_PATH", str(tmp_path))
    assert demo.main() == 1
    assert (
        "git is not installed. On Debian, as root: apt-get install git" in capsys.readouterr().err
    )


def test_once_it_is_stopped_nothing_keeps_it_from_taking_away_what_it_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = []

    @asynccontextmanager
    async def opened(_program: Path, _packages: Path) -> AsyncIterator[None]:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()
            yield
        finally:
            for each in demo_cli.ENDINGS:
                os.kill(os.getpid(), each)
                await asyncio.to_thread(os.getpid)
            gone.append("all")

    monkeypatch.setattr(demo, "install_local_slack", lambda: tmp_path)
    monkeypatch.setattr(demo, "install_emulate", lambda: tmp_path)
    monkeypatch.setattr(demo, "alone", lambda command: command)
    monkeypatch.setattr(demo, "opened", opened)
    assert demo.main() == 130
    assert gone == ["all"]


@pytest.mark.parametrize("ending", demo_cli.ENDINGS)
async def test_ctrl_c_or_a_closed_terminal_ends_it_as_soon_as_it_says_so(
    monkeypatch: pytest.MonkeyPatch, ending: signal.Signals
) -> None:
    def said(text: str = "") -> None:
        if "Ctrl-C ends it" in text:
            os.kill(os.getpid(), ending)

    monkeypatch.setattr(demo, "line", said)
    monkeypatch.setattr(demo, "_command", lambda _world: Path("pachops"))
    try:
        await asyncio.wait_for(demo._stay(None), 10)  # type: ignore[arg-type] # it asks it nothing
    finally:
        for each in demo_cli.ENDINGS:
            asyncio.get_running_loop().remove_signal_handler(each)
