"""What the client says of a pull request, against the stand-in."""

import json
from dataclasses import replace

import pytest

from bot.domain.github import RULES_CHECK, Check, CheckState, Permission, ReviewState
from bot.domain.reasons import Code, StoppedError
from bot.services.github import GitHub, RepositoryClient
from tests.standins.github import objects
from tests.standins.github.faults import Fault, garbled
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import PullRequest


async def test_what_graphql_has_said_is_not_asked_for_again(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    found = await edges.pull_request(pull.number)
    before = len(server.calls)

    assert await edges.review(found) is ReviewState.NONE

    assert server.calls[before:] == []


async def test_a_pull_request_is_read_with_everything_the_gate_wants(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.check("acme/edges", pull.head_sha, "unit")
    server.status("acme/edges", pull.head_sha, "lint", "pending")
    pushed = server.world.repo("acme/edges").pushes[-1].timestamp
    tip = await server.push("acme/edges", {"other.py": "2\n"})

    found = await edges.pull_request(pull.number)

    assert (found.number, found.title, found.author) == (1, "A change", "ada")
    assert (found.head_sha, found.head_ref) == (pull.head_sha, "feature")
    assert found.head_repository == "acme/edges"
    assert (found.base_ref, found.base_sha) == ("main", tip)
    assert (found.draft, found.open, found.merged) == (False, True, False)
    assert found.review is ReviewState.NONE
    assert found.checks == (Check("lint", CheckState.PENDING), Check("unit", CheckState.SUCCESS))
    assert await edges.behind_by(found) == 1
    assert await edges.head_moved_at(found) == pushed.strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_rest_says_the_same_of_a_pull_request_as_graphql(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.check("acme/edges", pull.head_sha, "unit", "failure")
    server.check("acme/edges", pull.head_sha, "pachops", None, app="pachops")
    server.status("acme/edges", pull.head_sha, "lint")
    server.review(pull, "ada")
    by_graphql = await edges.pull_request(pull.number)
    server.world.has_graphql = False

    by_rest = await edges.pull_request(pull.number)

    assert (by_rest.checks, by_rest.review) == (None, None)
    found = replace(
        by_rest, checks=await edges.checks_of_head(by_rest), review=await edges.review(by_rest)
    )
    # REST would have to read all comments to know; what is required is in the checks by then.
    assert replace(found, has_our_comments=False, required_checks=frozenset()) == by_graphql
    assert found.review is ReviewState.APPROVED


@pytest.mark.parametrize("has_graphql", [True, False])
async def test_our_status_on_rules_is_no_check(
    by_token: GitHub, server: GitHubServer, pull: PullRequest, *, has_graphql: bool
) -> None:
    server.world.has_graphql = has_graphql
    server.status("acme/edges", pull.head_sha, RULES_CHECK)
    edges = by_token.for_repository("acme", "edges")

    found = (await edges.pull_request(pull.number)).checks

    assert found == (() if has_graphql else None)
    assert await edges.checks(pull.head_sha) == ()


async def test_more_statuses_than_a_page_has_are_all_read(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    for number in range(150):
        server.status("acme/edges", pull.head_sha, f"lint {number:03}")

    assert len(await edges.checks(pull.head_sha)) == 150


async def test_rest_takes_over_where_graphql_may_not_say_all(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    del server.installation("acme/edges").permissions["checks"]

    found = await edges.pull_request(pull.number)
    with pytest.raises(StoppedError) as stopped:
        await edges.checks(found.head_sha)

    assert stopped.value.reason.code is Code.GITHUB_REFUSED
    assert "checks=read" in stopped.value.reason.fact


async def test_one_call_reads_the_rules_the_permission_and_the_pull_request(
    github: GitHub, edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    await server.push("acme/edges", {"rules.yml": "a: ä\n"})
    await server.push("acme/edges", {"rules.yml": "evil\n"}, "feature")
    server.allow("adalbert", "acme/edges", Permission.ADMIN)
    await github.prefetch()
    before = len(server.calls)

    found = await edges.look(pull.number, path="rules.yml", logins=("Ada",))

    assert [each.path for each in server.calls[before:]] == ["/graphql"]
    assert found is not None
    assert (found.file, found.is_file_known) == ("a: ä\n".encode(), True)
    assert found.permissions == {"Ada": Permission.WRITE}
    assert found.pull_request == await edges.pull_request(pull.number)


async def test_a_file_that_is_not_there_is_known_not_to_be(
    edges: RepositoryClient, pull: PullRequest
) -> None:
    found = await edges.look(pull.number, path="rules.yml", logins=("ada",))

    assert found is not None
    assert (found.file, found.is_file_known) == (None, True)


@pytest.mark.parametrize(
    "content", [b"#" * 600_000, b"a\0b", b"\xff\xfe"], ids=["large", "binary", "not UTF-8"]
)
async def test_a_file_whose_text_is_not_all_of_it_is_left_to_rest(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, content: bytes
) -> None:
    await server.push("acme/edges", {"rules.yml": content})

    found = await edges.look(pull.number, path="rules.yml", logins=("ada",))

    assert found is not None
    assert not found.is_file_known


async def test_a_link_is_not_read_as_a_file(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    git = server.world.repo("acme/edges").git
    link = git.git("hash-object", "-w", "--stdin", stdin=b"elsewhere").decode().strip()
    tree = git.git("mktree", stdin=f"120000 blob {link}\trules.yml\n".encode()).decode().strip()
    sha = git.git("commit-tree", tree, "-m", "a link").decode().strip()
    objects.move(git, "refs/heads/main", sha)

    found = await edges.look(pull.number, path="rules.yml", logins=("ada",))

    assert found is not None
    assert not found.is_file_known


async def test_without_the_right_to_read_files_none_is_taken_for_missing(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    del server.installation("acme/edges").permissions["contents"]

    assert await edges.look(pull.number, path="rules.yml", logins=("ada",)) is None


async def test_who_may_do_what_is_unknown_where_graphql_does_not_say(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.world.shows_collaborators = False

    found = await edges.look(pull.number, path="rules.yml", logins=("ada",))

    assert found is not None
    assert found.permissions == {}
    assert found.is_file_known


async def test_of_several_people_each_ones_rights_are_said(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.allow("grace", "acme/edges", Permission.ADMIN)

    found = await edges.look(pull.number, path="rules.yml", logins=("ada", "eve", "grace"))

    assert found is not None
    assert found.permissions == {"ada": Permission.WRITE, "grace": Permission.ADMIN}
    assert server.called("POST", "/graphql") == 1


async def test_whoever_has_no_rights_is_not_found_among_those_who_have(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.allow("adamo", "acme/edges", Permission.ADMIN)

    found = await edges.look(pull.number, path="rules.yml", logins=("adam",))

    assert found is not None
    assert found.permissions == {}


async def test_a_server_without_graphql_is_asked_for_it_once(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.world.has_graphql = False

    assert await edges.look(pull.number, path="rules.yml", logins=("ada",)) is None
    await edges.pull_request(pull.number)

    assert server.called("POST", "/graphql") == 1


async def test_a_server_that_knows_no_rulesets_is_asked_for_them_once(
    github: GitHub, server: GitHubServer, pull: PullRequest
) -> None:
    server.world.has_rulesets = False

    for _ in range(2):
        edges = github.for_repository("acme", "edges")
        assert await edges.look(pull.number, path="rules.yml", logins=("ada",)) is not None
        await edges.pull_request(pull.number)

    assert server.called("POST", "/graphql") == 5
    assert server.called("GET", "/pulls/") == 0


async def test_a_server_whose_graphql_is_too_old_is_left_to_rest(
    github: GitHub, server: GitHubServer, pull: PullRequest
) -> None:
    server.world.decides_reviews = False

    for _ in range(2):
        edges = github.for_repository("acme", "edges")
        assert await edges.look(pull.number, path="rules.yml", logins=("ada",)) is None
        await edges.pull_request(pull.number)

    assert server.called("POST", "/graphql") == 2


async def test_what_graphql_may_not_say_is_asked_by_rest_from_then_on(
    github: GitHub, server: GitHubServer, pull: PullRequest
) -> None:
    del server.installation("acme/edges").permissions["contents"]

    for _ in range(2):
        edges = github.for_repository("acme", "edges")
        assert await edges.look(pull.number, path="rules.yml", logins=("ada",)) is None
        await edges.pull_request(pull.number)

    # A right may be given at any time.
    assert server.called("POST", "/graphql") == 2


async def test_our_comments_are_known_from_those_of_others(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    await server.comment(pull, "a person's")
    before = await edges.pull_request(pull.number)
    await edges.create_comment(pull.number, "ours", marker="<!-- m -->")

    assert not before.has_our_comments
    assert (await edges.pull_request(pull.number)).has_our_comments


async def test_among_more_comments_than_are_looked_at_ours_may_be(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    """A refusal, say, has its comment without any deployment that the database knows."""
    await edges.create_comment(pull.number, "ours", marker="<!-- m -->")
    for _ in range(100):
        await server.comment(pull, "a person's")

    assert (await edges.pull_request(pull.number)).has_our_comments


NOT_READ = [
    {
        "data": {"repository": None},
        "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Too much.", "path": []}],
    },
    {"data": None, "errors": [{"type": "SERVICE_UNAVAILABLE", "message": "Service unavailable"}]},
]


@pytest.mark.parametrize("body", NOT_READ, ids=["too much", "unavailable"])
async def test_checks_of_which_a_page_was_not_read_are_asked_for_by_rest(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, body: object
) -> None:
    """What is left out must not pass."""
    for number in range(110):
        server.check("acme/edges", pull.head_sha, f"check {number:03}")
    server.status("acme/edges", pull.head_sha, "last", "failure")
    server.fail("POST", "/graphql", Fault())
    server.fail("POST", "/graphql", garbled(json.dumps(body).encode()))

    found = await edges.pull_request(pull.number)

    assert found.checks is None
    assert server.pending_faults() == 0
    assert Check("last", CheckState.FAILURE) in await edges.checks(pull.head_sha)


async def test_a_pull_request_from_a_fork_says_so(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    server.fork("acme/edges", "eve")
    pull = await server.open_pull_request(
        "acme/edges", "eve:main", files={"edges.py": "evil\n"}, by="eve"
    )

    found = await edges.pull_request(pull.number)

    assert found.is_fork(await edges.repository())
    # The fork is private and the App is not installed there.
    assert await edges.head_moved_at(found) is None


async def test_a_fork_that_is_gone_has_no_repository(
    edges: RepositoryClient, pull: PullRequest
) -> None:
    pull.head_repo = None

    found = await edges.pull_request(pull.number)

    assert found.head_repository is None
    assert await edges.head_moved_at(found) is None


async def test_when_the_head_moved_is_unknown_where_the_server_cannot_say(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.world.has_activity = False

    assert await edges.head_moved_at(await edges.pull_request(pull.number)) is None


async def test_when_the_head_moved_is_unknown_while_its_push_is_not_listed_yet(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    await server.push("acme/edges", {"edges.py": "2\n"}, "feature")
    server.world.repo("acme/edges").pushes.pop()

    assert await edges.head_moved_at(await edges.pull_request(pull.number)) is None


async def test_when_a_head_came_back_is_unknown_while_only_its_first_push_is_listed(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    first = pull.head_sha
    await server.push("acme/edges", {"edges.py": "2\n"}, "feature")
    await server.move("acme/edges", "feature", first)
    moved = server.world.repo("acme/edges").pushes[-1].timestamp
    found = await edges.pull_request(pull.number)

    assert await edges.head_moved_at(found) == moved.strftime("%Y-%m-%dT%H:%M:%SZ")
    server.world.repo("acme/edges").pushes.pop()
    assert await edges.head_moved_at(found) is None


async def test_a_head_pushed_elsewhere_before_moved_when_it_came_to_this_branch(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    sha = await server.push("acme/edges", {"edges.py": "evil\n"}, "elsewhere")
    await server.move("acme/edges", "feature", sha)
    moved = server.world.repo("acme/edges").pushes[-1].timestamp

    found = await edges.pull_request(pull.number)

    assert found.head_sha == sha
    assert await edges.head_moved_at(found) == moved.strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_a_bot_has_the_same_name_everywhere(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    server.world.user("dependabot[bot]", "Bot")
    pull = await server.open_pull_request("acme/edges", "deps", files={"a": "b"}, by="ada")
    pull.author = server.world.user("dependabot[bot]")

    assert (await edges.pull_request(pull.number)).author == "dependabot[bot]"


async def test_a_merged_pull_request_is_not_open(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    await server.close(pull, merged=True)

    found = await edges.pull_request(pull.number)

    assert (found.open, found.merged) == (False, True)


async def test_a_pull_request_that_is_not_there_is_refused(edges: RepositoryClient) -> None:
    with pytest.raises(StoppedError) as stopped:
        await edges.pull_request(99)

    assert stopped.value.reason.code is Code.GITHUB_REFUSED
    assert "pull request 99" in stopped.value.reason.fact
