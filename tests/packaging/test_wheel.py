"""The wheel, in an environment of its own."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_main_job import simple
from tests.e2e.world import World
from tests.packaging.conftest import ROOT, Run
from tests.real.registry import Registry
from tests.standins.pachd import Pachd

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("wheel")]  # it is built once


@pytest.fixture(scope="module")
def wheel(uv: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    built = uv("build", "--wheel", "--quiet", "--out-dir", folder)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def pachops(uv: Run, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed from the wheel by pip; uv is sooner done with what it depends on."""
    fresh = tmp_path_factory.mktemp("fresh") / "venv"
    made = uv("venv", "--quiet", "--seed", "--python", sys.executable, fresh)
    assert made.returncode == 0, made.stderr
    python = fresh / "bin" / "python"
    installed = uv(
        "pip", "install", "--quiet", "--constraint", "requirements.lock", "--python", python, wheel
    )
    assert installed.returncode == 0, installed.stderr
    for arguments in (("install", "--no-deps", "--force-reinstall", str(wheel)), ("check",)):
        done = subprocess.run(  # noqa: S603 - our own wheel
            [python, "-m", "pip", "--disable-pip-version-check", *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return fresh / "bin" / "pachops"


def test_every_file_of_the_bot_is_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    files = {
        str(file.relative_to(ROOT))
        for folder in ("bot", "handlers")
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert files <= packed
    assert "bot/domain/pps_schema.json" in packed
    assert not [name for name in packed if name.startswith("tests/")]


def test_it_says_its_version(pachops: Path, tmp_path: Path) -> None:
    done = _run(pachops, {"HOME": str(tmp_path)}, tmp_path, "--version")
    assert (done.returncode, done.stdout.startswith("pachops 0.")) == (0, True), done.stderr


def test_its_doctor_says_what_is_missing(pachops: Path, tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "DOCKER_HOST": "unix:///nowhere"}
    done = _run(pachops, environ, tmp_path, "doctor")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Set PACHOPS_PACHD_ADDRESS" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_it_plans_a_deployment(
    pachops: Path, tmp_path: Path, registry: Registry, pachd: Pachd
) -> None:
    # Nothing is built, so that no engine is asked.
    world = World(tmp_path, "unix:///nowhere", "busybox:1", registry, pachd)
    world.commit(simple(world))
    done = _run(pachops, world.environ, tmp_path, "deploy", world.address, "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "default/edges: create (pipeline.json)" in done.stdout


@pytest.fixture
def pachd() -> Iterator[Pachd]:
    with Pachd() as pachd:
        pachd.create_repo("images")
        yield pachd


def _run(
    pachops: Path, environ: dict[str, str], folder: Path, *arguments: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own command
        [pachops, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
