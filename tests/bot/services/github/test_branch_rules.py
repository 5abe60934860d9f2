"""What the client says of a head's checks and reviews where GraphQL does not say it."""

from collections.abc import Mapping

import pytest

from bot.domain.github import Check, CheckState, Permission, PullRequest, ReviewState
from bot.domain.reasons import Code, StoppedError
from bot.services.github import GitHub, RepositoryClient
from tests.bot.services.github.conftest import Waits
from tests.standins.github import state
from tests.standins.github.faults import error
from tests.standins.github.server import GitHubServer

EDGES = "acme/edges"


@pytest.fixture
async def by_rest(
    edges: RepositoryClient, server: GitHubServer, pull: state.PullRequest
) -> PullRequest:
    """The pull request, of a server without GraphQL."""
    server.world.has_graphql = False
    server.check(EDGES, pull.head_sha, "unit")
    for login in ("bob", "grace"):
        server.allow(login, EDGES, Permission.WRITE)
    server.review(pull, "grace")
    return await edges.pull_request(pull.number)


@pytest.mark.parametrize("kind", ["required_checks", "ruled_checks"])
async def test_a_required_check_that_nobody_reported_is_missing(
    edges: RepositoryClient, server: GitHubServer, by_rest: PullRequest, kind: str
) -> None:
    setattr(server.world.repo(EDGES), kind, ["unit", "e2e", "pachops: staging"])

    assert await edges.checks_of_head(by_rest) == (
        Check("e2e", CheckState.MISSING),
        Check("unit", CheckState.SUCCESS),
    )


async def test_rules_on_later_pages_count(
    edges: RepositoryClient, server: GitHubServer, by_rest: PullRequest
) -> None:
    server.world.repo(EDGES).other_rules = 120
    server.world.repo(EDGES).ruled_checks = ["e2e"]

    assert Check("e2e", CheckState.MISSING) in await edges.checks_of_head(by_rest)


async def test_rules_on_a_page_that_graphql_was_not_asked_for_count(
    edges: RepositoryClient, server: GitHubServer, pull: state.PullRequest
) -> None:
    server.world.repo(EDGES).other_rules = 120
    server.world.repo(EDGES).ruled_checks = ["e2e"]

    found = await edges.checks_of_head(await edges.pull_request(pull.number))

    assert found == (Check("e2e", CheckState.MISSING),)


async def test_a_base_branch_that_graphql_leaves_out_asks_for_what_it_asks_for(
    edges: RepositoryClient,
    server: GitHubServer,
    pull: state.PullRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.world.repo(EDGES).required_checks = ["e2e"]
    server.world.repo(EDGES).ruled_review = {"required_approving_review_count": 2}
    server.allow("grace", EDGES, Permission.WRITE)
    server.review(pull, "grace")
    for each in ("_base", "_decision"):
        monkeypatch.setattr(f"tests.standins.github.graphql.{each}", lambda *_: None)
    found = await edges.pull_request(pull.number)

    assert await edges.checks_of_head(found) == (Check("e2e", CheckState.MISSING),)
    assert await edges.review(found) is ReviewState.REQUIRED


async def test_the_rules_of_a_branch_with_a_slash_in_its_name_are_found(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    server.world.has_graphql = False
    await server.push(EDGES, {"a": "0"}, "release/1")
    server.world.repo(EDGES).required_checks = ["e2e"]
    pull = await server.open_pull_request(EDGES, "fix", files={"a": "1"}, base="release/1")

    found = await edges.checks_of_head(await edges.pull_request(pull.number))

    assert found == (Check("e2e", CheckState.MISSING),)


@pytest.mark.parametrize("path", ["*/branches/main", "*/rules/branches/main"])
@pytest.mark.parametrize("status", [403, 404])
async def test_what_a_branch_asks_for_is_not_taken_for_nothing_where_it_is_hidden(
    edges: RepositoryClient, server: GitHubServer, by_rest: PullRequest, path: str, status: int
) -> None:
    server.fail("GET", path, error(status, "Not for you"))

    with pytest.raises(StoppedError) as stopped:
        await edges.checks_of_head(by_rest)

    assert stopped.value.reason.code is Code.GITHUB_REFUSED


async def test_a_plan_without_rulesets_has_no_rules(
    edges: RepositoryClient, server: GitHubServer, by_rest: PullRequest
) -> None:
    message = "Upgrade to GitHub Pro or make this repository public to enable this feature."
    server.fail("GET", "*/rules/branches/main", error(403, message))

    assert await edges.checks_of_head(by_rest) == (Check("unit", CheckState.SUCCESS),)


async def test_a_server_whose_graphql_knows_no_rulesets_has_no_rules(
    github: GitHub, server: GitHubServer, pull: state.PullRequest
) -> None:
    server.world.has_rulesets = False
    edges = github.for_repository("acme", "edges")
    await edges.pull_request(pull.number)
    server.world.has_graphql = False

    assert await edges.checks_of_head(await edges.pull_request(pull.number)) == ()


@pytest.mark.parametrize(
    ("approvals", "state"), [(1, ReviewState.APPROVED), (2, ReviewState.REQUIRED)]
)
async def test_as_many_approvals_are_needed_as_a_ruleset_asks_for(
    edges: RepositoryClient,
    server: GitHubServer,
    by_rest: PullRequest,
    approvals: int,
    state: ReviewState,
) -> None:
    server.world.repo(EDGES).ruled_review = {"required_approving_review_count": approvals}

    assert await edges.review(by_rest) is state


ASKED = [
    {"require_code_owner_review": True},
    {"require_last_push_approval": True},
    {"required_reviewers": [{"minimum_approvals": 1}]},
]


@pytest.mark.parametrize("asked", ASKED, ids=lambda each: next(iter(each)))
async def test_what_rest_does_not_say_of_reviews_is_not_known(
    edges: RepositoryClient, server: GitHubServer, by_rest: PullRequest, asked: Mapping[str, object]
) -> None:
    server.world.repo(EDGES).ruled_review = dict(asked)

    with pytest.raises(StoppedError) as stopped:
        await edges.review(by_rest)

    assert stopped.value.reason.code is Code.GITHUB_REFUSED


async def test_a_rule_that_is_not_as_githubs_are_is_not_overlooked(
    edges: RepositoryClient, server: GitHubServer, by_rest: PullRequest
) -> None:
    server.world.repo(EDGES).ruled_review = {"required_approving_review_count": "many"}

    with pytest.raises(StoppedError) as stopped:
        await edges.review(by_rest)

    assert stopped.value.reason.code is Code.GITHUB_UNREACHABLE


async def test_what_branch_protection_asks_of_reviews_is_not_known(
    edges: RepositoryClient, server: GitHubServer, by_rest: PullRequest
) -> None:
    server.world.repo(EDGES).requires_review = True

    with pytest.raises(StoppedError) as stopped:
        await edges.review(by_rest)

    assert "administrators" in stopped.value.reason.fact


async def test_without_any_approval_it_does_not_matter_what_is_not_known(
    edges: RepositoryClient, server: GitHubServer, pull: state.PullRequest
) -> None:
    server.world.has_graphql = False
    server.world.repo(EDGES).requires_review = True

    assert await edges.review(await edges.pull_request(pull.number)) is ReviewState.NONE


async def test_what_a_branch_asks_for_is_read_once(
    edges: RepositoryClient, server: GitHubServer, by_rest: PullRequest
) -> None:
    await edges.checks_of_head(by_rest)
    await edges.review(by_rest)

    assert server.called("GET", "/rules/branches/") == 1
    assert server.called("GET", f"/repos/{EDGES}/branches/") == 1


@pytest.mark.parametrize("hidden", ["checks", "statuses"])
async def test_where_checks_are_hidden_all_else_is_kept_that_graphql_says(
    edges: RepositoryClient, server: GitHubServer, pull: state.PullRequest, hidden: str
) -> None:
    repo = server.world.repo(EDGES)
    repo.requires_review, repo.required_checks = True, ["e2e"]
    server.review(pull, "ada")
    del server.installation(EDGES).permissions[hidden]

    found = await edges.look(pull.number, path="rules.yml", logins=("ada",))

    assert found is not None
    assert found.pull_request.checks is None
    assert found.pull_request.required_checks == frozenset({"e2e"})
    assert found.pull_request.review is ReviewState.APPROVED
    assert found.permissions == {"ada": Permission.WRITE}


async def test_graphql_is_looked_for_again_after_some_minutes(
    edges: RepositoryClient, github: GitHub, server: GitHubServer, waits: Waits
) -> None:
    pull = await server.open_pull_request(EDGES, "feature", files={"a": "1"})
    server.fail("POST", "/graphql", error(404, "Not Found"))
    assert (await edges.pull_request(pull.number)).review is None

    await waits.sleep(5 * 60)

    again = github.for_repository("acme", "edges")
    assert (await again.pull_request(pull.number)).review is ReviewState.NONE


async def test_a_server_is_asked_for_rulesets_again_after_some_minutes(
    edges: RepositoryClient, server: GitHubServer, pull: state.PullRequest, waits: Waits
) -> None:
    server.world.repo(EDGES).ruled_checks = ["e2e"]
    server.world.has_rulesets = False
    assert (await edges.pull_request(pull.number)).checks == ()
    server.world.has_rulesets = True

    await waits.sleep(5 * 60)

    found = await edges.pull_request(pull.number)
    assert found.checks == (Check("e2e", CheckState.MISSING),)
