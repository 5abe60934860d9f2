"""`docker buildx` as far as pachops calls it: see __main__.py."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ANSWER = Path(__file__).with_name("build.jsonl")
"""What buildx writes of a build of two steps, in the JSON of BuildKit's client.SolveStatus."""


@dataclass(frozen=True)
class BuildxStandIn:
    """An executable `docker` in a folder for PATH, and what it was called with."""

    folder: Path

    @classmethod
    def install(cls, folder: Path, **behaviour: Any) -> "BuildxStandIn":
        """Put it there; `behaviour` is what __main__.py reads."""
        folder.mkdir(parents=True, exist_ok=True)
        program = folder / "docker"
        main = Path(__file__).with_name("__main__.py")
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{main}" "{folder}" "$@"\n')
        program.chmod(0o755)
        (folder / "behaviour.json").write_text(json.dumps(behaviour))
        return cls(folder)

    @property
    def calls(self) -> list[Mapping[str, Any]]:
        """Arguments, environment and the size of the context of each call."""
        file = self.folder / "calls.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    @property
    def ended_by(self) -> str | None:
        """The signal that it was told to stop with."""
        file = self.folder / "ended"
        return file.read_text() if file.exists() else None
