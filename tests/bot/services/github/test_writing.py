"""Several marks in one call: all of them, as the calls for one make them, and none twice."""

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.services.github import (
    Action,
    Annotation,
    CheckReport,
    CheckUpdate,
    CommentEdit,
    Conclusion,
    NewComment,
    NewStatus,
    Order,
    React,
    RepositoryClient,
)
from tests.standins.github import shapes
from tests.standins.github.faults import Fault, dropped, error, lost_answer, secondary_limit
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import PullRequest

EDGES = "acme/edges"
MARKER = "<!-- pachops:staging -->"
END = CheckReport(
    "Failed",
    "It did not build",
    "the log",
    conclusion=Conclusion.FAILURE,
    annotations=(Annotation("a.json", 7, "it is not JSON", title="spec_invalid"),),
    actions=(Action("Re-run", "Deploys again.", "again:d1"),),
    details_url="https://bot.example.com/d1",
)


async def _made(edges: RepositoryClient, server: GitHubServer, pull: PullRequest) -> list[Order]:
    """What is there by calls of their own, and what it becomes."""
    await edges.look(pull.number, path="rules.yml", login="ada")
    command = await server.comment(pull, "/pachops deploy")
    edges.knows_comment(command.id, shapes.node_id("IC", command.id))
    comment = await edges.create_comment(pull.number, "Deploying", marker=MARKER)
    check = await edges.create_check(
        pull.head_sha, "pachops: staging", CheckReport("Building", "..."), external_id="d1"
    )
    deployment = await edges.create_deployment(
        pull.head_sha, "staging", payload={"pachops": "d1"}, description="Deploying"
    )
    return [
        NewStatus(deployment, "failure", "It did not build", "https://bot.example.com/d1"),
        CommentEdit(comment, "Failed", MARKER),
        CheckUpdate(check, END),
        React(command.id, "rocket"),
        NewComment(pull.number, "@ada: it failed", "<!-- pachops:failure:d1 -->"),
    ]


async def test_all_are_made_in_one_call_and_in_their_order(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    orders = await _made(edges, server, pull)
    before = len(server.calls)

    written = await edges.write(orders)

    assert written is not None
    assert all(written)
    assert [each.path for each in server.calls[before:]] == ["/graphql"]
    command, progress, failure = server.comments(pull)
    assert progress.body == f"Failed\n\n{MARKER}"
    assert failure.body == "@ada: it failed\n\n<!-- pachops:failure:d1 -->"
    assert written[-1] is not None
    assert written[-1].id == failure.id
    assert [each.content for each in command.reactions] == ["rocket"]
    (deployment,) = server.deployments(EDGES)
    (status,) = deployment.statuses
    assert (status.state, status.description) == ("failure", "It did not build")
    (check,) = server.checks(pull.head_sha)
    assert (check.conclusion, check.title, check.text) == ("failure", "Failed", "the log")
    assert [(each["path"], each["start_line"]) for each in check.annotations] == [("a.json", 7)]
    assert check.actions[0]["identifier"] == "again:d1"


async def test_a_new_comment_can_be_edited_by_the_next_call(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    await edges.look(pull.number, path="rules.yml", login="ada")
    written = await edges.write([NewComment(pull.number, "One", MARKER)])
    assert written is not None
    assert written[0] is not None
    assert written[0].id is not None

    assert await edges.write([CommentEdit(written[0].id, "Two", MARKER)])
    assert [each.body for each in server.comments(pull)] == [f"Two\n\n{MARKER}"]


async def test_what_github_refuses_does_not_keep_the_rest(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    orders = await _made(edges, server, pull)
    await server.delete(pull, server.comments(pull)[1])

    written = await edges.write(orders)

    assert written is not None
    assert [each is not None for each in written] == [True, False, True, True, True]


async def test_what_is_not_known_here_is_left_to_calls_of_their_own(
    edges: RepositoryClient, pull: PullRequest
) -> None:
    comment = await edges.create_comment(pull.number, "Deploying", marker=MARKER)

    assert await edges.write([React(1, "rocket"), NewComment(99, "?", MARKER)]) is None
    written = await edges.write([React(1, "rocket"), CommentEdit(comment, "Failed", MARKER)])

    assert written is not None
    assert [each is not None for each in written] == [False, True]


async def test_more_annotations_than_a_call_takes_are_left_to_calls_of_their_own(
    edges: RepositoryClient, pull: PullRequest
) -> None:
    check = await edges.create_check(pull.head_sha, "c", CheckReport("t", "s"), external_id="d1")
    await edges.look(pull.number, path="rules.yml", login="ada")
    many = tuple(Annotation("a", line, "wrong") for line in range(1, 52))

    assert await edges.write([CheckUpdate(check, CheckReport("t", "s", annotations=many))]) is None


@pytest.mark.parametrize("lacking", ["has_graphql", "writes_with_graphql"])
async def test_a_server_that_takes_none_is_asked_once(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, lacking: str
) -> None:
    orders = await _made(edges, server, pull)
    setattr(server.world, lacking, False)
    before = server.called("POST", "/graphql")

    for _ in range(2):
        written = await edges.write(orders)
        assert written is None or not any(written)

    assert server.called("POST", "/graphql") == before + 1


@pytest.mark.parametrize("fault", [lost_answer(), dropped(), error(502, after=True), error(504)])
async def test_it_is_tried_once(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, fault: Fault
) -> None:
    orders = await _made(edges, server, pull)
    server.fail("POST", "/graphql", fault)
    before = server.called("POST", "/graphql")

    with pytest.raises(StoppedError) as stopped:
        await edges.write(orders)

    assert stopped.value.reason.code is Code.GITHUB_UNREACHABLE
    assert server.called("POST", "/graphql") == before + 1


async def test_a_limit_is_waited_out(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    orders = await _made(edges, server, pull)
    server.fail("POST", "/graphql", secondary_limit(30))

    written = await edges.write(orders)

    assert written is not None
    assert all(written)
    assert len(server.comments(pull)) == 3
