"""The files that the runner reads after a step: its outputs and its summary."""

import secrets
from collections.abc import Mapping
from pathlib import Path


def write_outputs(file: Path, values: Mapping[str, str]) -> None:
    """Append outputs. The delimiter is new each time: no value can end itself and begin another.

    Raises OSError.
    """
    lines = []
    for name, value in values.items():
        delimiter = f"end_{secrets.token_hex(16)}"
        lines.append(f"{name}<<{delimiter}\n{value}\n{delimiter}\n")
    _append(file, "".join(lines))


def write_summary(file: Path, markdown: str) -> None:
    """Append to the step's summary, which may have a mebibyte. Raises OSError."""
    _append(file, f"{markdown}\n")


def _append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8", errors="replace", newline="\n") as out:
        out.write(text)
