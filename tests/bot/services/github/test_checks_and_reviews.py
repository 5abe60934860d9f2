"""What the client says of a head's checks and reviews, against the stand-in."""

import pytest

from bot.domain.github import Check, CheckState, Permission, ReviewState
from bot.services.github import RepositoryClient
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import PullRequest


async def test_our_own_checks_are_left_out(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.check("acme/edges", pull.head_sha, "pachops/staging", None, app="pachops")

    assert (await edges.pull_request(pull.number)).checks == ()


async def test_of_two_checks_with_one_name_the_worse_counts(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.check("acme/edges", pull.head_sha, "unit", "failure", app="jenkins")
    server.check("acme/edges", pull.head_sha, "unit", "success")

    found = await edges.pull_request(pull.number)

    assert found.checks == (Check("unit", CheckState.FAILURE),)


@pytest.mark.parametrize("conclusion", ["success", "neutral", "skipped"])
async def test_a_check_with_nothing_to_say_has_succeeded(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, conclusion: str
) -> None:
    server.check("acme/edges", pull.head_sha, "unit", conclusion)

    found = await edges.pull_request(pull.number)

    assert found.checks == (Check("unit", CheckState.SUCCESS),)


@pytest.mark.parametrize("kind", ["required_checks", "ruled_checks"])
async def test_a_required_check_that_nobody_reported_is_missing(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, kind: str
) -> None:
    setattr(server.world.repo("acme/edges"), kind, ["unit", "e2e"])
    server.check("acme/edges", pull.head_sha, "unit")

    found = await edges.pull_request(pull.number)

    assert found.checks == (Check("e2e", CheckState.MISSING), Check("unit", CheckState.SUCCESS))


async def test_a_required_check_of_ours_is_not_missing(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    """By its name, or because it was our App that reported it under another one."""
    required = ["unit", "pachops: staging", "deployed"]
    server.world.repo("acme/edges").required_checks = required
    server.check("acme/edges", pull.head_sha, "unit")
    server.check("acme/edges", pull.head_sha, "deployed", None, app="pachops")

    found = await edges.pull_request(pull.number)

    assert found.checks == (Check("unit", CheckState.SUCCESS),)


async def test_of_a_head_that_is_not_listed_the_checks_are_read_by_its_commit(
    edges: RepositoryClient, server: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GitHub lists the first commits of a pull request, of very many not the last.
    monkeypatch.setattr("tests.standins.github.graphql.MOST_COMMITS", 1)
    pull = await server.open_pull_request("acme/edges", "long", files={"a": "1"})
    server.check("acme/edges", pull.head_sha, "test", "success")
    await server.push("acme/edges", {"a": "2"}, "long")
    server.check("acme/edges", pull.head_sha, "test", "failure")
    looked = await edges.look(pull.number, path=".pachops.yml", logins=("ada",))
    assert looked is not None
    assert looked.pull_request.checks == (Check("test", CheckState.FAILURE),)
    assert looked.pull_request == await edges.pull_request(pull.number)


async def test_all_checks_are_seen_however_many_there_are(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    for number in range(230):
        server.check("acme/edges", pull.head_sha, f"unit {number}")

    assert len(await edges.checks(pull.head_sha)) == 230


async def test_an_approval_counts_where_no_rule_asks_for_one(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.allow("bob", "acme/edges", Permission.WRITE)
    server.review(pull, "bob")

    assert (await edges.pull_request(pull.number)).review is ReviewState.APPROVED


@pytest.mark.parametrize("has_graphql", [True, False])
async def test_an_approval_of_somebody_who_may_not_write_counts_for_nothing(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, *, has_graphql: bool
) -> None:
    server.world.has_graphql = has_graphql
    server.allow("eve", "acme/edges", Permission.READ)
    server.review(pull, "eve")

    assert await edges.review(await edges.pull_request(pull.number)) is ReviewState.NONE


@pytest.mark.parametrize("has_graphql", [True, False])
@pytest.mark.parametrize("asked_for", [0, 1])
async def test_an_approval_of_an_older_head_counts_for_nothing(
    edges: RepositoryClient,
    server: GitHubServer,
    pull: PullRequest,
    *,
    has_graphql: bool,
    asked_for: int,
) -> None:
    """Also where the branch's rules, and so GitHub, are content with it."""
    server.world.has_graphql = has_graphql
    server.world.repo("acme/edges").ruled_review = {"required_approving_review_count": asked_for}
    server.allow("bob", "acme/edges", Permission.WRITE)
    server.review(pull, "bob")
    await server.push("acme/edges", {"edges.py": "2\n"}, "feature")

    found = await edges.review(await edges.pull_request(pull.number))
    assert found in {ReviewState.NONE, ReviewState.REQUIRED}
    server.review(pull, "bob")
    assert await edges.review(await edges.pull_request(pull.number)) is ReviewState.APPROVED


async def test_as_many_approvals_as_the_branch_asks_for_and_one_of_them_of_the_head(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.world.repo("acme/edges").ruled_review = {"required_approving_review_count": 2}
    for each in ("bob", "grace"):
        server.allow(each, "acme/edges", Permission.WRITE)
    server.review(pull, "bob")
    await server.push("acme/edges", {"edges.py": "2\n"}, "feature")

    assert (await edges.pull_request(pull.number)).review is ReviewState.REQUIRED
    server.review(pull, "grace")
    assert (await edges.pull_request(pull.number)).review is ReviewState.APPROVED


async def test_changes_asked_for_outweigh_an_approval(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.allow("bob", "acme/edges", Permission.WRITE)
    server.review(pull, "ada", "CHANGES_REQUESTED")
    server.review(pull, "bob")

    assert (await edges.pull_request(pull.number)).review is ReviewState.CHANGES_REQUESTED


async def test_a_required_review_that_is_not_there_is_required(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.world.repo("acme/edges").requires_review = True

    assert (await edges.pull_request(pull.number)).review is ReviewState.REQUIRED
