"""What one query says of a commit, and when REST has to be asked."""

import json
from dataclasses import replace

import pytest

from bot.domain.github import Check, CheckState
from bot.services.github import Further, Question, RepositoryClient
from tests.standins.github import objects
from tests.standins.github.faults import Fault, garbled
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import PullRequest

EDGES = "acme/edges"
NOT_READ = [
    {
        "data": {"repository": None},
        "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Too much.", "path": []}],
    },
    {"data": {"repository": {"object": None}}},
]


async def _facts(edges: RepositoryClient, question: Question) -> Further:
    found = await edges.further(question)
    assert found is not None
    return found


async def test_one_call_says_all_of_a_commit(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    older = pull.head_sha
    await server.push(EDGES, {"edges.py": "2\n"}, "feature")
    server.check(EDGES, older, "unit")
    server.status(EDGES, older, "lint", "failure")
    await edges.pull_request(pull.number)
    before = len(server.calls)

    found = await _facts(
        edges,
        Question(older, checks=True, pull_request=pull.number, branches=("main", "feature", "no")),
    )

    assert found == Further(
        (Check("lint", CheckState.FAILURE), Check("unit", CheckState.SUCCESS)),
        in_pull_request=True,
        branches={"main": False, "feature": True},
    )
    assert [each.path for each in server.calls[before:]] == ["/graphql"]


async def test_it_says_of_a_person_and_a_pull_request_too(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.team("acme/ml", "Ada", "grace")
    server.team("acme/ops", "grace", pending=("ada",))
    await server.push(EDGES, {"b": "1"})
    await edges.pull_request(pull.number)
    before = len(server.calls)

    teams = ("acme/ml", "acme/ops", "acme/no-such-team", "nobody/ml")
    found = await _facts(edges, Question(pull.head_sha, base="main", teams=teams, login="ada"))

    # What is not there, or not ours to see, is left out: REST says which it is.
    assert found == Further(behind_by=1, members={"acme/ml": True, "acme/ops": False})
    assert [each.path for each in server.calls[before:]] == ["/graphql"]


async def test_teams_alone_can_be_asked_about(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    server.team("acme/ml", "ada-too")

    assert await _facts(edges, Question(teams=("acme/ml",), login="ada")) == Further(
        members={"acme/ml": False}
    )


async def test_who_may_be_on_a_page_of_members_that_was_not_read_is_not_known_to_be_in_no_team(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    server.team("acme/ml", *(f"ada-{number:03}" for number in range(100)), "ada")
    server.team("acme/ops", "ada")

    found = await _facts(edges, Question(teams=("acme/ml", "acme/ops"), login="ada"))

    assert found.members == {"acme/ml": None, "acme/ops": True}


async def test_what_is_not_asked_is_not_known(edges: RepositoryClient, pull: PullRequest) -> None:
    found = await _facts(edges, Question(pull.head_sha, branches=("main",)))

    assert found == Further(branches={"main": False})


async def test_branches_are_found_by_how_their_names_begin(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    sha = await server.push(EDGES, {"a": "1"}, "release/1")
    await server.push(EDGES, {"a": "2"}, "release/1")
    await server.push(EDGES, {"a": "3"}, "release/2")
    await server.push(EDGES, {"a": "4"}, "old-release/1")

    found = await _facts(edges, Question(sha, beginnings=("release/",)))

    assert found.are_all
    assert found.branches == {"release/1": True, "release/2": False}


async def test_of_a_folder_those_are_found_that_have_the_text_in_their_names(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    sha = await server.push(EDGES, {"a": "1"}, "release-1")
    await server.push(EDGES, {"a": "4"}, "old-release-1")
    await server.push(EDGES, {"a": "5"}, "hotfix/1")
    await server.push(EDGES, {"a": "6"}, "feature")

    found = await _facts(edges, Question(sha, beginnings=("hotfix/", "release-")))

    # GitHub knows no better filter: whoever asks has its patterns.
    assert found.branches == {"release-1": True, "old-release-1": False, "hotfix/1": False}


async def test_branches_of_other_folders_take_nobodys_place(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    sha = await server.push(EDGES, {"a": "1"}, "release/1")
    await server.push(EDGES, {"a": "2"}, "release/1")
    git = server.world.repo(EDGES).git
    for number in range(120):
        objects.move(git, f"refs/heads/feature/{number:03}", sha)
        objects.move(git, f"refs/heads/zz/{number:03}", sha)

    found = await _facts(edges, Question(sha, beginnings=("hotfix/", "release/")))

    assert (found.branches, found.are_all) == ({"release/1": True}, True)


async def test_the_last_hundred_branches_are_looked_at(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    sha = await server.push(EDGES, {"a": "1"}, "release/000")
    for number in range(1, 101):
        objects.move(server.world.repo(EDGES).git, f"refs/heads/release/{number:03}", sha)

    found = await _facts(edges, Question(sha, beginnings=("",)))

    assert len(found.branches) == 100
    assert "release/100" in found.branches
    assert not found.are_all


async def test_a_forks_commit_is_found_here_and_is_a_part_of_nothing(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.fork(EDGES, "eve")
    imposter = await server.push("eve/edges", {"edges.py": "evil\n"}, by="eve")

    question = Question(imposter, pull_request=pull.number, branches=("main",), beginnings=("f",))
    found = await _facts(edges, question)

    assert found.in_pull_request is False
    assert set(found.branches.values()) == {False}


async def test_what_is_no_commit_is_a_part_of_nothing(
    edges: RepositoryClient, pull: PullRequest
) -> None:
    question = Question("0" * 40, checks=True, pull_request=pull.number, branches=("main",))

    assert await _facts(edges, question) == Further(
        (), in_pull_request=False, branches={"main": False}
    )


async def test_checks_are_read_to_their_last_page(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    for number in range(230):
        server.check(EDGES, pull.head_sha, f"check {number:03}")

    found = await _facts(edges, Question(pull.head_sha, checks=True, branches=("main",)))

    assert found.checks is not None
    assert len(found.checks) == 230


async def test_the_commits_of_a_long_pull_request_are_listed_where_the_newest_do_not_have_it(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    first = pull.head_sha
    for number in range(101):
        await server.push(EDGES, {"edges.py": f"{number}\n"}, "feature")

    found = await _facts(edges, Question(first, pull_request=pull.number))

    assert found.in_pull_request is True


@pytest.mark.parametrize("trouble", ["has_graphql", "permission"])
async def test_what_graphql_does_not_say_is_left_to_rest(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, trouble: str
) -> None:
    if trouble == "has_graphql":
        server.world.has_graphql = False
    else:
        del server.installation(EDGES).permissions["statuses"]

    assert await edges.further(Question(pull.head_sha, checks=True)) is None


async def test_a_comparison_that_takes_github_too_long_is_left_to_rest(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.fail("POST", "/graphql", Fault(status=502))

    assert await edges.further(Question(pull.head_sha, branches=("main",))) is None
    assert await edges.further(Question(pull.head_sha, branches=("main",))) is not None


async def test_a_server_that_is_too_old_for_it_is_asked_once_and_says_the_first_look_all_the_same(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    errors = [{"message": "?", "extensions": {"code": "undefinedField"}}]
    server.fail("POST", "/graphql", garbled(json.dumps({"errors": errors}).encode()))
    question = Question(pull.head_sha, branches=("main",))

    for _ in range(2):
        assert await edges.further(question) is None
    assert await edges.look(pull.number, path="rules.yml", logins=("ada",)) is not None
    assert server.called("POST", "/graphql") == 2


@pytest.mark.parametrize("body", NOT_READ, ids=["too much", "gone"])
async def test_checks_of_which_a_page_was_not_read_are_left_to_rest(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, body: object
) -> None:
    """What is left out must not pass."""
    for number in range(110):
        server.check(EDGES, pull.head_sha, f"check {number:03}")
    server.fail("POST", "/graphql", Fault())
    server.fail("POST", "/graphql", garbled(json.dumps(body).encode()))

    assert await edges.further(Question(pull.head_sha, checks=True)) is None


async def _all_of(server: GitHubServer, pull: PullRequest) -> Question:
    """A question of every kind."""
    server.team("acme/ml", "ada")
    server.check(EDGES, pull.head_sha, "unit")
    await server.push(EDGES, {"a": "1"}, "release/1")
    return Question(
        pull.head_sha,
        checks=True,
        pull_request=pull.number,
        branches=("main", "feature"),
        beginnings=("release/",),
        base="main",
        teams=("acme/ml", "acme/none"),
        login="ada",
    )


async def test_it_is_said_with_the_first_look_where_it_is_known_by_then_what_is_to_be_known(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    question = await _all_of(server, pull)
    by_itself = await _facts(edges, question)
    plain = await edges.look(pull.number, path="rules.yml", logins=("ada",))
    before = len(server.calls)

    found = await edges.look(pull.number, path="rules.yml", logins=("ada",), question=question)

    assert [each.path for each in server.calls[before:]] == ["/graphql"]
    assert plain is not None
    assert found == replace(plain, further=by_itself)
    assert by_itself.members == {"acme/ml": True}


async def test_a_first_look_at_a_long_pull_request_knows_its_oldest_commits_too(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    question = Question(pull.head_sha, pull_request=pull.number)
    for number in range(101):
        await server.push(EDGES, {"edges.py": f"{number}\n"}, "feature")

    found = await edges.look(pull.number, path="rules.yml", logins=("ada",), question=question)

    assert found is not None
    assert found.further == Further(in_pull_request=True)


@pytest.mark.parametrize("trouble", ["too long", "too old", "no checks", "no members", "no people"])
async def test_a_first_look_does_not_suffer_from_what_is_asked_with_it(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, trouble: str
) -> None:
    question = await _all_of(server, pull)
    match trouble:
        case "too long":
            server.fail("POST", "/graphql", Fault(status=502))
        case "too old":
            older = {"errors": [{"message": "?", "extensions": {"code": "undefinedField"}}]}
            for _ in range(2):
                server.fail("POST", "/graphql", garbled(json.dumps(older).encode()))
        case "no checks":
            del server.installation(EDGES).permissions["statuses"]
        case "no members":
            del server.installation(EDGES).permissions["members"]
        case "no people":
            server.world.shows_collaborators = False

    plain = await edges.look(pull.number, path="rules.yml", logins=("ada",), question=question)
    found = await edges.look(pull.number, path="rules.yml", logins=("ada",))

    assert plain is not None
    assert found is not None
    assert replace(plain, further=None) == found
    asked_with_it = plain.further is not None
    assert asked_with_it is (trouble in {"no members", "no people"})
    assert server.called("GET", "/pulls/") == 0


async def test_a_server_that_knows_no_rulesets_says_all_else_at_once(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    question = await _all_of(server, pull)
    server.world.has_rulesets = False

    for calls in (2, 3):
        found = await edges.look(pull.number, path="rules.yml", logins=("ada",), question=question)
        assert found is not None
        assert found.further is not None
        assert server.called("POST", "/graphql") == calls
