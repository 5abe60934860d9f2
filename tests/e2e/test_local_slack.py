"""Slash command, modal, buttons, Home and news in a Slack that others have written."""

import sys
from pathlib import Path

import pytest

from tests.real.local_slack import alone
from tests.real.program import run_program

pytestmark = pytest.mark.real

TIMEOUT = 300.0


@pytest.mark.parametrize("mode", ["socket", "http"])
def test_people_meet_the_bot(mode: str, tmp_path: Path, local_slack_program: Path) -> None:
    flow = [sys.executable, "-m", "tests.e2e.local_slack_flow", mode]
    ended = run_program(alone([*flow, str(tmp_path), str(local_slack_program)]), timeout=TIMEOUT)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "all was seen" in ended.stdout
