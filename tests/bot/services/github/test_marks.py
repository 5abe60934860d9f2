"""What the client writes: as asked, within GitHub's limits, and once."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot.domain.github import RULES_CHECK
from bot.domain.reasons import Code, StoppedError
from bot.services.github import (
    Action,
    Annotation,
    CheckReport,
    Conclusion,
    GitHub,
    Level,
    RepositoryClient,
)
from tests.standins.github.faults import Fault, dropped, error, lost_answer, secondary_limit
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import PullRequest

MARKER = "<!-- pachops:staging -->"
COMMENTS = "/repos/acme/edges/issues/*/comments"
REPORT = CheckReport("Building", "Building **edges**")
PROXY = Fault(200, body=b"<html>", after=True)
"""A page of somebody between us and GitHub, who had done what it was asked."""
LOST = [lost_answer(), error(502, after=True), error(504), PROXY]

Write = Callable[[RepositoryClient, PullRequest], Awaitable[object]]


async def test_a_comment_is_ours_and_ends_with_its_marker(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    identity = await edges.create_comment(pull.number, "Deploying", marker=MARKER)

    found = await server.expect_comment(pull, "Deploying")
    assert (found.id, found.body) == (identity, f"Deploying\n\n{MARKER}")


async def test_a_comment_is_edited_in_place(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    identity = await edges.create_comment(pull.number, "Deploying", marker=MARKER)

    assert await edges.edit_comment(identity, "Deployed", marker=MARKER)

    assert [each.body for each in server.comments(pull)] == [f"Deployed\n\n{MARKER}"]


async def test_an_edit_says_that_the_comment_is_gone(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    identity = await edges.create_comment(pull.number, "Deploying", marker=MARKER)
    await server.delete(pull, server.comments(pull)[0])

    assert not await edges.edit_comment(identity, "Deployed", marker=MARKER)


async def test_our_comment_is_found_by_its_marker(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    for number in range(120):
        await server.comment(pull, f"chat {number}")
    await edges.create_comment(pull.number, "Other", marker="<!-- pachops:production -->")
    identity = await edges.create_comment(pull.number, "Deploying", marker=MARKER)

    assert await edges.find_comment(pull.number, MARKER) == identity


async def test_somebody_elses_comment_with_our_marker_is_not_ours(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    await server.comment(pull, f"Deployed!\n\n{MARKER}", by="eve")

    assert await edges.find_comment(pull.number, MARKER) is None


async def test_a_marker_that_a_log_shows_in_our_comment_is_none(
    edges: RepositoryClient, pull: PullRequest
) -> None:
    log = f"a log that prints {MARKER}"
    await edges.create_comment(pull.number, log, marker="<!-- pachops:production -->")

    assert await edges.find_comment(pull.number, MARKER) is None


async def test_with_a_token_the_comment_is_the_users(by_token: GitHub, pull: PullRequest) -> None:
    client = by_token.for_repository("acme", "edges")
    identity = await client.create_comment(pull.number, "Deploying", marker=MARKER)

    assert await client.find_comment(pull.number, MARKER) == identity


async def test_a_comment_that_is_too_long_loses_its_middle_and_keeps_its_marker(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    await edges.create_comment(pull.number, "first " + "ä" * 70_000 + " last", marker=MARKER)

    body = server.comments(pull)[0].body
    assert len(body) <= 65_536
    assert body.startswith("first ä")
    assert body.endswith(f"ä last\n\n{MARKER}")


async def test_a_reaction_is_ours(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    comment = await server.comment(pull, "/pachops deploy")

    await edges.react(comment.id, "eyes")
    await edges.react(comment.id, "eyes")

    assert [each.content for each in comment.reactions] == ["eyes"]


async def test_a_check_shows_what_it_is_told(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    report = CheckReport(
        "Build failed",
        "Step **3** failed",
        text="the log",
        conclusion=Conclusion.FAILURE,
        annotations=(Annotation("Dockerfile", 3, "no such package", title="RUN"),),
        actions=(Action("Deploy again", "Build and deploy again", "again"),),
        details_url="https://pachops.example/1",
    )

    identity = await edges.create_check(pull.head_sha, "pachops", report, external_id="d1")

    check = await server.expect_check(pull.head_sha, conclusion="failure")
    assert (check.id, check.name, check.external_id) == (identity, "pachops", "d1")
    assert (check.title, check.summary, check.text) == (
        "Build failed",
        "Step **3** failed",
        "the log",
    )
    assert check.details_url == "https://pachops.example/1"
    assert check.actions == [
        {"label": "Deploy again", "description": "Build and deploy again", "identifier": "again"}
    ]
    assert check.annotations == [
        {
            "path": "Dockerfile",
            "start_line": 3,
            "end_line": 3,
            "annotation_level": "failure",
            "message": "no such package",
            "title": "RUN",
        }
    ]


async def test_a_check_moves_on_from_queued_to_its_end(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    queued = replace(REPORT, started=False)
    identity = await edges.create_check(pull.head_sha, "pachops", queued, external_id="d1")
    check = await server.expect_check(pull.head_sha, status="queued")

    await edges.update_check(identity, REPORT)
    assert check.status == "in_progress"

    await edges.update_check(identity, replace(REPORT, conclusion=Conclusion.SUCCESS))
    assert (check.status, check.conclusion) == ("completed", "success")


async def test_a_check_that_is_asked_for_again_is_open_again(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    ended = replace(REPORT, conclusion=Conclusion.FAILURE)
    identity = await edges.create_check(pull.head_sha, "pachops", ended, external_id="d1")

    await edges.update_check(identity, REPORT)

    check = await server.expect_check(pull.head_sha, status="in_progress")
    assert check.conclusion is None


@pytest.mark.parametrize("count", [50, 51, 120])
async def test_annotations_go_in_as_many_requests_as_they_need(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, count: int
) -> None:
    await edges.create_check(pull.head_sha, "pachops", _annotated(count), external_id="d1")

    check = await server.expect_check(pull.head_sha)
    assert [each["start_line"] for each in check.annotations] == [*range(1, count + 1)]


async def test_annotations_that_are_there_are_not_added_again(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    identity = await edges.create_check(pull.head_sha, "pachops", _annotated(3), external_id="d1")

    await edges.update_check(identity, _annotated(70))
    await edges.update_check(identity, _annotated(70))

    check = await server.expect_check(pull.head_sha)
    assert [each["start_line"] for each in check.annotations] == [*range(1, 71)]


async def test_the_end_comes_with_its_annotations_in_one_call(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    identity = await edges.create_check(pull.head_sha, "pachops", REPORT, external_id="d1")
    before = len(server.calls)
    ended = replace(_annotated(50), conclusion=Conclusion.FAILURE)

    await edges.update_check(identity, ended, was_annotated=False)

    check = await server.expect_check(pull.head_sha, conclusion="failure")
    assert len(check.annotations) == 50
    assert [each.method for each in server.calls[before:]] == ["PATCH"]


@pytest.mark.parametrize("lost", LOST)
async def test_annotations_whose_answer_was_lost_are_not_doubled(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, lost: Fault
) -> None:
    identity = await edges.create_check(pull.head_sha, "pachops", REPORT, external_id="d1")
    server.fail("PATCH", "/repos/acme/edges/check-runs/*", lost)

    await edges.update_check(identity, _annotated(60))

    check = await server.expect_check(pull.head_sha)
    assert [each["start_line"] for each in check.annotations] == [*range(1, 61)]


async def test_a_checks_texts_are_cut_in_bytes(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    long = "first " + "🚀" * 30_000 + " last"
    report = CheckReport(
        "t" * 300,
        long,
        text=long,
        annotations=(Annotation("a", 1, long, level=Level.WARNING, title="t" * 300),),
        actions=tuple(
            Action("a label that is too long", "a description " * 5, str(number))
            for number in range(4)
        ),
    )

    await edges.create_check(pull.head_sha, "pachops", report, external_id="d1")

    check = await server.expect_check(pull.head_sha)
    for text in (check.summary, check.text):
        assert text is not None
        assert text.startswith("first 🚀")
        assert text.endswith("🚀 last")
        assert 65_400 < len(text.encode()) <= 65_535
    assert len(check.actions) == 3


def test_a_button_whose_identifier_is_too_long_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="longer than 20"):
        CheckReport("", "", actions=(Action("Go", "", "an identifier that is too long"),))


async def test_a_deployment_waits_for_no_check_and_merges_nothing(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.check("acme/edges", pull.head_sha, "unit", "failure")
    await server.push("acme/edges", {"other": "so that the head is behind"})

    identity = await edges.create_deployment(
        pull.head_sha,
        "staging",
        payload={"pachops": "d1"},
        description="d" * 200,
        transient=True,
    )

    found = await server.expect_deployment("acme/edges", "staging", sha=pull.head_sha)
    assert (found.id, found.payload) == (identity, {"pachops": "d1"})
    assert (found.transient, found.production) == (True, False)
    assert len(found.description) == 140


async def test_a_deployments_status_leads_to_its_log(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    identity = await edges.create_deployment(pull.head_sha, "staging", payload={"pachops": "d1"})

    await edges.deployment_status(identity, "in_progress")
    await edges.deployment_status(
        identity,
        "failure",
        description="tests failed: " + "x" * 200,
        url="https://pachops.example/1",
        environment_url="https://console.example",
    )

    found = await server.expect_deployment("acme/edges", "staging", state="failure")
    assert [each.state for each in found.statuses] == ["in_progress", "failure"]
    assert found.statuses[-1].log_url == "https://pachops.example/1"
    assert found.statuses[-1].environment_url == "https://console.example"
    assert found.statuses[-1].description.startswith("tests failed: x")


async def _comment(edges: RepositoryClient, pull: PullRequest) -> object:
    return await edges.create_comment(pull.number, "Deploying", marker=MARKER)


async def _check(edges: RepositoryClient, pull: PullRequest) -> object:
    return await edges.create_check(pull.head_sha, "pachops", REPORT, external_id="d1")


async def _deployment(edges: RepositoryClient, pull: PullRequest) -> object:
    return await edges.create_deployment(pull.head_sha, "staging", payload={"pachops": "d1"})


MARKS = [
    pytest.param(_comment, COMMENTS, id="comment"),
    pytest.param(_check, "/repos/acme/edges/check-runs", id="check"),
    pytest.param(_deployment, "/repos/acme/edges/deployments", id="deployment"),
]


def _made(pull: PullRequest) -> list[int]:
    repo = pull.repo
    return [*repo.comments, *repo.checks, *repo.deployments]


@pytest.mark.parametrize(("write", "path"), MARKS)
@pytest.mark.parametrize("lost", LOST)
async def test_a_mark_whose_answer_was_lost_is_not_made_twice(
    edges: RepositoryClient,
    server: GitHubServer,
    pull: PullRequest,
    write: Write,
    path: str,
    lost: Fault,
) -> None:
    server.fail("POST", path, lost)

    identity = await write(edges, pull)

    assert _made(pull) == [identity]


@pytest.mark.parametrize(("write", "path"), MARKS)
async def test_a_mark_that_was_not_made_is_made_after_all(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, write: Write, path: str
) -> None:
    server.fail("POST", path, dropped())
    server.fail("POST", path, error(500))

    identity = await write(edges, pull)

    assert _made(pull) == [identity]


@pytest.mark.parametrize(("write", "path"), MARKS)
async def test_a_mark_that_was_put_off_by_a_limit_is_made_once(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, write: Write, path: str
) -> None:
    server.fail("POST", path, secondary_limit(30))

    identity = await write(edges, pull)

    assert _made(pull) == [identity]


@pytest.mark.parametrize("lost", LOST)
async def test_a_deployments_status_whose_answer_was_lost_is_not_doubled(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, lost: Fault
) -> None:
    identity = await edges.create_deployment(pull.head_sha, "staging", payload={"pachops": "d1"})
    server.fail("POST", "*/statuses", lost)

    await edges.deployment_status(identity, "success", description="done", url="https://log")

    found = await server.expect_deployment("acme/edges", "staging", state="success")
    assert len(found.statuses) == 1


async def test_another_deployment_of_the_same_commit_is_another(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    first = await edges.create_deployment(pull.head_sha, "staging", payload={"pachops": "d1"})
    server.fail("POST", "/repos/acme/edges/deployments", error(502))

    second = await edges.create_deployment(pull.head_sha, "staging", payload={"pachops": "d2"})

    assert [each.id for each in server.deployments("acme/edges")] == [first, second]


async def test_an_edit_whose_answer_was_lost_is_repeated(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    identity = await edges.create_comment(pull.number, "Deploying", marker=MARKER)
    server.fail("PATCH", "*/issues/comments/*", lost_answer())

    await edges.edit_comment(identity, "Deployed", marker=MARKER)

    assert server.comments(pull)[0].body == f"Deployed\n\n{MARKER}"
    assert server.called("PATCH", f"/comments/{identity}") == 2


async def test_a_reaction_whose_answer_was_lost_is_not_doubled(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    comment = await server.comment(pull, "/pachops deploy")
    server.fail("POST", "*/reactions", lost_answer())

    await edges.react(comment.id, "rocket")

    assert [each.content for each in comment.reactions] == ["rocket"]


async def test_a_check_is_found_by_who_it_is_for(
    edges: RepositoryClient, pull: PullRequest
) -> None:
    first = await edges.create_check(pull.head_sha, "pachops", REPORT, external_id="d1")
    second = await edges.create_check(pull.head_sha, "pachops", REPORT, external_id="d2")

    assert await edges.find_check(pull.head_sha, "pachops", external_id="d1") == first
    assert await edges.find_check(pull.head_sha, "pachops", external_id="d2") == second
    assert await edges.find_check(pull.head_sha, "pachops", external_id="d3") is None


async def test_another_apps_check_is_not_ours(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.check("acme/edges", pull.head_sha, "pachops", app="jenkins").external_id = "d1"

    assert await edges.find_check(pull.head_sha, "pachops", external_id="d1") is None


async def test_a_deployment_is_found_by_its_payload(
    edges: RepositoryClient, pull: PullRequest
) -> None:
    made = await edges.create_deployment(pull.head_sha, "staging", payload={"pachops": "d1"})
    sha = pull.head_sha

    assert await edges.find_deployment(sha, "staging", payload={"pachops": "d1"}) == made
    assert await edges.find_deployment(sha, "staging", payload={"pachops": "d2"}) is None
    assert await edges.find_deployment(sha, "production", payload={"pachops": "d1"}) is None


async def test_a_token_may_not_write_checks(by_token: GitHub, pull: PullRequest) -> None:
    client = by_token.for_repository("acme", "edges")

    with pytest.raises(StoppedError) as stopped:
        await client.create_check(pull.head_sha, "pachops", REPORT, external_id="d1")

    assert stopped.value.reason.code is Code.GITHUB_REFUSED
    assert "GitHub App" in stopped.value.reason.fact


async def test_what_github_does_not_take_is_refused_with_its_words(
    edges: RepositoryClient, pull: PullRequest
) -> None:
    with pytest.raises(StoppedError) as stopped:
        await edges.create_deployment("0" * 40, "staging", payload={})

    assert stopped.value.reason.code is Code.GITHUB_REFUSED
    assert "422 No ref found" in stopped.value.reason.fact
    assert pull.repo.full_name in stopped.value.reason.fact


def _annotated(count: int) -> CheckReport:
    remarks = (Annotation("Dockerfile", line, "wrong") for line in range(1, count + 1))
    return replace(REPORT, annotations=tuple(remarks))


# --- statuses


async def test_a_status_is_set_within_githubs_limit_and_found_by_its_context(
    by_token: GitHub, server: GitHubServer, pull: PullRequest
) -> None:
    edges = by_token.for_repository("acme", "edges")
    assert not await edges.has_status(pull.head_sha, RULES_CHECK)

    for passes in (False, True):
        await edges.set_status(pull.head_sha, RULES_CHECK, "x" * 200, passes=passes)

    made = server.world.repo("acme/edges").statuses
    assert [(each.state, len(each.description or "")) for each in made] == [
        ("failure", 140),
        ("success", 140),
    ]
    assert await edges.has_status(pull.head_sha, RULES_CHECK)
