"""This project's own image, from a deployment of this repository to a container that is healthy."""

import os
import re
import subprocess
import sys

import pytest

from tests.real.engine import SHARED_HOST
from tests.real.outside import PROJECT
from tests.real.program import run_program
from tests.real.python_image import PYTHON_IMAGE

LONGEST = 840.0


@pytest.mark.real
@pytest.mark.xdist_group(PYTHON_IMAGE)  # who made a stand-in for it takes it away
@pytest.mark.usefixtures("registry")  # it is skipped where there is none
def test_a_deployment_of_this_repository_builds_an_image_that_is_healthy(
    engine_host: str,
) -> None:
    done = run_program(
        [sys.executable, "-m", "examples.own_image"],
        timeout=LONGEST,
        cwd=PROJECT,
        env=os.environ | {SHARED_HOST: engine_host},
    )
    said = done.stdout
    assert done.returncode == 0, said[-4000:] + done.stderr[-4000:]
    assert re.search(
        r"^-> Pachyderm runs the pipeline `version` with .*@sha256:", said, re.MULTILINE
    )
    assert re.search(
        r"^-> The image \(\d+ MB\) serves, healthy, as user 10001:10001", said, re.MULTILINE
    )


def test_make_image_is_this_example() -> None:
    said = subprocess.run(
        ["make", "--dry-run", "image"],  # noqa: S607 - what a person types
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert ".venv/bin/python -m examples.own_image\n" in said
