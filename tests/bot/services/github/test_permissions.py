"""What the client says of people, against the stand-in."""

import pytest

from bot.domain.github import Permission
from bot.domain.reasons import Code, StoppedError
from bot.services.github import GitHub, RepositoryClient
from tests.standins.github.server import GitHubServer


@pytest.mark.parametrize("role", [*Permission])
async def test_a_permission_is_the_role_that_a_person_has(
    edges: RepositoryClient, server: GitHubServer, role: Permission
) -> None:
    server.allow("bob", "acme/edges", role)

    assert await edges.permission("bob") is role


async def test_a_role_of_the_organisations_own_counts_as_its_base(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    server.allow("bob", "acme/edges", Permission.WRITE, custom="release engineer")

    assert await edges.permission("bob") is Permission.WRITE


async def test_whoever_is_nobody_has_no_permission(edges: RepositoryClient) -> None:
    assert await edges.permission("nobody") is Permission.NONE


async def test_everybody_reads_what_is_public(server: GitHubServer, github: GitHub) -> None:
    server.repository("acme/open", private=False)
    server.world.user("eve")
    client = github.for_repository("acme", "open", server.installation("acme/open").id)

    assert await client.permission("eve") is Permission.READ


async def test_a_member_of_a_team_is_one(edges: RepositoryClient, server: GitHubServer) -> None:
    server.team("acme/ml", "ada")

    assert await edges.is_team_member("acme/ml", "ada")


async def test_an_invitation_to_a_team_is_not_membership(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    server.team("acme/ml", pending=("ada",))

    assert not await edges.is_team_member("acme/ml", "ada")


async def test_somebody_else_is_not_in_a_team(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    server.team("acme/ml", "grace")

    assert not await edges.is_team_member("acme/ml", "ada")


async def test_a_team_that_is_not_there_is_a_refusal_not_a_no(edges: RepositoryClient) -> None:
    with pytest.raises(StoppedError) as stopped:
        await edges.is_team_member("acme/no-such-team", "ada")

    assert stopped.value.reason.code is Code.GITHUB_REFUSED
    assert "acme/no-such-team" in stopped.value.reason.fact


async def test_teams_that_the_app_may_not_read_are_a_refusal_not_a_no(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    del server.installation("acme/edges").permissions["members"]

    with pytest.raises(StoppedError) as stopped:
        await edges.is_team_member("acme/ml", "ada")

    assert stopped.value.reason.code is Code.GITHUB_REFUSED
    assert "members=read" in stopped.value.reason.fact
