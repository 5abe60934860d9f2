"""What `make` says where it cannot set anything up."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("python", ["", "/nowhere/python3", "/bin/true"])
def test_without_a_python_that_is_new_enough_it_says_so_and_installs_nothing(
    tmp_path: Path, python: str
) -> None:
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    done = subprocess.run(  # noqa: S603 - our own Makefile
        ["make", "setup", f"PYTHON={python}"],  # noqa: S607 - what a person types
        cwd=tmp_path,
        # Not those of a `make` that runs this test.
        env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "pachops needs Python 3.11 or newer" in done.stderr
    assert done.stdout == ""
    assert not (tmp_path / ".venv").exists()
