"""What the client says of a repository, against the stand-in."""

from dataclasses import replace

import pytest

from bot.domain.github import Check, CheckState, Permission, Repository, ReviewState
from bot.domain.reasons import Code, StoppedError
from bot.services.github import GitHub, RepositoryClient
from tests.standins.github import objects
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import PullRequest


async def test_a_repository_has_its_default_branch_and_its_address(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    found = await edges.repository()

    assert found == Repository("acme", "edges", "main", f"{server.url}/acme/edges.git")


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

    # REST would have to read all comments to know.
    assert replace(by_rest, has_our_comments=False) == by_graphql
    assert by_rest.review is ReviewState.APPROVED


async def test_rest_takes_over_where_graphql_may_not_say_all(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    del server.installation("acme/edges").permissions["checks"]

    with pytest.raises(StoppedError) as stopped:
        await edges.pull_request(pull.number)

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

    found = await edges.look(pull.number, path="rules.yml", login="Ada")

    assert [each.path for each in server.calls[before:]] == ["/graphql"]
    assert found is not None
    assert (found.file, found.is_file_known) == ("a: ä\n".encode(), True)
    assert found.permission is Permission.WRITE
    assert found.pull_request == await edges.pull_request(pull.number)


async def test_a_file_that_is_not_there_is_known_not_to_be(
    edges: RepositoryClient, pull: PullRequest
) -> None:
    found = await edges.look(pull.number, path="rules.yml", login="ada")

    assert found is not None
    assert (found.file, found.is_file_known) == (None, True)


@pytest.mark.parametrize(
    "content", [b"#" * 600_000, b"a\0b", b"\xff\xfe"], ids=["large", "binary", "not UTF-8"]
)
async def test_a_file_whose_text_is_not_all_of_it_is_left_to_rest(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, content: bytes
) -> None:
    await server.push("acme/edges", {"rules.yml": content})

    found = await edges.look(pull.number, path="rules.yml", login="ada")

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

    found = await edges.look(pull.number, path="rules.yml", login="ada")

    assert found is not None
    assert not found.is_file_known


async def test_without_the_right_to_read_files_none_is_taken_for_missing(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    del server.installation("acme/edges").permissions["contents"]

    assert await edges.look(pull.number, path="rules.yml", login="ada") is None


async def test_who_may_do_what_is_unknown_where_graphql_does_not_say(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.world.shows_collaborators = False

    found = await edges.look(pull.number, path="rules.yml", login="ada")

    assert found is not None
    assert found.permission is None
    assert found.is_file_known


async def test_whoever_has_no_rights_is_not_found_among_those_who_have(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.allow("adamo", "acme/edges", Permission.ADMIN)

    found = await edges.look(pull.number, path="rules.yml", login="adam")

    assert found is not None
    assert found.permission is None


async def test_a_server_without_graphql_is_asked_for_it_once(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    server.world.has_graphql = False

    assert await edges.look(pull.number, path="rules.yml", login="ada") is None
    await edges.pull_request(pull.number)

    assert server.called("POST", "/graphql") == 1


async def test_our_comments_are_known_from_those_of_others(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    await server.comment(pull, "a person's")
    before = await edges.pull_request(pull.number)
    await edges.create_comment(pull.number, "ours", marker="<!-- m -->")

    assert not before.has_our_comments
    assert (await edges.pull_request(pull.number)).has_our_comments


async def test_of_more_comments_than_are_looked_at_one_may_be_ours(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    for _ in range(101):
        await server.comment(pull, "a person's")

    assert (await edges.pull_request(pull.number)).has_our_comments


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


async def test_checks_of_another_commit_are_not_taken_for_the_heads(
    edges: RepositoryClient, server: GitHubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # GitHub lists the first commits of a pull request, of very many not the last.
    monkeypatch.setattr("tests.standins.github.graphql.MOST_COMMITS", 1)
    pull = await server.open_pull_request("acme/edges", "long", files={"a": "1"})
    server.check("acme/edges", pull.head_sha, "test", "success")
    await server.push("acme/edges", {"a": "2"}, "long")
    server.check("acme/edges", pull.head_sha, "test", "failure")
    looked = await edges.look(pull.number, path=".pachops.yml", login="ada")
    assert looked is None
    found = await edges.pull_request(pull.number)
    assert (found.head_sha, found.checks) == (
        pull.head_sha,
        (Check("test", CheckState.FAILURE),),
    )


async def test_all_checks_are_seen_however_many_there_are(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest
) -> None:
    for number in range(230):
        server.check("acme/edges", pull.head_sha, f"unit {number}")

    assert len((await edges.pull_request(pull.number)).checks) == 230


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

    assert (await edges.pull_request(pull.number)).review is ReviewState.NONE


@pytest.mark.parametrize("has_graphql", [True, False])
async def test_an_approval_of_an_older_head_counts_for_nothing(
    edges: RepositoryClient, server: GitHubServer, pull: PullRequest, *, has_graphql: bool
) -> None:
    server.world.has_graphql = has_graphql
    server.review(pull, "ada")
    await server.push("acme/edges", {"edges.py": "2\n"}, "feature")

    assert (await edges.pull_request(pull.number)).review is ReviewState.NONE


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


async def test_a_tags_commit_is_the_tags_also_beside_a_branch_of_its_name(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    sha = await server.push("acme/edges", {"a": "1"})
    await server.publish_release("acme/edges", "v1.0/rc")
    await server.push("acme/edges", {"a": "2"}, "v1.0/rc")

    assert await edges.commit_of_tag("v1.0/rc") == sha
    with pytest.raises(StoppedError, match="nothing"):
        await edges.commit_of_tag("nothing")
