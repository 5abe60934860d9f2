"""All that lies outside pachops and that a deployment needs, running for the length of a `with`.

A real engine, a real registry, Pachyderm's stand-in, and a base image in both engine and registry.
"""

import contextlib
import json
import os
import selectors
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import DockerException
from pachyderm_sdk import (
    Client,
)
from pachyderm_sdk.api import (
    pfs,
    pps,
)

from tests.real.engine import Engine, MissingPartError, import_busybox, require_program
from tests.real.registry import Registry

PROJECT = Path(__file__).parents[2]
PACHOPS = Path(sys.executable).parent / "pachops"
BASE_IMAGE = "base/busybox"
BASE_TAG = "1.35"
START_TIMEOUT = 30.0
_OTHERS = ("PACHOPS_", "PACH_", "DOCKER_", "GIT_")
"""Settings of whoever runs this; a deployment here must not meet them."""
_MANIFESTS = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Outside:
    """Where the parts are."""

    engine: Engine
    registry: str
    """host:port"""
    pachd: str
    """grpc://host:port"""
    folder: Path
    """Empty at first, gone at the end."""

    @property
    def base_image(self) -> str:
        """The image that Dockerfiles here are FROM."""
        return f"{self.registry}/{BASE_IMAGE}:{BASE_TAG}"

    def environment(self, data: Path | None = None) -> dict[str, str]:
        """What a process of pachops is to see; `data` is its PACHOPS_DATA_DIR."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_OTHERS)}
        return kept | {
            "DOCKER_HOST": self.engine.host,
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": str(self.folder / "home"),
            "PACHOPS_DATA_DIR": str(data or self.folder / "data"),
            "PACHOPS_PACHD_ADDRESS": self.pachd,
        }

    def digest(self, repository: str, tag: str) -> str | None:
        """The digest that the registry has under a tag; None where it has no such tag."""
        request = urllib.request.Request(
            f"http://{self.registry}/v2/{repository}/manifests/{tag}",
            headers={"Accept": _MANIFESTS},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own
                return str(answer.headers["Docker-Content-Digest"])
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                return None
            raise

    def pipeline(self, name: str, *, project: str = "default") -> pps.PipelineInfo:
        """A pipeline as Pachyderm has it; grpc.RpcError where there is none."""
        pipeline = pps.Pipeline(project=pfs.Project(name=project), name=name)
        client = Client.from_pachd_address(self.pachd)
        return client.pps.inspect_pipeline(pipeline=pipeline, details=True)


@contextlib.contextmanager
def outside(
    *, repo: str, file: str, project: str = "default", pachd_options: Sequence[str] = ()
) -> Iterator[Outside]:
    """Start everything; Pachyderm has one repository of data, `repo`, with `file` in it.

    Raises MissingPartError where a part is missing and cannot be brought.
    """
    require_program("git", package="git")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pachops-")))
        (folder / "home").mkdir()
        engine = stack.enter_context(Engine())
        registry = stack.enter_context(Registry())
        pachd = stack.enter_context(_pachd(project, f"{project}/{repo}", file, pachd_options))
        parts = Outside(engine, registry.address, pachd, folder)
        stack.callback(_remove_images, parts)
        _push_base_image(parts)
        yield parts


@contextlib.contextmanager
def _pachd(project: str, repo: str, file: str, options: Sequence[str]) -> Iterator[str]:
    projects = [] if project == "default" else ["--project", project]
    data = ["--repo", repo, "--file", f"{repo}={file}"]
    command = [sys.executable, "-m", "tests.standins.pachd", "--port", "0"]
    process = subprocess.Popen(  # noqa: S603 - our own program
        [*command, *projects, *data, *options],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for us, and we end it in order
    )
    with process:
        try:
            yield _first_line(process)
        finally:
            process.kill()


def _first_line(process: subprocess.Popen[str]) -> str:
    if process.stdout is None:
        raise ValueError("the process has no pipe")
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        ready = selector.select(START_TIMEOUT)
    line = process.stdout.readline().strip() if ready else ""
    if not line:
        raise MissingPartError("Pachyderm's stand-in did not start.")
    return line


def _push_base_image(parts: Outside) -> None:
    repository = f"{parts.registry}/{BASE_IMAGE}"
    import_busybox(parts.engine.host, repository, BASE_TAG)
    client = docker.APIClient(base_url=parts.engine.host, version="auto", timeout=60)
    with contextlib.closing(client):
        answer = client.push(repository, tag=BASE_TAG)
    for line in answer.splitlines():
        if "error" in (message := json.loads(line)):
            error = f"The base image could not be pushed: {message['error']}"
            raise MissingPartError(error)


def _remove_images(parts: Outside) -> None:
    """Leave an engine that is not ours as it was; its build cache is its own affair."""
    if parts.engine.own:
        return
    client = docker.APIClient(base_url=parts.engine.host, version="auto", timeout=60)
    with contextlib.closing(client), contextlib.suppress(DockerException, OSError):
        for image in client.images():
            for tag in image["RepoTags"] or ():
                if tag.startswith(f"{parts.registry}/"):
                    client.remove_image(tag, force=True)
