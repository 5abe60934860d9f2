"""Which branch of a repository is its default one, and at which commit it is."""

from pathlib import Path

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.services.git import Git
from tests.real.git_server import Repository


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git(tmp_path / "mirrors", timeout=30)


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "origin.git")
    repository.commit({"a": "1"}, branch="trunk")
    repository.commit({"a": "2"}, branch="main")
    repository.git("symbolic-ref", "HEAD", "refs/heads/trunk")
    return repository


def tip(repository: Repository, name: str) -> str:
    return repository.git("rev-parse", name).decode().strip()


def clone(origin: Repository, to: Path, *options: str) -> Repository:
    origin.git("clone", "--quiet", *options, str(origin.path), str(to))
    bare = "--bare" in options or "--mirror" in options
    made = Repository.__new__(Repository)
    made.path, made._git_dir, made._bare = to, to if bare else to / ".git", bare
    return made


async def default(git: Git, address: str) -> tuple[str, str | None]:
    found = await git.default_branch(address)
    return found.sha, found.branch


async def test_a_url_says_it_by_its_head(git: Git, origin: Repository) -> None:
    found = await default(git, f"file://{origin.path}")
    assert found == (tip(origin, "trunk"), "trunk")


async def test_a_clone_says_it_by_what_it_was_cloned_from(
    git: Git, origin: Repository, tmp_path: Path
) -> None:
    work = clone(origin, tmp_path / "work")
    was = tip(origin, "trunk")
    work.git("checkout", "--quiet", "-b", "mine")
    work.commit({"a": "3"}, branch="mine")
    # Also the branch of that name here is only what somebody has in mind.
    work.commit({"a": "4"}, branch="trunk")
    origin.commit({"a": "5"}, branch="trunk")
    assert await default(git, str(work.path)) == (was, "trunk")
    work.git("fetch", "--quiet")
    assert await default(git, str(work.path)) == (tip(origin, "trunk"), "trunk")


async def test_a_linked_work_tree_is_that_of_its_repository(
    git: Git, origin: Repository, tmp_path: Path
) -> None:
    work = clone(origin, tmp_path / "work")
    work.git("worktree", "add", "--quiet", str(tmp_path / "beside"), "-b", "beside")
    assert await default(git, str(tmp_path / "beside")) == (tip(origin, "trunk"), "trunk")


@pytest.mark.parametrize("how", ["--bare", "--mirror"])
async def test_a_bare_repository_says_it_by_its_own_head(
    git: Git, origin: Repository, tmp_path: Path, how: str
) -> None:
    bare = clone(origin, tmp_path / "bare.git", how)
    assert await default(git, str(bare.path)) == (tip(origin, "trunk"), "trunk")


async def test_a_clone_whose_origin_was_taken_out_of_its_configuration_still_knows_it(
    git: Git, origin: Repository, tmp_path: Path
) -> None:
    work = clone(origin, tmp_path / "work")
    work.git("config", "--remove-section", "remote.origin")
    assert await default(git, str(work.path)) == (tip(origin, "trunk"), "trunk")


@pytest.mark.parametrize(
    ("configured", "branches", "expected"),
    [
        (None, ("mine", "main"), "main"),
        (None, ("mine", "master"), "master"),
        (None, ("mine", "master", "main"), "main"),
        ("trunk", ("mine", "main", "trunk"), "trunk"),
        ("trunk", ("mine", "main"), "main"),
        ("--all", ("mine", "main"), "main"),
        (None, ("mine",), "mine"),
    ],
)
async def test_without_an_origin_it_is_the_branch_that_new_repositories_begin_with(
    git: Git,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    configured: str | None,
    branches: tuple[str, ...],
    expected: str,
) -> None:
    work = Repository(tmp_path / "work", bare=False)
    shas = {each: work.commit({"a": each}, branch=each) for each in branches}
    work.git("checkout", "--quiet", "mine")
    monkeypatch.setenv("HOME", str(tmp_path))
    if configured is not None:
        (tmp_path / ".gitconfig").write_text(f'[init]\n\tdefaultBranch = "{configured}"\n')
    # What is said in here whoever deploys could have written.
    work.git("config", "init.defaultBranch", "mine")
    assert await default(git, str(work.path)) == (shas[expected], expected)


async def test_several_branches_of_which_none_is_usual_say_nothing(
    git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that is checked out is what somebody works on, and may let them in."""
    work = Repository(tmp_path / "work", bare=False)
    work.commit({"a": "1"}, branch="mine")
    sha = work.commit({"a": "2"}, branch="trunk")
    work.git("checkout", "--quiet", "mine")
    monkeypatch.setenv("HOME", str(tmp_path))
    await is_unclear(git, work)
    (tmp_path / ".gitconfig").write_text("[init]\n\tdefaultBranch = trunk\n")
    assert await default(git, str(work.path)) == (sha, "trunk")


async def test_a_branch_without_commits_hides_none_that_has_some(git: Git, tmp_path: Path) -> None:
    work = Repository(tmp_path / "work", bare=False)
    sha = work.commit({"a": "1"}, branch="trunk")
    work.git("symbolic-ref", "HEAD", "refs/heads/main")
    assert await default(git, str(work.path)) == (sha, "trunk")


@pytest.mark.parametrize("tags", [[], ["v1"]])
async def test_a_commit_in_no_branch_is_not_the_default_one(
    git: Git, tmp_path: Path, tags: list[str]
) -> None:
    """As a workflow checks out a tag."""
    work = Repository(tmp_path / "work", bare=False)
    sha = work.commit({"a": "1"}, branch="main")
    for each in tags:
        work.git("tag", each, sha)
    work.git("checkout", "--quiet", "--detach", sha)
    work.git("update-ref", "-d", "refs/heads/main")
    await is_unclear(git, work)


async def test_a_bare_repository_of_tags_alone_is_refused(git: Git, origin: Repository) -> None:
    origin.git("tag", "v1", "trunk")
    origin.git("update-ref", "-d", "refs/heads/trunk")
    origin.git("update-ref", "-d", "refs/heads/main")
    await is_unclear(git, origin)


@pytest.mark.parametrize("head", ["gone", None])
async def test_a_clone_that_does_not_say_it_is_refused(
    git: Git, origin: Repository, tmp_path: Path, head: str | None
) -> None:
    """Its own main is only what somebody has in mind, and the origin's may be what nobody rules by."""
    work = clone(origin, tmp_path / "work")
    work.commit({"a": "3"}, branch="main")
    work.git("symbolic-ref", "--delete", "refs/remotes/origin/HEAD")
    if head is not None:
        work.git("symbolic-ref", "refs/remotes/origin/HEAD", f"refs/remotes/origin/{head}")
    await is_unclear(git, work)
    work.git("remote", "set-head", "origin", "trunk")
    assert await default(git, str(work.path)) == (tip(origin, "trunk"), "trunk")


async def is_unclear(git: Git, work: Repository) -> None:
    with pytest.raises(StoppedError) as stopped:
        await default(git, str(work.path))
    assert stopped.value.reason.code is Code.BRANCH_UNCLEAR


def checked_out(origin: Repository, to: Path, branch: str) -> Repository:
    """As a workflow checks out a push to a branch."""
    work = clone(origin, to, "--single-branch", "--branch", branch)
    work.git("checkout", "--quiet", "--detach")
    return work


@pytest.mark.parametrize("branch", ["main", "master"])
async def test_the_only_branch_that_was_fetched_need_not_be_the_default_one(
    git: Git, origin: Repository, tmp_path: Path, branch: str
) -> None:
    origin.git("branch", "--force", "master", "main")
    await is_unclear(git, checked_out(origin, tmp_path / "work", branch))


async def test_the_only_branch_that_was_fetched_is_it_where_new_repositories_begin_so(
    git: Git, origin: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text("[init]\n\tdefaultBranch = main\n")
    work = checked_out(origin, tmp_path / "work", "main")
    assert await default(git, str(work.path)) == (tip(origin, "main"), "main")


URL = "https://github.com/acme/edges.git"


@pytest.mark.parametrize(
    "remote", [URL, "https://github.com/Acme/edges", "git@github.com:acme/edges.git"]
)
async def test_who_knows_it_of_the_origin_says_it(
    git: Git, origin: Repository, tmp_path: Path, remote: str
) -> None:
    work = checked_out(origin, tmp_path / "work", "main")
    work.git("remote", "set-url", "origin", remote)
    git.tell_default(URL, "main")
    assert await default(git, str(work.path)) == (tip(origin, "main"), "main")


@pytest.mark.parametrize("told", ["trunk", "gone"])
async def test_another_branch_than_the_one_that_is_known_is_not_it(
    git: Git, origin: Repository, tmp_path: Path, told: str
) -> None:
    work = checked_out(origin, tmp_path / "work", "main")
    work.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    work.git("remote", "set-url", "origin", URL)
    git.tell_default(URL, told)
    await is_unclear(git, work)


async def test_what_is_known_of_one_repository_says_nothing_of_another(
    git: Git, origin: Repository, tmp_path: Path
) -> None:
    work = checked_out(origin, tmp_path / "work", "main")
    work.git("remote", "set-url", "origin", "https://github.com/acme/other.git")
    git.tell_default(URL, "main")
    await is_unclear(git, work)


@pytest.mark.parametrize("ref", ["pull/5/merge", "origin/mine"])
async def test_the_checkout_of_a_pull_request_says_nothing(
    git: Git, origin: Repository, tmp_path: Path, ref: str
) -> None:
    origin.commit({"a": "9"}, branch="mine")
    work = Repository(tmp_path / "work", bare=False)
    work.git("remote", "add", "origin", str(origin.path))
    work.git("fetch", "--quiet", "--depth=1", "origin", f"+mine:refs/remotes/{ref}")
    work.git("checkout", "--quiet", "--detach", f"refs/remotes/{ref}")
    await is_unclear(git, work)


async def test_of_several_remotes_that_counts_which_is_called_origin(
    git: Git, origin: Repository, tmp_path: Path
) -> None:
    fork = clone(origin, tmp_path / "fork.git", "--bare")
    work = clone(origin, tmp_path / "work", "--origin", "upstream")
    found = await git.default_branch(str(work.path))
    assert found.sha == tip(origin, "trunk")
    work.git("remote", "add", "alice", str(fork.path))
    work.git("fetch", "--quiet", "alice")
    await is_unclear(git, work)


async def test_a_bare_repository_whose_head_is_no_branch_is_refused(
    git: Git, origin: Repository
) -> None:
    origin.git("symbolic-ref", "HEAD", "refs/heads/gone")
    await is_unclear(git, origin)


async def test_what_is_configured_in_an_included_file_counts(
    git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "more").write_text("[init]\n\tdefaultBranch = trunk\n")
    (tmp_path / ".gitconfig").write_text(f"[include]\n\tpath = {tmp_path}/more\n")
    work = Repository(tmp_path / "work", bare=False)
    sha = work.commit({"a": "1"}, branch="trunk")
    work.commit({"a": "2"}, branch="main")
    assert await default(git, str(work.path)) == (sha, "trunk")


async def test_a_file_url_that_git_completes_is_asked_as_git_does(
    git: Git, origin: Repository
) -> None:
    found = await default(git, f"file://{str(origin.path).removesuffix('.git')}")
    assert found == (tip(origin, "trunk"), "trunk")


async def test_an_origin_of_which_nothing_was_fetched_says_nothing(
    git: Git, tmp_path: Path
) -> None:
    work = Repository(tmp_path / "work", bare=False)
    sha = work.commit({"a": "1"}, branch="main")
    work.git("remote", "add", "origin", "https://example.com/acme/edges")
    assert await default(git, str(work.path)) == (sha, "main")


async def test_a_file_url_of_a_work_tree_is_that_of_its_path(git: Git, tmp_path: Path) -> None:
    work = Repository(tmp_path / "a work tree", bare=False)
    sha = work.commit({"a": "1"}, branch="main")
    work.commit({"a": "2"}, branch="mine")
    work.git("symbolic-ref", "HEAD", "refs/heads/mine")
    assert await default(git, f"file://{str(work.path).replace(' ', '%20')}") == (sha, "main")


@pytest.mark.parametrize("way", ["link to .git", ".git", "link to it", "linked work tree's .git"])
async def test_no_way_to_a_work_tree_makes_what_is_checked_out_its_default_branch(
    git: Git, tmp_path: Path, way: str
) -> None:
    work = Repository(tmp_path / "work", bare=False)
    sha = work.commit({"a": "1"}, branch="main")
    work.commit({"a": "2"}, branch="mine")
    work.git("worktree", "add", "--quiet", str(tmp_path / "beside"), "mine")
    work.git("symbolic-ref", "HEAD", "refs/heads/mine")
    (tmp_path / "to_git").symlink_to(work.path / ".git")
    (tmp_path / "to_it").symlink_to(work.path)
    paths = {
        "link to .git": tmp_path / "to_git",
        ".git": work.path / ".git",
        "link to it": tmp_path / "to_it",
        "linked work tree's .git": work.path / ".git" / "worktrees" / "beside",
    }
    assert await default(git, f"file://{paths[way]}") == (sha, "main")


async def test_a_work_tree_whose_git_folder_is_elsewhere_is_one(git: Git, tmp_path: Path) -> None:
    work = Repository(tmp_path / "work", bare=False)
    sha = work.commit({"a": "1"}, branch="main")
    work.commit({"a": "2"}, branch="mine")
    work.git("init", "--quiet", "--separate-git-dir", str(tmp_path / "elsewhere"))
    work.git("symbolic-ref", "HEAD", "refs/heads/mine")
    assert await default(git, f"file://{tmp_path}/elsewhere") == (sha, "main")


@pytest.mark.parametrize("bare", [True, False])
async def test_a_repository_without_commits_has_none(
    git: Git, tmp_path: Path, *, bare: bool
) -> None:
    with pytest.raises(StoppedError) as stopped:
        await default(git, str(Repository(tmp_path / "new", bare=bare).path))
    assert stopped.value.reason.code is Code.REF_UNKNOWN
    assert "has no commits yet" in stopped.value.reason.fact


async def test_what_is_no_repository_is_said(git: Git, tmp_path: Path) -> None:
    with pytest.raises(StoppedError) as stopped:
        await git.default_branch(str(tmp_path))
    assert stopped.value.reason.code is Code.REPOSITORY_UNKNOWN
