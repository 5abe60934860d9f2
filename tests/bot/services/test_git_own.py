"""A host keeps commits of forks among a repository's refs: none of them is the repository's own."""

from pathlib import Path

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.services.git import Git
from tests.real.git_server import Repository


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git(tmp_path / "mirrors", timeout=30)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "edges.git")


@pytest.mark.parametrize(
    "ref",
    [
        "pull/7/head",
        "refs/pull/7/head",
        "pull/7/merge",
        "merge-requests/3/head",
        "refs/pull-requests/3/from",
        "changes/01/1/1",
        "remotes/ada/main",
    ],
)
async def test_what_is_neither_branch_nor_tag_of_a_url_may_be_a_forks(
    git: Git, repository: Repository, ref: str
) -> None:
    repository.commit({"a": "1"})
    sha = repository.commit({"a": "2"}, branch="theirs")
    repository.git("update-ref", f"refs/{ref.removeprefix('refs/')}", sha)

    with pytest.raises(StoppedError) as stopped:
        await git.resolve(f"file://{repository.path}", ref, own=True)

    reason = stopped.value.reason
    assert reason.code is Code.FORK_NOT_ALLOWED
    assert f"`{ref}`" in reason.fact
    assert sha in reason.next_step


@pytest.mark.parametrize(
    "ref", [None, "HEAD", "main", "refs/heads/main", "v1", "refs/tags/v1", "both", "pull/7/head"]
)
async def test_branches_and_tags_are_the_repositorys_whatever_they_are_called(
    git: Git, repository: Repository, ref: str | None
) -> None:
    sha = repository.commit({"a": "1"})
    theirs = repository.commit({"a": "2"}, branch="theirs")
    for name in ("refs/tags/v1", "refs/heads/both", "refs/tags/pull/7/head"):
        repository.git("update-ref", name, sha)
    for name in ("refs/both", "refs/pull/7/head", "refs/v1"):
        repository.git("update-ref", name, theirs)

    assert (await git.resolve(f"file://{repository.path}", ref, own=True)).sha == sha


async def test_a_whole_sha_is_taken_from_wherever_it_is(git: Git, repository: Repository) -> None:
    repository.commit({"a": "1"})
    sha = repository.commit({"a": "2"}, branch="theirs")
    repository.git("update-ref", "refs/pull/7/head", sha)
    repository.git("update-ref", "-d", "refs/heads/theirs")

    assert (await git.resolve(f"file://{repository.path}", sha, own=True)).sha == sha


async def test_a_short_sha_of_what_only_a_fork_has_is_not_known(
    git: Git, repository: Repository
) -> None:
    repository.commit({"a": "1"})
    sha = repository.commit({"a": "2"}, branch="theirs")
    repository.git("update-ref", "refs/pull/7/head", sha)
    repository.git("update-ref", "-d", "refs/heads/theirs")

    with pytest.raises(StoppedError) as stopped:
        await git.resolve(f"file://{repository.path}", sha[:10], own=True)

    assert stopped.value.reason.code is Code.REF_UNKNOWN


async def test_what_was_fetched_into_a_folder_is_whose_folder_it_is(
    git: Git, repository: Repository
) -> None:
    sha = repository.commit({"a": "1"})
    repository.git("update-ref", "refs/pull/7/head", sha)

    assert (await git.resolve(str(repository.path), "pull/7/head", own=True)).sha == sha
