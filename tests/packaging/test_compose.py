"""compose.yaml, started as the guide says: by compose itself, on a real engine."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.conftest import real_part
from tests.docs import guides
from tests.packaging.conftest import ROOT
from tests.real.docker_plugin import docker_with
from tests.real.engine import MissingPartError
from tests.real.postgres_image import postgres_image
from tests.real.program import run_program
from tests.real.python_image import PYTHON_IMAGE, python_image

pytestmark = pytest.mark.real
INSTALL = ROOT / "docs" / "install.md"
COPIED = (
    *("compose.yaml", "Dockerfile", ".dockerignore"),
    *("pyproject.toml", "requirements.lock", "README.md"),
)
SOCKET = "/var/run/docker.sock"
LONGEST = 600.0
PATIENCE = 60.0


@dataclass(frozen=True)
class Project:
    """A folder with compose.yaml, and a shell there."""

    folder: Path
    environ: dict[str, str]

    def run(self, command: str) -> str:
        """What it says; the test fails where it does not work."""
        done = run_program(
            ["sh", "-euc", command], timeout=LONGEST, cwd=self.folder, env=self.environ
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done.stdout

    def wait(self) -> None:
        """Until all is up, and what can be asked says that it is well."""
        self.run("docker compose up --detach")
        self.run(
            "docker compose up --detach --wait --wait-timeout 120 || "
            "{ docker compose ps --all; docker compose logs; exit 1; }"
        )

    def readiness(self) -> int:
        address = self.run("docker compose port serve 8080").strip()
        try:
            with urllib.request.urlopen(f"http://{address}/readyz", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def workers(self) -> int:
        """Those that have told the database that they live; `serve` is one too."""
        ask = "psql -U pachops -Atc 'select count(*) from worker'"
        return int(self.run(f"docker compose exec -T database {ask}"))

    def ends(self) -> dict[str, int]:
        """The status with which each ended."""
        lines = self.run("docker compose ps --all --format json").splitlines()
        return {each["Service"]: each["ExitCode"] for each in map(json.loads, lines)}


@pytest.fixture(scope="module")
def project(engine_host: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """All that the guide does before the start."""
    made = tmp_path_factory.mktemp("compose")
    with contextlib.ExitStack() as stack:
        with real_part():
            _require_a_way_to_root(engine_host)
            docker = docker_with("compose", made / "docker")
            stack.enter_context(python_image(engine_host))
            stack.enter_context(postgres_image(engine_host))
        project = _prepared(made, docker, engine_host)
        stack.callback(project.run, "docker compose down --volumes; docker image rm $PACHOPS_IMAGE")
        yield project


def _require_a_way_to_root(engine_host: str) -> None:
    """It gives files to another user, and containers the engine's socket."""
    if not engine_host.startswith("unix://"):
        msg = f"The engine at {engine_host} has no socket for a container."
        raise MissingPartError(msg)
    if not os.geteuid():
        return
    try:
        subprocess.run(["sudo", "-n", "true"], check=True, capture_output=True, timeout=10)  # noqa: S607
    except (OSError, subprocess.SubprocessError) as error:
        msg = "Only root can give files to another user, and sudo is not to be had."
        raise MissingPartError(msg) from error


def _prepared(made: Path, docker: Path, engine_host: str) -> Project:
    home, folder, socket = made / "home", made / "pachops", engine_host.removeprefix("unix://")
    (home / ".docker").mkdir(parents=True)
    (home / ".docker/config.json").write_text("{}")
    (home / "Downloads").mkdir()
    (home / "Downloads/pachops.private-key.pem").write_bytes(_key())
    folder.mkdir()
    for name in COPIED:
        shutil.copy(ROOT / name, folder)
    for name in ("bot", "handlers"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "here.yaml").write_text(
        "services:\n"
        "  serve:\n"
        "    ports: !override ['127.0.0.1::8080']\n"
        "    healthcheck: {interval: 1s}\n"
        f"    volumes: ['{socket}:{SOCKET}']\n"
        "  worker:\n"
        "    healthcheck: {interval: 1s}\n"
        f"    volumes: ['{socket}:{SOCKET}']\n"
    )
    name = f"pachops-test-{uuid.uuid4().hex[:12]}"
    environ = {
        "PATH": f"{docker}:{os.environ['PATH']}",
        "HOME": str(home),
        "DOCKER_CONFIG": str(made / "docker"),
        "DOCKER_HOST": engine_host,
        "COMPOSE_FILE": "compose.yaml:here.yaml",
        "COMPOSE_PROJECT_NAME": name,
        "PACHOPS_IMAGE": name,
    }
    project = Project(folder, environ)
    before, _ = _commands()
    for command in before:
        project.run(command.replace(SOCKET, socket))
        if "database_password" in command:
            _write_settings(folder / "secrets")
    return project


def _commands() -> tuple[list[str], list[str]]:
    """Those of the guide before compose, and compose's own."""
    text = INSTALL.read_text().partition("## With compose\n")[2].partition("\n## ")[0]
    shown = [line.removeprefix("$ ") for line in re.findall(r"^\$ .*", text, re.MULTILINE)]
    sudo = "sudo " if os.geteuid() else ""
    commands = [re.sub("^sudo ", sudo, line) for line in shown]
    ours = [line for line in commands if line.startswith("docker compose")]
    return [line for line in commands if line not in ours], ours


def _write_settings(secrets: Path) -> None:
    (text,) = (each for each in guides.settings_files(INSTALL) if "# secrets/settings" in each)
    password = (secrets / "database_password").read_text().strip()
    text = text.replace("THE-DATABASE-PASSWORD", password)
    # Nobody answers there: a bot whose GitHub is away is well.
    text = text.replace("github:\n", "github:\n  base_url: http://127.0.0.1:9\n")
    (secrets / "settings.yaml").write_text(text)


def _key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def eventually(look: Callable[[], int], wanted: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while (found := look()) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


@pytest.mark.xdist_group(PYTHON_IMAGE)  # who made a stand-in for it takes it away
def test_it_starts_works_stops_in_good_order_and_starts_again(project: Project) -> None:
    _, ours = _commands()
    for command in ours:
        project.run(command)
    project.wait()
    eventually(project.readiness, 200)
    eventually(project.workers, 2)
    # The worker reaches its engine and its database.
    project.run("docker compose exec -T worker python -c 'import docker; docker.from_env().ping()'")
    project.run("docker compose exec -T worker pachops status")
    project.run("docker compose stop")
    assert project.ends() == {"database": 0, "serve": 0, "worker": 0}
    project.wait()
    eventually(project.readiness, 200)
