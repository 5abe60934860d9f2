"""A terminal with a database of its own."""

from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PACHOPS_DATA_DIR", str(tmp_path))
    return tmp_path / "pachops.db"
