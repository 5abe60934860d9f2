"""Tests of one group run in one process: else a story is told twice, and a shared thing taken away."""

import os
import subprocess
import sys
from pathlib import Path

FOUR = """
import os
import pytest

pytestmark = pytest.mark.xdist_group("one")

@pytest.mark.parametrize("number", range(4))
def test_where(number):
    with open("where", "a") as file:
        print(os.environ["PYTEST_XDIST_WORKER"], file=file)
"""


def test_a_group_is_kept_together(tmp_path: Path) -> None:
    (tmp_path / "test_four.py").write_text(FOUR)
    # As the Makefile asks for it.
    options = ["--numprocesses=2", "--dist=loadgroup", "-p", "no:cacheprovider"]
    subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "pytest", *options, "test_four.py"],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")},
        check=True,
        capture_output=True,
        timeout=60,
    )
    where = (tmp_path / "where").read_text().split()
    assert len(where) == 4
    assert len(set(where)) == 1
