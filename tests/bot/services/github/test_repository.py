"""What the client says of a repository, its commits, tags and files, against the stand-in."""

import pytest

from bot.domain.github import ReleaseNow, Repository
from bot.domain.reasons import StoppedError
from bot.services.github import RepositoryClient
from tests.standins.github import objects
from tests.standins.github.faults import error
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import PullRequest


async def test_a_repository_has_its_default_branch_and_its_address(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    found = await edges.repository()

    assert found == Repository("acme", "edges", "main", f"{server.url}/acme/edges.git")


async def test_a_repository_is_found_by_its_number_under_every_name(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    number = server.world.repo("acme/edges").id
    await server.rename("acme/edges", "corners")

    assert await edges.name_of(number) == "acme/corners"


async def test_the_number_of_what_is_gone_has_no_name(edges: RepositoryClient) -> None:
    assert await edges.name_of(404) is None


async def test_a_commit_of_the_pull_request_belongs_to_it(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    first = pull.head_sha
    await server.push("acme/edges", {"edges.py": "2\n"}, "feature")

    assert await edges.commit_belongs(first, pull_request=pull.number, branches=())


async def test_a_commit_of_an_allowed_branch_belongs_to_it(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    older = await server.push("acme/edges", {"a": "1"})
    await server.push("acme/edges", {"a": "2"})

    assert await edges.commit_belongs(older, pull_request=None, branches=("main",))


async def test_a_forks_commit_is_found_here_and_belongs_to_nothing(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.fork("acme/edges", "eve")
    imposter = await server.push("eve/edges", {"edges.py": "evil\n"}, by="eve")

    belongs = await edges.commit_belongs(imposter, pull_request=pull.number, branches=("main",))

    assert not belongs
    assert objects.resolve(server.world.repo("acme/edges").git, imposter) == imposter


@pytest.mark.parametrize("sha", ["0" * 40, "main", "abc1234", "eve:main"])
async def test_what_is_no_commit_of_this_repository_belongs_to_nothing(
    edges: RepositoryClient, pull: PullRequest, sha: str
) -> None:
    assert not await edges.commit_belongs(sha, pull_request=pull.number, branches=("main",))


async def test_branches_are_found_by_how_their_names_begin(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    first = await server.push("acme/edges", {"a": "1"}, "release/1")
    second = await server.push("acme/edges", {"a": "2"}, "release/2+b")
    await server.push("acme/edges", {"a": "3"}, "feature")

    found = await edges.branches("release/")

    assert found == {"release/1": first, "release/2+b": second}
    assert (await edges.branches("")).keys() == {"main", "feature", *found}
    assert await edges.branches("release/2+") == {"release/2+b": second}


async def test_a_branch_that_is_not_there_has_no_commits(
    edges: RepositoryClient, pull: PullRequest
) -> None:
    assert not await edges.commit_belongs(
        pull.head_sha, pull_request=None, branches=("no/such branch",)
    )


async def test_a_file_is_the_default_branchs(edges: RepositoryClient, server: GitHubServer) -> None:
    await server.push("acme/edges", {".pachops.yml": "environments: {}\n"})
    await server.push("acme/edges", {".pachops.yml": "evil\n"}, "feature")

    assert await edges.default_branch_file(".pachops.yml") == b"environments: {}\n"


@pytest.mark.parametrize("path", ["nothing.yml", "folder"])
async def test_what_is_no_file_is_none(
    edges: RepositoryClient, server: GitHubServer, path: str
) -> None:
    await server.push("acme/edges", {"folder/a file": "1"})

    assert await edges.default_branch_file(path) is None


async def test_a_file_that_github_does_not_send_is_refused_not_taken_as_empty(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    await server.push("acme/edges", {".pachops.yml": "#" * (1024 * 1024 + 1)})

    with pytest.raises(StoppedError, match="too large"):
        await edges.default_branch_file(".pachops.yml")


async def test_nothing_is_at_the_root_of_an_empty_repository(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    objects.move(server.world.repo("acme/edges").git, "refs/heads/main", None)

    assert await edges.names_at_root("main") == frozenset()


async def test_a_root_that_is_not_found_is_not_taken_as_empty(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    assert await edges.names_at_root("main") == {"README.md"}
    server.fail("GET", "/repos/acme/edges/contents*", error(404, "Not Found"))

    with pytest.raises(StoppedError, match="404 Not Found"):
        await edges.names_at_root("main")


async def test_a_tags_commit_is_the_tags_also_beside_a_branch_of_its_name(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    sha = await server.push("acme/edges", {"a": "1"})
    await server.publish_release("acme/edges", "v1.0/rc")
    await server.push("acme/edges", {"a": "2"}, "v1.0/rc")

    assert await edges.commit_of_tag("v1.0/rc") == sha
    with pytest.raises(StoppedError, match="nothing"):
        await edges.commit_of_tag("nothing")


async def test_a_release_is_there_until_it_is_deleted(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    made = await server.publish_release("acme/edges", "v1", prerelease=True)
    assert await edges.release(made.id) == ReleaseNow("v1", is_draft=False, is_prerelease=True)
    await server.delete_release("acme/edges", made)
    assert await edges.release(made.id) is None
