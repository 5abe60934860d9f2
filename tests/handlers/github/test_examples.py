"""GitHub's own examples of webhooks, as octokit publishes them, are read without error."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest

from handlers.github.check_run import CheckRun
from handlers.github.comment import IssueComment
from handlers.github.events import HANDLERS
from handlers.github.payloads import Event
from handlers.github.pull_request import PullRequest
from handlers.github.push import Push
from handlers.github.release import ReleaseEvent

PACKAGE = "@octokit/webhooks-examples@7.6.1"
MODELS: Mapping[str, type[Event]] = {
    "push": Push,
    "pull_request": PullRequest,
    "issue_comment": IssueComment,
    "release": ReleaseEvent,
    "check_run": CheckRun,
}

Examples = Mapping[str, list[dict[str, Any]]]


def missing(why: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    folder = tmp_path_factory.mktemp("examples")
    npm = shutil.which("npm")
    if npm is None:
        missing("npm is not installed, so the examples of webhooks cannot be fetched")
    packed = subprocess.run(  # noqa: S603 - npm, with words of our own
        [npm, "pack", "--silent", PACKAGE],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if packed.returncode:
        missing(f"npm cannot fetch {PACKAGE}")
    (archive,) = folder.glob("*.tgz")
    shutil.unpack_archive(archive, folder)
    (index,) = Path(folder).glob("**/api.github.com/index.json")
    found = json.loads(index.read_text())
    return {each["name"]: each["examples"] for each in found}


@pytest.mark.real
@pytest.mark.parametrize("event", MODELS)
def test_every_example_is_read(examples: Examples, event: str) -> None:
    assert examples[event]
    for payload in examples[event]:
        read = MODELS[event].model_validate(payload)
        assert read.place.full_name == payload["repository"]["full_name"]


def test_every_event_that_is_handled_is_tried() -> None:
    assert MODELS.keys() == HANDLERS.keys()
