"""A terminal in a repository of its own, and what is typed there."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app

GIT = ("git", "-c", "user.name=ann", "-c", "user.email=ann@acme.io")


def sits_in_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: str) -> Path:
    """Where these rules are committed; the bot's data is beside it."""
    folder = tmp_path / "edges"
    folder.mkdir()
    (folder / ".pachops.yml").write_text(rules)
    for arguments in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "Rules")):
        subprocess.run([*GIT, *arguments], cwd=folder, check=True)  # noqa: S603 - fixed words
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PACHOPS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PACHOPS_DATABASE_URL", f"sqlite:///{tmp_path}/pachops.db")
    monkeypatch.chdir(folder)
    return folder


def typed(*words: str) -> tuple[int, str, str]:
    """The status, and what is said on both ways."""
    with pytest.MonkeyPatch.context() as patch:
        # What was typed goes into the audit.
        patch.setattr(sys, "argv", ["pachops", *words])
        result = CliRunner().invoke(app, words)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout, result.stderr


def run(*words: str) -> tuple[int, str]:
    """The status, and all that is said in one line."""
    status, said, warned = typed(*words)
    return status, " ".join((said + warned).split())
