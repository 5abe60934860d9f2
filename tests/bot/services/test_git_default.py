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


async def default(git: Git, address: str) -> tuple[str, str | None] | None:
    found = await git.default_branch(address)
    return (found.sha, found.branch) if found else None


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


@pytest.mark.parametrize(
    ("configured", "branches", "expected"),
    [
        (None, ("mine", "main"), "main"),
        (None, ("mine", "master"), "master"),
        (None, ("mine", "master", "main"), "main"),
        ("trunk", ("mine", "main", "trunk"), "trunk"),
        ("trunk", ("mine", "main"), "main"),
        ("--all", ("mine", "main"), "main"),
        (None, ("mine", "trunk"), None),
    ],
)
async def test_without_an_origin_it_is_the_branch_that_new_repositories_begin_with(
    git: Git,
    tmp_path: Path,
    configured: str | None,
    branches: tuple[str, ...],
    expected: str | None,
) -> None:
    work = Repository(tmp_path / "work", bare=False)
    shas = {each: work.commit({"a": each}, branch=each) for each in branches}
    work.git("checkout", "--quiet", "mine")
    if configured is not None:
        work.git("config", "init.defaultBranch", configured)
    found = await default(git, str(work.path))
    assert found == ((shas[expected], expected) if expected else None)


async def test_an_origin_whose_default_branch_is_gone_says_nothing(
    git: Git, origin: Repository, tmp_path: Path
) -> None:
    work = clone(origin, tmp_path / "work")
    work.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone")
    assert await default(git, str(work.path)) is None


@pytest.mark.parametrize("bare", [True, False])
async def test_a_repository_without_commits_has_none(
    git: Git, tmp_path: Path, *, bare: bool
) -> None:
    assert await default(git, str(Repository(tmp_path / "new", bare=bare).path)) is None


async def test_what_is_no_repository_is_said(git: Git, tmp_path: Path) -> None:
    with pytest.raises(StoppedError) as stopped:
        await git.default_branch(str(tmp_path))
    assert stopped.value.reason.code is Code.REPOSITORY_UNKNOWN
