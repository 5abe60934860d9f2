"""What the docker command takes as a plugin, from Debian, for a configuration of the tests' own."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.real.engine import MissingPartError, apt_get, require_program

PACKAGES = {
    "buildx": ("docker-buildx",),
    # Ubuntu's name, then Debian's, which on older releases is that of a compose before plugins.
    "compose": ("docker-compose-v2", "docker-compose"),
}
LATER_RELEASE = "trixie"
"""The first of Debian that has them; their programs run on the one before as well."""
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


def docker_with(plugin: str, folder: Path) -> Path:
    """Make a folder for DOCKER_CONFIG whose `docker` has `buildx` or `compose`.

    Answers the folder of that docker. Raises MissingPartError.
    """
    docker = require_program("docker", package="docker.io")
    name = f"docker-{plugin}"
    (folder / "cli-plugins").mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix=f"pachops-{name}-") as there:
        program = _fetch(name, PACKAGES[plugin], Path(there))
        shutil.move(program, folder / "cli-plugins" / name)
    return docker.parent


def _fetch(name: str, packages: Sequence[str], folder: Path) -> Path:
    """The program, of this machine's release or else of a later one, which stays unknown to it."""
    found = _unpacked(name, packages, folder)
    if found is None:
        options = _of_a_later_release(name, folder)
        failure = apt_get(*options, "update")
        found = None if failure else _unpacked(name, packages, folder, *options)
        if found is None:
            msg = f"{name} could not be fetched: {failure or f'no package of {packages} has it'}"
            raise MissingPartError(msg)
    return found


def _unpacked(name: str, packages: Sequence[str], folder: Path, *options: str) -> Path | None:
    for package in packages:
        content = Path(tempfile.mkdtemp(dir=folder))
        if apt_get(*options, "download", package, folder=content) is None:
            _run(["dpkg", "-x", str(next(content.glob("*.deb"))), str(content)])
            program = content / "usr/libexec/docker/cli-plugins" / name
            if program.exists():
                return program
    return None


def _of_a_later_release(name: str, folder: Path) -> list[str]:
    mirrors = _mirrors()
    if not mirrors:
        # The lists of a fresh machine are empty.
        apt_get("update")
        mirrors = _mirrors()
    if not mirrors:
        msg = f"This machine has no mirror of Debian to fetch {name} from."
        raise MissingPartError(msg)
    sources, lists = folder / "sources.list", folder / "lists"
    sources.write_text(f"deb [signed-by={KEYS}] {mirrors[0]} {LATER_RELEASE} main\n")
    (lists / "partial").mkdir(parents=True)
    settings = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": lists,
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "root",
    }
    return [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]


def _mirrors() -> list[str]:
    told = _run(
        [
            "apt-get",
            "indextargets",
            "--format",
            "$(REPO_URI)",
            "Origin: Debian",
            "Label: Debian",
            "Created-By: Packages",
        ]
    )
    return told.split()


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - Debian's own programs
            command, capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        msg = f"{command[0]} does not work: {error}"
        raise MissingPartError(msg) from error
    return done.stdout
