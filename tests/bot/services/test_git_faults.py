"""What is left when git is stopped, killed, or finds its mirror damaged."""

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bot.domain.reasons import Code, StoppedError
from bot.services.git import Git
from tests.real.git_server import GitServer, Repository, loose_objects

PATIENCE = 20.0


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "mirrors"


@pytest.fixture
def git(root: Path) -> Git:
    return Git(root, timeout=30)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "served" / "edges.git")


@pytest.fixture
def address(repository: Repository) -> str:
    """By URL, so that the mirror has a copy of all objects and does not borrow them."""
    return f"file://{repository.path}"


def _processes_with(text: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and text in " ".join(process.cmdline()):
                found.append(process)
    return found


def _left_with(text: str) -> list[psutil.Process]:
    """What a kill that was sent does not end: what git had started ends after git itself."""
    _, alive = psutil.wait_procs(_processes_with(text), timeout=PATIENCE)
    return [*alive, *_processes_with(text)]


def _is_there(path: Path) -> bool:
    return path.exists()


@pytest.mark.real
class TestStopped:
    async def test_a_cancelled_fetch_leaves_no_process_and_no_lock(
        self, git: Git, repository: Repository, root: Path
    ) -> None:
        sha = repository.commit({"a": "1"})
        with GitServer(repository.path.parent, hang=True) as server:
            address = f"{server.url}/edges.git"
            fetch = asyncio.create_task(git.mirror(address, sha))
            await asyncio.to_thread(server.asked.wait, PATIENCE)
            fetch.cancel()
            await asyncio.wait([fetch], timeout=PATIENCE)
            assert fetch.cancelled()
            assert _left_with(server.host) == []

            _take_every_lock(root)

    async def test_a_timed_out_fetch_leaves_no_process_and_no_lock(
        self, repository: Repository, root: Path
    ) -> None:
        sha = repository.commit({"a": "1"})
        with GitServer(repository.path.parent, hang=True) as server:
            git = Git(root, timeout=1)
            with pytest.raises(StoppedError, match="not read within"):
                await git.mirror(f"{server.url}/edges.git", sha)
            assert _left_with(server.host) == []

            _take_every_lock(root)

    def test_git_ends_with_a_bot_that_is_killed(self, repository: Repository, root: Path) -> None:
        sha = repository.commit({"a": "1"})
        with GitServer(repository.path.parent, hang=True) as server:
            program = (
                "import asyncio, pathlib; from bot.services.git import Git;"
                f"git = Git(pathlib.Path({str(root)!r}));"
                f"asyncio.run(git.mirror('{server.url}/edges.git', '{sha}'))"
            )
            with subprocess.Popen([sys.executable, "-c", program]) as bot:  # noqa: S603 - our own
                server.asked.wait(PATIENCE)
                assert _processes_with("fetch --quiet --no-tags")
                bot.send_signal(signal.SIGKILL)
            assert _left_with(f"{server.url}/edges.git") == []


def _take_every_lock(root: Path) -> None:
    locks = [*root.glob("*.lock")]
    assert locks
    for lock in locks:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class TestLeftOver:
    async def test_files_of_a_killed_git_do_not_stop_the_next(
        self, git: Git, repository: Repository, address: str
    ) -> None:
        first = repository.commit({"a": "1"})
        second = repository.commit({"a": "2"})
        folder = (await git.mirror(address, first)).folder
        left = [
            folder / name
            for name in (
                "shallow.lock",
                "config.lock",
                "packed-refs.lock",
                f"refs/pachops/{second}.lock",
                "objects/pack/tmp_pack_abc",
            )
        ]
        for path in left:
            path.write_text("")
        (folder / "the same mirror").write_text("")

        mirror = await git.mirror(address, second)

        assert await mirror.read(second, "a") == b"2"
        assert not [path for path in left if path.exists()]
        assert (folder / "the same mirror").exists()

    async def test_a_mirror_half_made_is_made_anew(
        self, git: Git, repository: Repository, address: str
    ) -> None:
        sha = repository.commit({"a": "1"})
        mirror = await git.mirror(address, sha)
        for path in (mirror.folder / "HEAD", mirror.folder / "info" / "attributes"):
            path.unlink()

        mirror = await git.mirror(address, sha)

        assert await mirror.read(sha, "a") == b"1"
        assert (mirror.folder / "info" / "attributes").exists()

    @pytest.mark.parametrize("kept", ["nothing", "refs", "HEAD"])
    async def test_a_mirror_that_lost_objects_is_made_anew(
        self, git: Git, repository: Repository, address: str, kept: str
    ) -> None:
        sha = repository.commit({"a": "1", "src/b": "2"})
        mirror = await git.mirror(address, sha)
        for path in sorted(mirror.folder.rglob("*")):
            if path.is_file() and kept not in path.parts:
                path.chmod(0o600)
                path.write_bytes(b"")

        mirror = await git.mirror(address, sha)

        assert await mirror.read(sha, "src/b") == b"2"

    @pytest.mark.parametrize("name", ["main:src/b", "main:src", "main^{tree}", "main"])
    async def test_one_missing_object_is_noticed(
        self, git: Git, repository: Repository, address: str, name: str
    ) -> None:
        sha = repository.commit({"a": "1", "src/b": "2"})
        mirror = await git.mirror(address, sha)
        lost = repository.git("rev-parse", name).decode().strip()
        loose_objects(mirror.folder)
        (mirror.folder / "objects" / lost[:2] / lost[2:]).unlink()

        mirror = await git.mirror(address, sha)

        assert await mirror.read(sha, "src/b") == b"2"


class TestBorrowed:
    async def test_objects_of_a_local_repository_are_not_copied(
        self, git: Git, repository: Repository
    ) -> None:
        sha = repository.commit({"a": "1", "src/b": "2"})

        mirror = await git.mirror(str(repository.path), sha)

        assert await mirror.read(sha, "src/b") == b"2"
        assert not [*mirror.folder.glob("objects/pack/*.pack")]

    async def test_a_linked_work_tree_lends_them_too(
        self, git: Git, repository: Repository, tmp_path: Path
    ) -> None:
        sha = repository.commit({"a": "1"})
        repository.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"), sha)

        mirror = await git.mirror(str(tmp_path / "linked"), sha)

        assert await mirror.read(sha, "a") == b"1"

    async def test_a_repository_that_went_away_is_an_error(
        self, git: Git, repository: Repository
    ) -> None:
        sha = repository.commit({"a": "1"})
        mirror = await git.mirror(str(repository.path), sha)
        shutil.rmtree(repository.path)

        with pytest.raises(StoppedError) as stopped:
            await mirror.read(sha, "a")
        assert stopped.value.reason.code is Code.REPOSITORY_UNREADABLE

    async def test_a_partial_clone_is_explained(
        self, git: Git, repository: Repository, tmp_path: Path
    ) -> None:
        sha = repository.commit({"a": "1"})
        repository.git("config", "uploadpack.allowFilter", "true")
        clone = str(tmp_path / "clone")
        repository.git(
            "clone", "-q", "--filter=blob:none", "-n", f"file://{repository.path}", clone
        )

        with pytest.raises(StoppedError, match="partial clone") as stopped:
            await git.mirror(clone, sha)
        assert stopped.value.reason.code is Code.REPOSITORY_UNREADABLE


class TestTogether:
    async def test_deployments_of_one_repository_can_fetch_at_once(
        self, git: Git, repository: Repository, address: str
    ) -> None:
        shas = [repository.commit({"a": str(number)}) for number in range(4)]

        mirrors = await asyncio.gather(*(git.mirror(address, sha) for sha in (*shas, *shas)))

        read = [
            await mirror.read(sha, "a") for mirror, sha in zip(mirrors, (*shas, *shas), strict=True)
        ]
        assert read == [str(number).encode() for number in range(4)] * 2

    async def test_waiting_for_another_process_ends_with_the_time_out(
        self, repository: Repository, address: str, root: Path
    ) -> None:
        first = repository.commit({"a": "1"})
        folder = (await Git(root).mirror(address, first)).folder
        second = repository.commit({"a": "2"})
        git = Git(root, timeout=0.3)

        with folder.with_name(f"{folder.name}.lock").open() as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            with pytest.raises(StoppedError, match="not read within"):
                await git.mirror(address, second)
            mirror = await git.mirror(address, first)

        assert await mirror.read(first, "a") == b"1"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
@pytest.mark.real
async def test_a_full_disk_is_said_and_leaves_a_mirror_that_works(
    repository: Repository, address: str, tmp_path: Path
) -> None:
    sha = repository.commit({"a": os.urandom(3_000_000)})
    small = repository.commit({"a": "1"})
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = await asyncio.create_subprocess_exec(
        "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)
    )
    if await mounted.wait():
        pytest.skip("this machine lets nobody mount")
    try:
        git = Git(disk / "mirrors", timeout=30)
        with pytest.raises(StoppedError) as stopped:
            await git.mirror(address, sha)
        mirror = await git.mirror(address, small)
        read = await mirror.read(small, "a")
    finally:
        await (await asyncio.create_subprocess_exec("umount", str(disk))).wait()

    assert stopped.value.reason.code is Code.DISK_FULL
    assert read == b"1"


class TestAPartialCloneWithAProgramOfItsOwn:
    """Git fetches what a partial clone lacks, with a program that the repository's config names."""

    @pytest.fixture
    def proof(self, tmp_path: Path) -> Path:
        return tmp_path / "program-was-run"

    @pytest.fixture
    def _older_git(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """One that does not yet refuse by itself to fetch for whoever fetches from it."""
        older = tmp_path / "bin" / "git"
        older.parent.mkdir()
        older.write_text(f'#!/bin/sh\nGIT_NO_LAZY_FETCH=0 exec {shutil.which("git")} "$@"\n')
        older.chmod(0o700)
        monkeypatch.setenv("PATH", f"{older.parent}{os.pathsep}{os.environ['PATH']}")

    @pytest.fixture
    def sha(self, repository: Repository, proof: Path) -> str:
        sha = repository.commit({"a": "1"})
        repository.git("tag", "-a", "-m", "one", "v1")
        tree = repository.git("rev-parse", f"{sha}^{{tree}}").decode().strip()
        for name, value in {
            "core.repositoryFormatVersion": "1",
            "extensions.partialClone": "origin",
            "remote.origin.promisor": "true",
            "remote.origin.url": "file:///any",
            "remote.origin.uploadpack": f"touch {proof}; git-upload-pack",
        }.items():
            repository.git("config", name, value)
        (repository.path / "objects" / tree[:2] / tree[2:]).unlink()
        return sha

    async def test_looking_for_a_commit_does_not_run_it(
        self, git: Git, repository: Repository, sha: str, proof: Path
    ) -> None:
        with contextlib.suppress(StoppedError):
            await git.resolve(str(repository.path), sha)
        assert not _is_there(proof)

    async def test_looking_for_a_missing_commit_does_not_run_it(
        self, git: Git, repository: Repository, sha: str, proof: Path
    ) -> None:
        with pytest.raises(StoppedError):
            await git.resolve(str(repository.path), sha[::-1])
        assert not _is_there(proof)

    async def test_looking_for_changes_does_not_run_it(
        self, git: Git, repository: Repository, sha: str, proof: Path, tmp_path: Path
    ) -> None:
        work_tree = tmp_path / "work-tree"
        work_tree.mkdir()
        (work_tree / ".git").write_text(f"gitdir: {repository.path}\n")
        repository.git("config", "core.bare", "false")
        with contextlib.suppress(StoppedError):
            await git.uncommitted(str(work_tree))
        assert (_is_there(proof), sha) == (False, sha)

    @pytest.mark.usefixtures("_older_git")
    @pytest.mark.parametrize("scheme", ["", "file://"])
    async def test_fetching_does_not_run_it(
        self, git: Git, repository: Repository, sha: str, proof: Path, scheme: str
    ) -> None:
        with pytest.raises(StoppedError, match="partial clone") as stopped:
            await git.mirror(f"{scheme}{repository.path}", sha)
        assert stopped.value.reason.code is Code.REPOSITORY_UNREADABLE
        assert not _is_there(proof)

    @pytest.mark.usefixtures("_older_git")
    async def test_asking_for_its_refs_does_not_run_it(
        self, git: Git, repository: Repository, sha: str, proof: Path
    ) -> None:
        (repository.path / "objects" / sha[:2] / sha[2:]).unlink()
        with contextlib.suppress(StoppedError):
            await git.resolve(f"file://{repository.path}", "v1")
        assert not _is_there(proof)
