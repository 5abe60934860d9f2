"""Tools that check what we ship, fetched from PyPI when they are first used."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = ROOT / ".venv" / "uv" / "bin" / "uv"
TIMEOUT = 300

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def uv(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs uv, the one of the Makefile; what it downloads is kept for the next time."""
    if not UV.exists():
        pytest.fail(f"{UV} is not there: `make setup` brings it", pytrace=False)
    environ = {
        **os.environ,
        "UV_CACHE_DIR": str(UV.parents[1] / "cache"),
        "UV_TOOL_DIR": str(tmp_path_factory.mktemp("tools")),
        "UV_NO_PROGRESS": "1",
    }

    def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603 - the tests' own arguments
            [UV, *arguments],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )

    return run
