"""Repositories to deploy: fresh content each time, so that no cache knows any of it."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

CONTEXT = "code"
SPEC = "pipeline.json"
FILE_BYTES = 10_000


@dataclass(frozen=True)
class Repository:
    """A git repository with an image, a pipeline of the same name, and one commit."""

    path: Path
    image: str
    """Where the image is pushed, without a tag."""
    pipeline: str

    def commit(self, title: str) -> None:
        """Commit everything that changed."""
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", title)

    def change_readme(self, text: str) -> None:
        """A commit that changes no build context."""
        (self.path / "README.md").write_text(text)
        self.commit(text)

    def _git(self, *arguments: str) -> None:
        subprocess.run(  # noqa: S603 - the arguments are the benchmark's own
            ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments],  # noqa: S607
            cwd=self.path,
            check=True,
            timeout=120,
        )


def make_repository(
    path: Path, *, registry: str, base_image: str, megabytes: int, run: str
) -> Repository:
    """A repository whose build context has `megabytes` of random files; `run` is a RUN step."""
    name = path.name
    repository = Repository(path, f"{registry}/bench/{name}", name)
    context = path / CONTEXT
    for number in range(megabytes * 1_000_000 // FILE_BYTES):
        file = context / f"part{number // 1000}" / f"{number}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(os.urandom(FILE_BYTES))
    (context / "Dockerfile").write_text(f"FROM {base_image}\nWORKDIR /code\nCOPY . .\nRUN {run}\n")
    (path / SPEC).write_text(json.dumps(_spec(repository)))
    (path / ".pachops.yml").write_text(_project(repository))
    repository._git("init", "--quiet", "--initial-branch=main")  # noqa: SLF001 - its maker
    repository.commit("All of it")
    return repository


def _spec(repository: Repository) -> dict[str, object]:
    return {
        "pipeline": {"name": repository.pipeline},
        "input": {"pfs": {"repo": "images", "glob": "/*"}},
        "transform": {"image": repository.image, "cmd": ["true"]},
    }


def _project(repository: Repository) -> str:
    return (
        f"images:\n  code: {{context: {CONTEXT}, repository: '{repository.image}'}}\n"
        f"pipelines: [{SPEC}]\n"
        # The script does not watch what it updated; a window would only add its own length.
        "environments:\n  default: {verify: {window: 0s}}\n"
    )
