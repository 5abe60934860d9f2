from pathlib import Path
from typing import Any

import pytest

from bot.domain.reasons import StoppedError
from handlers.action.events import brought
from handlers.action.runner import Runner, read_runner
from tests.e2e.runner import recorded

HOME = "acme/vision"
SHA, MERGE = "a" * 40, "b" * 40


def runner(name: str, event: dict[str, Any], ref: str = "refs/heads/main") -> Runner:
    here = Path("/nowhere")
    url = "https://github.com"
    return Runner(name, event, url, HOME, MERGE, ref, "ada", url, here, here, None, None)


def pull_request(home: str | None = HOME, **changes: Any) -> dict[str, Any]:
    head = {"ref": "feature", "sha": SHA, "repo": home and {"full_name": home}}
    return recorded("pull_request", HOME, pull_request__head=head, **changes)


def test_a_push_brings_its_newest_commit() -> None:
    found = brought(runner("push", recorded("push", HOME, ref="refs/heads/a/b", after=SHA)))
    assert found.commit
    assert (found.commit.sha, found.commit.branch, found.release) == (SHA, "a/b", None)
    assert found.commit.author


def test_a_pull_request_brings_its_head_and_not_the_merge() -> None:
    found = brought(runner("pull_request", pull_request()))
    assert found.commit
    assert (found.commit.sha, found.commit.branch, found.is_fork) == (SHA, "feature", False)


def test_a_pull_request_is_read_of_which_it_is_not_said_whether_it_was_merged() -> None:
    found = brought(runner("pull_request", pull_request(pull_request__merged=None)))
    assert found.commit


@pytest.mark.parametrize("home", ["mallory/vision", None])
def test_a_fork_is_known_even_when_it_is_gone(home: str | None) -> None:
    found = brought(runner("pull_request", pull_request(home)))
    assert found.is_fork
    assert found.commit
    assert found.commit.branch is None


def test_a_release_brings_its_tag() -> None:
    event = recorded("release", HOME, release__tag_name="v1.2")
    found = brought(runner("release", event))
    assert (found.commit, found.ref, found.release) == (None, "refs/tags/v1.2", "v1.2")


@pytest.mark.parametrize("name", ["workflow_dispatch", "schedule", "repository_dispatch"])
def test_all_else_brings_the_commit_of_the_workflow(name: str) -> None:
    found = brought(runner(name, {}))
    assert found.commit
    assert (found.commit.sha, found.commit.branch) == (MERGE, "main")


@pytest.mark.parametrize(
    ("name", "event", "code"),
    [
        ("push", recorded("push_deleted", HOME), "ref_unknown"),
        ("pull_request", pull_request(pull_request__state="closed"), "pull_request_closed"),
        ("pull_request", pull_request(pull_request__merged=True), "pull_request_merged"),
        ("pull_request_target", pull_request("mallory/vision"), "fork_not_allowed"),
        ("release", recorded("release", HOME, action="deleted"), "ref_unknown"),
        ("push", {"ref": 3}, "bad_command"),
    ],
)
def test_what_brings_no_commit_is_refused(name: str, event: dict[str, Any], code: str) -> None:
    with pytest.raises(StoppedError) as stopped:
        brought(runner(name, event))
    assert stopped.value.reason.code == code


@pytest.mark.parametrize("home", ["mallory/vision", None])
def test_what_is_named_after_a_run_of_a_fork_is_refused(home: str | None) -> None:
    event = {"workflow_run": {"head_sha": SHA, "head_repository": home and {"full_name": home}}}
    with pytest.raises(StoppedError) as stopped:
        brought(runner("workflow_run", event), named=True)
    assert stopped.value.reason.code == "fork_not_allowed"
    assert "workflow_run.head_repository" in stopped.value.reason.next_step
    # Without that it is the default branch's own commit.
    assert brought(runner("workflow_run", event)).commit


def test_what_is_named_after_a_run_of_the_repository_itself_is_taken() -> None:
    event = {"workflow_run": {"head_repository": {"full_name": "Acme/Vision"}}}
    assert brought(runner("workflow_run", event), named=True).commit


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file"), ("{", "Expecting"), ("[]", "not an object")],
)
def test_an_event_that_cannot_be_read_is_told(
    tmp_path: Path, content: str | None, said: str
) -> None:
    file = tmp_path / "event.json"
    if content is not None:
        file.write_text(content)
    names = ("SERVER_URL", "REPOSITORY", "EVENT_NAME", "SHA")
    environ = {f"GITHUB_{name}": "something" for name in names}
    environ |= {"GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(tmp_path)}
    with pytest.raises(StoppedError, match=said):
        read_runner(environ | {"GITHUB_EVENT_PATH": str(file)})


def test_outside_of_a_workflow_it_says_what_to_use() -> None:
    with pytest.raises(StoppedError) as stopped:
        read_runner({})
    assert "pachops deploy" in stopped.value.reason.next_step


@pytest.mark.parametrize(
    ("event", "branch"),
    [
        ({"repository": {"default_branch": "trunk"}}, "trunk"),
        ({"repository": {"default_branch": 1}}, None),
        ({"repository": None}, None),
        ({}, None),
    ],
)
def test_the_event_may_say_the_default_branch(event: dict[str, Any], branch: str | None) -> None:
    assert runner("schedule", event).default_branch == branch
