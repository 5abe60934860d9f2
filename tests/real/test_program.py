"""A program that is run: what it says, and that its end comes."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.real.program import run_program


def python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_what_it_says_and_how_it_ended_is_told(tmp_path: Path) -> None:
    text = (
        "import os, sys; print(os.getcwd()); print(os.environ['A'], file=sys.stderr); sys.exit(3)"
    )
    done = run_program(python(text), timeout=30, cwd=tmp_path, env={"A": "b"})
    assert (done.returncode, done.stdout, done.stderr) == (3, f"{tmp_path}\n", "b\n")


def test_one_that_does_not_end_is_interrupted_and_what_it_leaves_over_holds_up_nobody(
    tmp_path: Path,
) -> None:
    pid = tmp_path / "pid"
    text = (
        "import pathlib, subprocess, sys, time\n"
        "left = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        "left = subprocess.Popen(left, start_new_session=True)\n"
        f"pathlib.Path({str(pid)!r}).write_text(str(left.pid))\n"
        "print('begun', flush=True)\n"
        "try:\n"
        "    time.sleep(600)\n"
        "except KeyboardInterrupt:\n"
        "    print('and waited', flush=True)\n"
    )
    with pytest.raises(subprocess.TimeoutExpired) as late:
        run_program(python(text), timeout=5)
    psutil.Process(int(pid.read_text())).kill()
    assert late.value.output == b"begun\nand waited\n"


def test_one_that_takes_no_notice_is_killed() -> None:
    text = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(600)"
    with pytest.raises(subprocess.TimeoutExpired):
        run_program(python(text), timeout=1, orderly_end=0.2)
