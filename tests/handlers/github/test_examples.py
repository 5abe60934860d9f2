"""GitHub's own examples of webhooks, as octokit publishes them, are read without error."""

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import aiohttp
import pytest

from bot.store.deliveries import DeliveryState
from handlers.github.awaiting import Status
from handlers.github.check_run import CheckRun
from handlers.github.check_suite import CheckSuite
from handlers.github.comment import IssueComment
from handlers.github.events import HANDLERS, WANTED
from handlers.github.payloads import Event
from handlers.github.pull_request import PullRequest
from handlers.github.push import Push
from handlers.github.release import ReleaseEvent
from handlers.github.renamed import RepositoryEvent
from tests.handlers.github.world import World
from tests.standins.github.app import Installation
from tests.standins.github.webhooks import sign

PACKAGE = "@octokit/webhooks-examples@7.6.1"
MODELS: Mapping[str, type[Event]] = {
    "push": Push,
    "pull_request": PullRequest,
    "issue_comment": IssueComment,
    "release": ReleaseEvent,
    "check_run": CheckRun,
    "check_suite": CheckSuite,
    "repository": RepositoryEvent,
    "status": Status,
}

WITHOUT = {"installation_target"}
"""Handled, and not among the examples."""

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
        place = payload["repository"]
        assert read.place.full_name == f"{place['owner']['login']}/{place['name']}"


def test_every_event_that_is_handled_is_tried() -> None:
    assert MODELS.keys() | WITHOUT == HANDLERS.keys()


def _as_it_is_there(world: World, examples: Examples) -> None:
    """The repositories that the examples are about, and the App as it is installed there."""
    for payload in (each for events in examples.values() for each in events):
        full_name = (payload.get("repository") or {}).get("full_name")
        if full_name is None:
            continue
        repo = world.github.world.repos.get(full_name) or world.github.repository(full_name)
        if (branch := payload["repository"].get("default_branch", "main")) != repo.default_branch:
            repo.default_branch = branch
            repo.git.commit({}, "First", branch=branch)
        if number := (payload.get("installation") or {}).get("id"):
            installed = Installation(number, repo.owner.login)
            found = world.github.world.installations.setdefault(number, installed)
            found.repos.add(full_name)


async def _send(world: World, guid: str, event: str, payload: Mapping[str, Any]) -> int:
    """As GitHub does; the status."""
    body = json.dumps(payload).encode()
    headers = {
        "X-Hub-Signature-256": sign(world.github.app.webhook_secret, body),
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": guid,
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(world.github.webhooks.url, data=body, headers=headers) as answer,
    ):
        return answer.status


@pytest.mark.real
async def test_every_example_is_taken_and_handled(world: World, examples: Examples) -> None:
    _as_it_is_there(world, examples)
    sent = {
        str(uuid.uuid5(uuid.NAMESPACE_OID, f"{event} {number}")): (event, payload)
        for event, payloads in examples.items()
        for number, payload in enumerate(payloads)
    }
    for guid, (event, payload) in sent.items():
        assert await _send(world, guid, event, payload) == 202, event
    await world.settled()

    states = {guid: await world.deliveries.state(guid) for guid in sent}
    for guid, (event, payload) in sent.items():
        wanted = WANTED.get(event, frozenset())
        found = states[guid]
        if wanted is None or payload.get("action", payload.get("state")) in wanted:
            assert found is not None, event
            assert found[0] is DeliveryState.DONE, (event, found)
        else:
            assert found is None, (event, found)
    assert {sent[guid][0] for guid, found in states.items() if found} == WANTED.keys() - WITHOUT
