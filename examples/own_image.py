"""The project's own image: built by a deployment of this repository, started, and healthy.

`make image`. The engine, the registry and git are real; Pachyderm is its stand-in, and so is the
base image where it cannot be pulled. Ends with status 0 only when all of it was seen.
"""

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import docker

from tests.real.engine import MissingPartError
from tests.real.outside import PACHOPS, PROJECT, Outside, outside
from tests.real.python_image import PYTHON_IMAGE, python_image

EXAMPLE = Path(__file__).parent / "own_image"
EXAMPLE_REGISTRY = "registry.acme.io"
IMAGE = "tools/pachops"
DEPLOY_TIMEOUT = 900.0
HEALTHY_TIMEOUT = 90.0
_SERVED = {
    # Nobody answers there: a bot whose GitHub is away is well.
    "PACHOPS_GITHUB_BASE_URL": "http://127.0.0.1:9",
    "PACHOPS_GITHUB_TOKEN": "a-token-of-nobody",
    "PACHOPS_GITHUB_WEBHOOK_SECRETS": "a-secret-of-nobody",
}


class WrongError(Exception):
    """Something did not go as it should."""


def main() -> int:
    """Run it; the exit status."""
    began = time.monotonic()
    try:
        with outside(repo="images", file="liberty.pgm") as parts:
            _show(parts)
    except KeyboardInterrupt:
        return 130
    except (MissingPartError, WrongError) as error:
        print(f"\nIt failed: {error}", file=sys.stderr)
        return 1
    print(f"\nAll of it was seen, and taken away again, in {time.monotonic() - began:.0f} s.")
    return 0


def _show(parts: Outside) -> None:
    with python_image(parts.engine.host) as base:
        print(f"{PYTHON_IMAGE}: {base}", flush=True)
        sha = _deploy(parts, _repository(parts))
    digest = parts.digest(IMAGE, sha)
    if digest is None:
        raise WrongError("the registry has no image of this commit")
    runs = parts.pipeline("version").details.transform.image
    if runs != f"{parts.registry}/{IMAGE}:{sha}@{digest}":
        msg = f"the pipeline runs {runs}"
        raise WrongError(msg)
    print(f"-> Pachyderm runs the pipeline `version` with {runs}", flush=True)
    _start(parts, f"{parts.registry}/{IMAGE}@{digest}")


def _repository(parts: Outside) -> Path:
    """This repository's files as git has them, with the example's project file and pipeline."""
    repository = parts.folder / "pachops"
    listed = _git(PROJECT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        source, target = PROJECT / name, repository / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    shutil.copytree(EXAMPLE, repository, dirs_exist_ok=True)
    for file in (repository / ".pachops.yml", *repository.glob("pipelines/*.json")):
        file.write_text(file.read_text().replace(EXAMPLE_REGISTRY, parts.registry))
    _git(repository, "init", "--quiet", "--initial-branch=main")
    _git(repository, "add", "--all")
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    _git(repository, *who, "commit", "--quiet", "--message", "pachops")
    return repository


def _deploy(parts: Outside, repository: Path) -> str:
    print("\n$ pachops deploy", flush=True)
    done = subprocess.run(  # noqa: S603 - our own command
        [str(PACHOPS), "deploy"],
        cwd=repository,
        env=parts.environment(),
        timeout=DEPLOY_TIMEOUT,
        check=False,
    )
    if done.returncode:
        msg = f"`pachops deploy` ended with status {done.returncode}"
        raise WrongError(msg)
    return _git(repository, "rev-parse", "HEAD").strip()


def _start(parts: Outside, image: str) -> None:
    client = docker.APIClient(base_url=parts.engine.host, version="auto", timeout=60)
    with contextlib.closing(client), _container(client, image) as container:
        deadline = time.monotonic() + HEALTHY_TIMEOUT
        while (state := _state(client, container))["Health"]["Status"] != "healthy":
            if not state["Running"] or time.monotonic() > deadline:
                log = client.logs(container).decode(errors="replace")
                msg = f"the container is not healthy: {json.dumps(state['Health'])}\n{log}"
                raise WrongError(msg)
            time.sleep(0.5)
        size = client.inspect_image(image)["Size"] / 1e6  # type: ignore[no-untyped-call]
        user = client.inspect_image(image)["Config"]["User"]  # type: ignore[no-untyped-call]
        print(f"-> The image ({size:.0f} MB) serves, healthy, as user {user}, on a read-only disk")


@contextlib.contextmanager
def _container(client: docker.APIClient, image: str) -> Iterator[str]:
    """Started as compose.yaml starts it."""
    host_config = client.create_host_config(
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        tmpfs={"/tmp": ""},  # noqa: S108 - the container's
    )
    made = client.create_container(
        image,
        environment=_SERVED,
        # The image's own command, asked more often.
        healthcheck={"interval": 1_000_000_000},
        host_config=host_config,
    )
    container: str = made["Id"]
    try:
        client.start(container)
        yield container
    finally:
        client.remove_container(container, force=True, v=True)


def _state(client: docker.APIClient, container: str) -> dict[str, dict[str, str]]:
    state: dict[str, dict[str, str]] = client.inspect_container(container)["State"]
    return state


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(  # noqa: S603 - constant commands
        ["git", *arguments],  # noqa: S607
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout


if __name__ == "__main__":
    sys.exit(main())
