"""The base of our own image, in an engine that may not be able to pull it.

Where it cannot be pulled, a stand-in of the same name is made from Debian's packages: the same
Debian, the same minor version of Python, what `pip` and `git` need to reach their servers as this
machine does. It is a bigger image than the original, and nothing else is known to differ.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import docker
from docker.errors import DockerException, ImageNotFound

from tests.real.engine import MissingPartError, require_program

PYTHON_IMAGE = "python:3.11-slim-bookworm"
_SUITE = "bookworm"
_PACKAGES = "python3,python3-pip,ca-certificates"
_PULL_TIMEOUT = 30
_DEBOOTSTRAP_TIMEOUT = 900.0
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
        if _is_there(client):
            yield "there"
            return
        if _pull(host):
            yield "pulled"
            return
        _make(client)
        try:
            yield "stand-in"
        finally:
            # Nobody should take it for the original later.
            client.remove_image(PYTHON_IMAGE, force=True)


def _is_there(client: docker.APIClient) -> bool:
    try:
        client.inspect_image(PYTHON_IMAGE)  # type: ignore[no-untyped-call]
    except ImageNotFound:
        return False
    return True


def _pull(host: str) -> bool:
    repository, _, tag = PYTHON_IMAGE.partition(":")
    client = docker.APIClient(base_url=host, version="auto", timeout=_PULL_TIMEOUT)
    with contextlib.closing(client):
        try:
            client.pull(repository, tag=tag)
        except (DockerException, OSError):
            return False
        return _is_there(client)


def _make(client: docker.APIClient) -> None:
    if os.geteuid() != 0:
        msg = f"{PYTHON_IMAGE} cannot be pulled, and only root can make a stand-in for it."
        raise MissingPartError(msg)
    debootstrap = require_program("debootstrap", package="debootstrap")
    with tempfile.TemporaryDirectory(prefix="pachops-base-") as folder:
        root = Path(folder) / "root"
        _debootstrap(debootstrap, root)
        # Debian wants its own packages there; the original has no such wish.
        (root / "usr/lib/python3.11/EXTERNALLY-MANAGED").unlink(missing_ok=True)
        (root / "usr/bin/python").symlink_to("python3")
        shutil.copy(_AUTHORITIES, root / _AUTHORITIES.lstrip("/"))
        archive = Path(folder) / "root.tar"
        subprocess.run(  # noqa: S603 - our own folder
            ["tar", "--create", "--file", archive, "--directory", root, "."],  # noqa: S607
            check=True,
            timeout=300,
        )
        repository, _, tag = PYTHON_IMAGE.partition(":")
        client.import_image_from_file(
            str(archive), repository=repository, tag=tag, changes=_CHANGES
        )


def _debootstrap(program: Path, root: Path) -> None:
    done = subprocess.run(  # noqa: S603 - Debian's own program
        [str(program), "--variant=minbase", f"--include={_PACKAGES}", _SUITE, str(root)],
        capture_output=True,
        text=True,
        timeout=_DEBOOTSTRAP_TIMEOUT,
        check=False,
    )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        msg = f"The stand-in for {PYTHON_IMAGE} could not be made: {''.join(last)}"
        raise MissingPartError(msg)
