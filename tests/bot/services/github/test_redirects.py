"""A repository that was renamed, and whose calls are answered from elsewhere."""

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.services.github import RepositoryClient
from tests.standins.github.faults import error
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import PullRequest

EDITS = "/repos/acme/edges/issues/comments/*"
MARKER = "<!-- m -->"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_change_is_made_where_it_is_sent_to(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, status: int
) -> None:
    comment = await edges.create_comment(pull.number, "before", marker=MARKER)
    there = f"{server.api_url}/repos/ACME/edges/issues/comments/{comment}"
    server.fail("PATCH", EDITS, error(status, "Moved", Location=there))
    assert await edges.edit_comment(comment, "after", marker=MARKER)
    (found,) = server.own_comments(pull)
    assert found.body.startswith("after")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_what_is_new_is_made_there_once(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, status: int
) -> None:
    there = f"{server.api_url}/repos/ACME/edges/issues/{pull.number}/comments"
    server.fail("POST", "/repos/acme/*/comments", error(status, "Moved", Location=there))
    made = await edges.create_comment(pull.number, "new", marker=MARKER)
    (found,) = server.own_comments(pull)
    assert (found.id, found.body.startswith("new")) == (made, True)


@pytest.mark.parametrize("there", ["https://elsewhere.example/", "", "/login"])
async def test_what_is_sent_to_another_host_is_not_made(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, there: str
) -> None:
    comment = await edges.create_comment(pull.number, "before", marker=MARKER)
    server.fail("PATCH", EDITS, error(307, "Moved", Location=there))
    with pytest.raises(StoppedError) as stopped:
        await edges.edit_comment(comment, "after", marker=MARKER)
    assert stopped.value.reason.code is Code.GITHUB_REFUSED
    assert "it is elsewhere" in stopped.value.reason.fact


async def test_what_is_sent_on_three_times_counts_as_made(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    there = f"{server.api_url}/repos/acme/edges/issues/{pull.number}/comments"
    server.fail("POST", "/repos/acme/*/comments", error(307, "Moved", Location=there), times=3)
    made = await edges.create_comment(pull.number, "new", marker=MARKER)
    assert [each.id for each in server.own_comments(pull)] == [made]


async def test_what_is_sent_in_a_circle_is_not_made(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    comment = await edges.create_comment(pull.number, "before", marker=MARKER)
    there = f"{server.api_url}/repos/acme/edges/issues/comments/{comment}"
    server.fail("PATCH", EDITS, error(307, "Moved", Location=there), times=9)
    with pytest.raises(StoppedError) as stopped:
        await edges.edit_comment(comment, "after", marker=MARKER)
    assert stopped.value.reason.code is Code.GITHUB_REFUSED
