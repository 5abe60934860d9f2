"""The base of our own image, in an engine that may not be able to pull it.

Where it cannot be pulled, a stand-in of the same name is made from Debian's packages: the same
Debian, the same minor version of Python, what `pip` and `git` need to reach their servers as this
machine does. It is a bigger image than the original, and nothing else is known to differ.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import docker
from docker.errors import DockerException, ImageNotFound

from tests.real.engine import MissingPartError, require_program
from tests.real.program import run_program

PYTHON_IMAGE = "python:3.11-slim-bookworm"
_SUITE = "bookworm"
_PACKAGES = "python3,python3-pip,ca-certificates"
_PULL_TIMEOUT = 30
_DEBOOTSTRAP_TIMEOUT = 600.0
_KEPT = Path(sys.prefix) / "images" / f"{_SUITE}-{_PACKAGES.replace(',', '-')}.tar"
_SUPERFLUOUS = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man")
"""Half of it, which the original does not have either."""
_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
_CHANGES = [
    "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
    f"ENV SSL_CERT_FILE={_AUTHORITIES} PIP_CERT={_AUTHORITIES}",
    'CMD ["python3"]',
]


@contextlib.contextmanager
def python_image(host: str) -> Iterator[str]:
    """PYTHON_IMAGE is in the engine meanwhile; what it is: `pulled`, `there` or `stand-in`.

    Raises MissingPartError.
    """
    client = docker.APIClient(base_url=host, version="auto", timeout=600)
    with contextlib.closing(client):
        if is_there(client, PYTHON_IMAGE):
            yield "there"
            return
        if pull(host, PYTHON_IMAGE):
            yield "pulled"
            return
        _make(client)
        try:
            yield "stand-in"
        finally:
            # Nobody should take it for the original later.
            client.remove_image(PYTHON_IMAGE, force=True)


def is_there(client: docker.APIClient, image: str) -> bool:
    """Whether the engine has it."""
    try:
        client.inspect_image(image)  # type: ignore[no-untyped-call]
    except ImageNotFound:
        return False
    return True


def pull(host: str, image: str) -> bool:
    """Whether the engine has it now, from where its name says."""
    repository, _, tag = image.partition(":")
    client = docker.APIClient(base_url=host, version="auto", timeout=_PULL_TIMEOUT)
    with contextlib.closing(client):
        try:
            client.pull(repository, tag=tag)
        except (DockerException, OSError):
            return False
        return is_there(client, image)


def _make(client: docker.APIClient) -> None:
    if not _KEPT.exists():
        _KEPT.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="new-", dir=_KEPT.parent) as folder:
            _pack(Path(folder)).rename(_KEPT)
    repository, _, tag = PYTHON_IMAGE.partition(":")
    client.import_image_from_file(str(_KEPT), repository=repository, tag=tag, changes=_CHANGES)


def _pack(folder: Path) -> Path:
    """All its files as an archive."""
    if os.geteuid() != 0:
        msg = f"{PYTHON_IMAGE} cannot be pulled, and only root can make a stand-in for it."
        raise MissingPartError(msg)
    root, archive = folder / "root", folder / "root.tar"
    _debootstrap(require_program("debootstrap", package="debootstrap"), root)
    for each in _SUPERFLUOUS:
        shutil.rmtree(root / each)
        (root / each).mkdir()
    # Debian wants its own packages there; the original has no such wish.
    (root / "usr/lib/python3.11/EXTERNALLY-MANAGED").unlink(missing_ok=True)
    (root / "usr/bin/python").symlink_to("python3")
    shutil.copy(_AUTHORITIES, root / _AUTHORITIES.lstrip("/"))
    subprocess.run(  # noqa: S603 - our own folder
        ["tar", "--create", "--file", archive, "--directory", root, "."],  # noqa: S607
        check=True,
        timeout=300,
    )
    return archive


def _debootstrap(program: Path, root: Path) -> None:
    done = run_program(
        [program, "--variant=minbase", f"--include={_PACKAGES}", _SUITE, root],
        timeout=_DEBOOTSTRAP_TIMEOUT,
    )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        msg = f"The stand-in for {PYTHON_IMAGE} could not be made: {''.join(last)}"
        raise MissingPartError(msg)
