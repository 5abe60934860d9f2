"""Slash command, modal, buttons, Home and news in a Slack that others have written."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.real.local_slack import alone

pytestmark = pytest.mark.real

TIMEOUT = 300.0


@pytest.mark.parametrize("mode", ["socket", "http"])
def test_people_meet_the_bot(mode: str, tmp_path: Path, local_slack_program: Path) -> None:
    flow = [sys.executable, "-m", "tests.e2e.local_slack_flow", mode]
    ended = subprocess.run(  # noqa: S603 - our own
        alone([*flow, str(tmp_path), str(local_slack_program)]),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    assert "all was seen" in ended.stdout
