"""Several marks in one call: all of them, as the calls for one make them, and none twice."""

import json

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.services.github import (
    Action,
    Annotation,
    CheckReport,
    CheckUpdate,
    CommentEdit,
    Conclusion,
    GitHub,
    NewCheck,
    NewComment,
    NewStatus,
    Order,
    Outcome,
    React,
    RepositoryClient,
    Undone,
    Written,
)
from tests.standins.github import shapes
from tests.standins.github.faults import (
    Fault,
    dropped,
    error,
    garbled,
    lost_answer,
    secondary_limit,
)
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
    await edges.look(pull.number, path="rules.yml", logins=("ada",))
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

    written = _all_done(await edges.write(orders))

    assert [each.path for each in server.calls[before:]] == ["/graphql"]
    command, progress, failure = server.comments(pull)
    assert progress.body == f"Failed\n\n{MARKER}"
    assert failure.body == "@ada: it failed\n\n<!-- pachops:failure:d1 -->"
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
    await edges.look(pull.number, path="rules.yml", logins=("ada",))
    (written,) = _all_done(await edges.write([NewComment(pull.number, "One", MARKER)]))
    assert written.id is not None

    _all_done(await edges.write([CommentEdit(written.id, "Two", MARKER)]))
    assert [each.body for each in server.comments(pull)] == [f"Two\n\n{MARKER}"]


async def test_a_comment_that_was_looked_for_can_be_edited(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    us = f"{server.app.slug}[bot]"
    there = await server.comment(pull, f"One\n\n{MARKER}", by=us)
    assert await edges.find_comment(pull.number, MARKER) == there.id

    _all_done(await edges.write([CommentEdit(there.id, "Two", MARKER)]))
    assert [each.body for each in server.comments(pull)] == [f"Two\n\n{MARKER}"]


async def test_a_new_check_is_like_one_that_is_made_by_itself(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    await edges.look(pull.number, path="rules.yml", logins=("ada",))
    order = NewCheck(pull.head_sha, "pachops: staging", END, "d1")
    (written,) = _all_done(await edges.write([order]))

    made = await edges.create_check(pull.head_sha, "pachops: qa", END, external_id="d2")
    in_one, by_itself = server.checks(pull.head_sha)
    assert (written.id, made) == (in_one.id, by_itself.id)
    same = {"name": "pachops: qa", "external_id": "d2"}
    of_its_own = ("id", "started_at", "completed_at")
    first, second = (
        {name: value for name, value in vars(each).items() if name not in of_its_own}
        for each in (in_one, by_itself)
    )
    assert first | same == second


async def test_a_new_check_can_be_changed_by_the_next_call(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    await edges.look(pull.number, path="rules.yml", logins=("ada",))
    begun = CheckReport("Building", "...")
    (written,) = _all_done(await edges.write([NewCheck(pull.head_sha, "c", begun, "d1")]))
    assert written.id is not None

    _all_done(await edges.write([CheckUpdate(written.id, END)]))
    (check,) = server.checks(pull.head_sha)
    assert check.conclusion == "failure"


async def test_what_github_refuses_does_not_keep_the_rest(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    orders = await _made(edges, server, pull)
    await server.delete(pull, server.comments(pull)[1])

    assert _was_done(await edges.write(orders)) == [True, False, True, True, True]


async def test_what_is_not_known_here_is_left_to_calls_of_their_own(
    edges: RepositoryClient, pull: PullRequest
) -> None:
    comment = await edges.create_comment(pull.number, "Deploying", marker=MARKER)

    assert await edges.write([React(1, "rocket"), NewComment(99, "?", MARKER)]) is None
    orders: list[Order] = [React(1, "rocket"), CommentEdit(comment, "Failed", MARKER)]
    assert _was_done(await edges.write(orders)) == [False, True]


async def test_more_annotations_than_a_call_takes_are_left_to_calls_of_their_own(
    edges: RepositoryClient, pull: PullRequest
) -> None:
    check = await edges.create_check(pull.head_sha, "c", CheckReport("t", "s"), external_id="d1")
    await edges.look(pull.number, path="rules.yml", logins=("ada",))
    many = tuple(Annotation("a", line, "wrong") for line in range(1, 52))

    report = CheckReport("t", "s", annotations=many)
    assert await edges.write([CheckUpdate(check, report)]) is None
    assert await edges.write([NewCheck(pull.head_sha, "c", report, "d2")]) is None


@pytest.mark.parametrize("lacking", ["has_graphql", "writes_with_graphql"])
async def test_a_server_that_takes_none_is_asked_once(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, lacking: str
) -> None:
    orders = await _made(edges, server, pull)
    setattr(server.world, lacking, False)
    before = server.called("POST", "/graphql")

    for _ in range(2):
        written = await edges.write(orders)
        assert written is None or set(written) == {Undone.REFUSED}

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

    _all_done(await edges.write(orders))
    assert len(server.comments(pull)) == 3


NOTHING = {f"m{at}": None for at in range(5)}
WRONG = "Something went wrong while executing your query. Please include `AB:CD` when reporting it."


@pytest.mark.parametrize(
    "answer",
    [
        {"data": NOTHING, "errors": [{"message": WRONG, "path": ["m4"]}]},
        {"data": NOTHING},
        {"data": NOTHING | {"m4": {"commentEdge": None}}},
        {"data": None, "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Too much."}]},
        {"errors": [{"message": "Timeout on execution of query"}]},
    ],
    ids=["something went wrong", "nothing is shown", "nothing of one", "too much", "too long"],
)
async def test_what_no_refusal_is_told_of_may_have_been_done(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, answer: object
) -> None:
    orders = await _made(edges, server, pull)
    server.fail("POST", "/graphql", Fault(200, body=json.dumps(answer).encode(), after=True))

    written = await edges.write(orders)

    assert written is not None
    assert written[4] is Undone.UNKNOWN
    assert len(server.comments(pull)) == 3
    # It was an odd answer, not one for good.
    assert _all_done(await edges.write(orders))


@pytest.mark.parametrize(
    "answer",
    [
        {"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]},
        {"data": NOTHING, "errors": [{"type": "RATE_LIMITED", "message": "?", "path": ["m0"]}]},
        {"errors": [{"message": "You have exceeded a secondary rate limit. Please wait."}]},
    ],
    ids=["primary", "of one", "secondary"],
)
async def test_a_limit_in_an_answer_is_waited_out_too(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, answer: object
) -> None:
    orders = await _made(edges, server, pull)
    server.fail("POST", "/graphql", garbled(json.dumps(answer).encode()))

    _all_done(await edges.write(orders))
    assert len(server.comments(pull)) == 3


async def test_an_owner_who_forbids_it_says_nothing_of_others(
    github: GitHub, edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    orders = await _made(edges, server, pull)
    server.world.writes_with_graphql = False
    assert _was_done(await edges.write(orders)) == [False] * 5
    server.world.writes_with_graphql = True
    assert await edges.write(orders) is None

    server.repository("umbrella/hive")
    other = await server.open_pull_request("umbrella/hive", "feature", files={"a": "1"})
    hive = github.for_repository("umbrella", "hive")
    await hive.look(other.number, path="rules.yml", logins=("ada",))
    _all_done(await hive.write([NewComment(other.number, "One", MARKER)]))


async def test_a_deleted_comment_says_nothing_of_what_comes_later(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    orders = await _made(edges, server, pull)
    await server.delete(pull, server.comments(pull)[1])

    assert _was_done(await edges.write([orders[1]])) == [False]
    assert _was_done(await edges.write(orders)) == [True, False, True, True, True]


def _all_done(outcomes: tuple[Outcome, ...] | None) -> list[Written]:
    assert outcomes is not None
    done = [each for each in outcomes if isinstance(each, Written)]
    assert len(done) == len(outcomes), outcomes
    return done


def _was_done(outcomes: tuple[Outcome, ...] | None) -> list[bool]:
    assert outcomes is not None
    return [isinstance(each, Written) for each in outcomes]
