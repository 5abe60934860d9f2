import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.domain.deployment import Commit
from bot.domain.reasons import Code, StoppedError
from bot.services.git import Address, FindLogin, Git
from bot.services.git.refs import ref_unknown
from bot.services.logins import Login
from tests.real.git_server import GitServer, Repository

LOGIN = Login("ada@acme.io", SecretStr("hunter2 $`'\"\\"))


def of(logins: Mapping[str, Login]) -> FindLogin:
    """Logins by the host that they are for."""

    async def find(address: Address, *, refused: Login | None = None) -> Login | None:
        return None if refused else logins.get(address.login_key or "")

    return find


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git(tmp_path / "mirrors", timeout=30)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "served" / "edges.git")


@pytest.fixture
def server(repository: Repository) -> Iterator[GitServer]:
    with GitServer(repository.path.parent) as server:
        yield server


@pytest.fixture(params=["work tree", "bare", pytest.param("http", marks=pytest.mark.real)])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Repository, str]:
    """A repository, and how it is reached: what holds for one way should hold for all."""
    if request.param == "http":
        repository: Repository = request.getfixturevalue("repository")
        server: GitServer = request.getfixturevalue("server")
        return repository, f"{server.url}/edges.git"
    path = tmp_path / "local"
    return Repository(path, bare=request.param == "bare"), str(path)


async def test_without_a_ref_it_is_the_commit_and_branch_of_head(
    git: Git, anywhere: tuple[Repository, str]
) -> None:
    repository, address = anywhere
    sha = repository.commit({"a": "1"}, "Count to one")

    commit = await git.resolve(address, None)

    assert (commit.sha, commit.ref, commit.branch) == (sha, "HEAD", "main")


@pytest.mark.parametrize(
    ("ref", "branch"),
    [
        ("feature/x", "feature/x"),
        ("refs/heads/feature/x", "feature/x"),
        ("v1", None),
        ("refs/tags/v1", None),
        ("annotated", None),
        ("both", "both"),
        ("refs/tags/both", None),
        ("refs/pull/7/head", None),
    ],
)
async def test_a_name_is_the_commit_that_it_is_at(
    git: Git, anywhere: tuple[Repository, str], ref: str, branch: str | None
) -> None:
    repository, address = anywhere
    first = repository.commit({"a": "1"})
    repository.git("update-ref", "refs/tags/v1", first)
    repository.git("tag", "annotated", "-m", "Text", first)
    repository.git("update-ref", "refs/tags/both", first)
    repository.git("update-ref", "refs/pull/7/head", first)
    second = repository.commit({"a": "2"})
    repository.git("update-ref", "refs/heads/feature/x", second)
    repository.git("update-ref", "refs/heads/both", second)

    commit = await git.resolve(address, ref)

    assert commit.sha == (second if branch else first)
    assert (commit.ref, commit.branch) == (ref, branch)


@pytest.mark.parametrize("end", ["\u2028x", "\u2028", "\x85x", "\x85"], ids=ascii)
async def test_a_branch_with_an_odd_end_is_not_taken_for_another(
    git: Git, anywhere: tuple[Repository, str], end: str
) -> None:
    repository, address = anywhere
    ours = repository.commit({"a": "1"})
    theirs = repository.commit({"a": "2"})
    repository.git("update-ref", "refs/heads/main", ours)
    repository.git("update-ref", f"refs/heads/main{end}", theirs)

    assert (await git.resolve(address, "main")).sha == ours
    assert (await git.resolve(address, "refs/heads/main")).sha == ours


@pytest.mark.parametrize("ref", ["refs/heads/main", "refs/tags/v1"])
async def test_a_branch_that_is_named_like_a_whole_ref_does_not_take_its_place(
    git: Git, anywhere: tuple[Repository, str], ref: str
) -> None:
    repository, address = anywhere
    ours = repository.commit({"a": "1"})
    theirs = repository.commit({"a": "2"})
    repository.git("update-ref", ref, ours)
    repository.git("update-ref", f"refs/heads/{ref}", theirs)

    assert (await git.resolve(address, ref)).sha == ours
    repository.git("update-ref", "-d", ref)
    with pytest.raises(StoppedError) as stopped:
        await git.resolve(address, ref)
    assert stopped.value.reason.code is Code.REF_UNKNOWN


async def test_a_head_that_names_a_branch_with_an_odd_end_names_no_other(
    git: Git, anywhere: tuple[Repository, str]
) -> None:
    repository, address = anywhere
    sha = repository.commit({"a": "1"})
    repository.git("update-ref", "refs/heads/main\u2028", sha)
    repository.git("symbolic-ref", "HEAD", "refs/heads/main\u2028")

    assert (await git.resolve(address, None)).branch == "main\u2028"


async def test_a_short_sha_of_an_old_commit_is_found(
    git: Git, anywhere: tuple[Repository, str]
) -> None:
    repository, address = anywhere
    first = repository.commit({"a": "1"})
    second = repository.commit({"a": "2"})
    await git.mirror(address, second)

    commit = await git.resolve(address, first[:10])

    assert (commit.sha, commit.ref, commit.branch) == (first, first[:10], None)


async def test_a_full_sha_is_taken_as_it_is(git: Git, anywhere: tuple[Repository, str]) -> None:
    repository, address = anywhere
    sha = repository.commit({"a": "1"})

    assert (await git.resolve(address, sha.upper())).sha == sha


async def test_a_detached_head_has_no_branch(git: Git, anywhere: tuple[Repository, str]) -> None:
    repository, address = anywhere
    sha = repository.commit({"a": "1"})
    repository.git("update-ref", "--no-deref", "HEAD", sha)
    (repository.path / ".git" if (repository.path / ".git").exists() else repository.path).joinpath(
        "HEAD"
    ).write_text(f"{sha}\n")

    assert await git.resolve(address, None) == Commit(
        sha=sha, ref="HEAD", branch=None, **_about(address)
    )


def _about(address: str) -> dict[str, str]:
    return {} if "://" in address else {"title": "Change", "author": "Ada"}


async def test_an_unknown_ref_is_named_with_those_that_are_near(
    git: Git, anywhere: tuple[Repository, str]
) -> None:
    repository, address = anywhere
    sha = repository.commit({"a": "1"})
    repository.git("update-ref", "refs/heads/feature/edges", sha)
    repository.git("update-ref", "refs/tags/v1.2.0", sha)

    with pytest.raises(StoppedError) as stopped:
        await git.resolve(address, "feature/edge")

    assert stopped.value.reason.code is Code.REF_UNKNOWN
    assert "`feature/edge`" in stopped.value.reason.fact
    assert "`feature/edges`" in stopped.value.reason.next_step


def test_only_branches_and_tags_are_near() -> None:
    names = ["refs/pull/7/head", "refs/heads/pull-7/head", "refs/tags/pull/8/head^{}"]
    step = ref_unknown("pull/8/head", "acme", names).reason.next_step
    assert step == "Did you mean `pull-7/head`?"


async def test_a_branch_written_with_its_remote_is_near(git: Git, repository: Repository) -> None:
    sha = repository.commit({"a": "1"})
    repository.git("update-ref", "refs/heads/fix", sha)

    with pytest.raises(StoppedError) as stopped:
        await git.resolve(str(repository.path), "origin/fix")

    assert "`fix`" in stopped.value.reason.next_step


async def test_an_empty_repository_has_no_commits(
    git: Git, anywhere: tuple[Repository, str]
) -> None:
    _, address = anywhere

    with pytest.raises(StoppedError, match="no commits yet") as stopped:
        await git.resolve(address, None)

    assert stopped.value.reason.code is Code.REF_UNKNOWN


@pytest.mark.parametrize("ref", ["", "-f", "--all", "a b", "a\nb", "a\0b"])
async def test_what_no_ref_looks_like_is_refused(
    git: Git, anywhere: tuple[Repository, str], ref: str
) -> None:
    repository, address = anywhere
    repository.commit({"a": "1"})

    with pytest.raises(StoppedError) as stopped:
        await git.resolve(address, ref)

    assert stopped.value.reason.code is Code.REF_UNKNOWN


async def test_a_tag_of_something_else_than_a_commit_is_refused(
    git: Git, anywhere: tuple[Repository, str]
) -> None:
    repository, address = anywhere
    repository.commit({"a": "1"})
    tree = repository.git("rev-parse", "main^{tree}").decode().strip()
    repository.git("update-ref", "refs/tags/odd", tree)

    with pytest.raises(StoppedError) as stopped:
        await _resolve_and_fetch(git, address, "odd")

    assert stopped.value.reason.code is Code.REF_UNKNOWN


async def _resolve_and_fetch(git: Git, address: str, ref: str) -> None:
    await git.mirror(address, (await git.resolve(address, ref)).sha)


class TestLocal:
    async def test_a_ref_may_be_relative(self, git: Git, repository: Repository) -> None:
        first = repository.commit({"a": "1"})
        repository.commit({"a": "2"})

        assert (await git.resolve(str(repository.path), "HEAD~1")).sha == first

    @pytest.mark.parametrize("ref", ["main~1", "refs/heads/main~1", "refs/heads/main^"])
    async def test_a_ref_may_be_counted_from(
        self, git: Git, repository: Repository, ref: str
    ) -> None:
        first = repository.commit({"a": "1"})
        repository.commit({"a": "2"})
        assert (await git.resolve(str(repository.path), ref)).sha == first

    async def test_any_folder_of_the_work_tree_will_do(self, git: Git, tmp_path: Path) -> None:
        sha = Repository(tmp_path / "local", bare=False).commit({"src/a": "1"}, "Count to one")

        commit = await git.resolve(str(tmp_path / "local" / "src"), None)

        assert commit == Commit(sha, "HEAD", "main", "Count to one", "Ada")

    async def test_what_is_not_committed_is_named(self, git: Git, tmp_path: Path) -> None:
        repository = Repository(tmp_path / "local", bare=False)
        repository.commit({"kept": "1", "changed": "1", "removed": "1", ".gitignore": "*.pyc\n"})
        (repository.path / "changed").write_text("2")
        (repository.path / "removed").unlink()
        (repository.path / "new ünd 'odd'\n").write_text("3")
        (repository.path / "ignored.pyc").write_text("4")

        changed = await git.uncommitted(str(repository.path))

        assert sorted(changed) == ["changed", "new ünd 'odd'\n", "removed"]

    async def test_a_bare_repository_and_a_url_have_nothing_uncommitted(
        self, git: Git, repository: Repository
    ) -> None:
        repository.commit({"a": "1"})

        assert await git.uncommitted(str(repository.path)) == ()
        assert await git.uncommitted("https://git.acme.io/a") == ()

    async def test_nothing_that_is_configured_is_run(
        self, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repository = Repository(tmp_path / "local", bare=False)
        sha = repository.commit({"a": "1", ".gitattributes": "* filter=evil\n"})
        proof = tmp_path / "proof"
        hook = tmp_path / "hook"
        hook.write_text(f"#!/bin/sh\ntouch {proof}\ncat\n")
        hook.chmod(0o755)
        for key in ("filter.evil.clean", "filter.evil.process", "core.fsmonitor"):
            repository.git("config", key, str(hook))
        repository.git("config", "filter.evil.required", "true")
        repository.git("config", "uploadpack.packObjectsHook", str(hook))
        for name in ("post-checkout", "reference-transaction", "post-index-change"):
            (repository.path / ".git" / "hooks" / name).symlink_to(hook)
        hooks = repository.path / ".git" / "hooks"
        (tmp_path / ".gitconfig").write_text(f"[core]\n\thooksPath = {hooks}\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        (repository.path / "a").write_text("2")
        os.utime(repository.path / ".gitattributes", (1, 1))

        assert await git.uncommitted(str(repository.path)) == ("a",)
        await git.resolve(str(repository.path), None)
        await git.mirror(str(repository.path), sha)

        assert not proof.exists()

    async def test_a_shallow_clone_can_be_deployed(
        self, git: Git, repository: Repository, tmp_path: Path
    ) -> None:
        repository.commit({"a": "1"})
        sha = repository.commit({"a": "2"})
        clone = str(tmp_path / "clone")
        repository.git("clone", "-q", "--depth=1", f"file://{repository.path}", clone)

        mirror = await git.mirror(clone, sha)

        assert await mirror.read(sha, "a") == b"2"

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
    async def test_a_folder_of_another_user_is_explained(
        self, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("SUDO_UID", raising=False)
        repository = Repository(tmp_path / "local", bare=False)
        sha = repository.commit({"a": "1"})
        os.chown(repository.path, 1234, 1234)
        os.chown(repository.path / ".git", 1234, 1234)

        for call in (
            git.resolve(str(repository.path), None),
            git.uncommitted(str(repository.path)),
            git.mirror(str(repository.path), sha),
        ):
            with pytest.raises(StoppedError, match="another user") as stopped:
                await call
            assert "safe.directory" in stopped.value.reason.next_step

    async def test_the_persons_own_safe_directories_are_heard(
        self, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if os.geteuid() != 0:
            pytest.skip("only root can give a folder away")
        home = tmp_path / "home"
        home.mkdir()
        (home / ".gitconfig").write_text("[safe]\n\tdirectory = *\n")
        monkeypatch.setenv("HOME", str(home))
        repository = Repository(tmp_path / "local", bare=False)
        sha = repository.commit({"a": "1"})
        os.chown(repository.path, 1234, 1234)
        os.chown(repository.path / ".git", 1234, 1234)

        assert (await git.resolve(str(repository.path), None)).sha == sha
        assert await (await git.mirror(str(repository.path), sha)).read(sha, "a") == b"1"


@pytest.mark.real
class TestHttp:
    async def test_the_login_is_sent_to_the_server_that_asks(
        self, repository: Repository, tmp_path: Path
    ) -> None:
        sha = repository.commit({"a": "1"})
        with GitServer(repository.path.parent, LOGIN) as server:
            git = Git(tmp_path / "mirrors", find_login=of({server.host: LOGIN}), timeout=30)
            commit = await git.resolve(f"{server.url}/edges.git", "main")
            mirror = await git.mirror(f"{server.url}/edges.git", commit.sha)

        assert commit.sha == sha
        assert await mirror.read(sha, "a") == b"1"

    async def test_a_login_leaves_no_trace_in_the_mirror(
        self, repository: Repository, tmp_path: Path
    ) -> None:
        sha = repository.commit({"a": "1"})
        with GitServer(repository.path.parent, LOGIN) as server:
            git = Git(tmp_path / "mirrors", find_login=of({server.host: LOGIN}), timeout=30)
            await git.mirror(f"{server.url}/edges.git", sha)

        secret = LOGIN.password.get_secret_value().encode()
        files = [path for path in (tmp_path / "mirrors").rglob("*") if path.is_file()]
        assert files
        assert not [path for path in files if secret in path.read_bytes()]

    async def test_a_persons_credential_helper_never_sees_our_login(
        self, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        proof = tmp_path / "proof"
        home = tmp_path / "home"
        home.mkdir()
        (home / ".gitconfig").write_text(f'[credential]\n\thelper = "!cat >>{proof}; true"\n')
        monkeypatch.setenv("HOME", str(home))
        repository.commit({"a": "1"})
        with GitServer(repository.path.parent, LOGIN) as server:
            git = Git(tmp_path / "mirrors", find_login=of({server.host: LOGIN}), timeout=30)
            await git.resolve(f"{server.url}/edges.git", "main")

        assert not proof.exists()

    async def test_a_login_that_is_refused_is_said_without_the_password(
        self, repository: Repository, tmp_path: Path
    ) -> None:
        repository.commit({"a": "1"})
        wrong = Login(LOGIN.username, SecretStr("wrong-password"))
        with GitServer(repository.path.parent, LOGIN) as server:
            git = Git(tmp_path / "mirrors", find_login=of({server.host: wrong}), timeout=30)
            with pytest.raises(StoppedError, match="refused the login") as stopped:
                await git.resolve(f"{server.url}/edges.git", "main")

        assert stopped.value.reason.code is Code.REPOSITORY_UNREADABLE
        assert "wrong-password" not in str(stopped.value)

    async def test_a_login_that_is_missing_is_said_with_its_key(
        self, git: Git, repository: Repository
    ) -> None:
        repository.commit({"a": "1"})
        with GitServer(repository.path.parent, LOGIN) as server:
            with pytest.raises(StoppedError, match="wants a login") as stopped:
                await git.resolve(f"{server.url}/edges.git", "main")
            assert f"`{server.host}`" in stopped.value.reason.next_step

    @pytest.mark.parametrize("redirected", [False, True])
    async def test_how_git_is_asked_for_a_login_is_not_said(
        self, repository: Repository, tmp_path: Path, *, redirected: bool
    ) -> None:
        repository.commit({"a": "1"})
        with (
            GitServer(repository.path.parent, LOGIN) as server,
            GitServer(tmp_path, redirect=server.url) as moved,
        ):
            asked = moved if redirected else server
            logins = {moved.host: LOGIN} if redirected else {}
            git = Git(tmp_path / "mirrors", find_login=of(logins), timeout=30)
            with pytest.raises(StoppedError, match="login") as stopped:
                await git.resolve(f"{asked.url}/edges.git", "main")

        assert not re.search("askpass|prompts|could not read|status", stopped.value.reason.fact)

    async def test_a_redirect_to_another_host_gets_no_login(
        self, repository: Repository, tmp_path: Path
    ) -> None:
        repository.commit({"a": "1"})
        with (
            GitServer(repository.path.parent, LOGIN) as other,
            GitServer(tmp_path, LOGIN, redirect=other.url) as asking,
            GitServer(tmp_path, redirect=other.url) as open_to_all,
        ):
            logins = {asking.host: LOGIN, open_to_all.host: LOGIN}
            git = Git(tmp_path / "mirrors", find_login=of(logins), timeout=30)
            for server in (asking, open_to_all):
                with pytest.raises(StoppedError) as stopped:
                    await git.resolve(f"{server.url}/edges.git", "main")
                assert stopped.value.reason.code is Code.REPOSITORY_UNREADABLE

        assert other.authorizations
        assert set(other.authorizations) == {None}

    async def test_a_redirect_without_logins_is_followed(
        self, git: Git, server: GitServer, repository: Repository, tmp_path: Path
    ) -> None:
        sha = repository.commit({"a": "1"})
        with GitServer(tmp_path, redirect=server.url) as moved:
            assert (await git.resolve(f"{moved.url}/edges.git", "main")).sha == sha

    async def test_a_repository_that_is_not_there_is_said(
        self, git: Git, server: GitServer
    ) -> None:
        with pytest.raises(StoppedError, match="There is no git repository") as stopped:
            await git.resolve(f"{server.url}/nothing.git", None)

        assert stopped.value.reason.code is Code.REPOSITORY_UNREADABLE

    async def test_a_server_that_is_not_there_is_said(
        self, git: Git, repository: Repository
    ) -> None:
        with GitServer(repository.path.parent) as server:
            address = f"{server.url}/edges.git"
        with pytest.raises(StoppedError, match="cannot be reached") as stopped:
            await git.resolve(address, None)

        assert stopped.value.reason.code is Code.REPOSITORY_UNREADABLE

    async def test_a_server_that_never_answers_is_given_up(self, tmp_path: Path) -> None:
        with GitServer(tmp_path, hang=True) as server:
            git = Git(tmp_path / "mirrors", timeout=0.5)
            with pytest.raises(StoppedError, match=r"not read within 0\.5 s") as stopped:
                await git.resolve(f"{server.url}/edges.git", None)

        assert stopped.value.reason.code is Code.REPOSITORY_UNREADABLE


async def test_a_file_url_that_leads_to_no_repository_is_wrong_usage(
    git: Git, tmp_path: Path
) -> None:
    with pytest.raises(StoppedError, match="There is no git repository") as stopped:
        await git.resolve(f"file://{tmp_path}", None)

    assert stopped.value.reason.code is Code.REPOSITORY_UNKNOWN


async def test_a_missing_git_is_said(
    git: Git, repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    for address in (str(repository.path), "https://git.acme.io/a"):
        with pytest.raises(StoppedError, match="not on this machine"):
            await git.resolve(address, None)


async def test_mirrors_that_cannot_be_written_are_said(repository: Repository) -> None:
    sha = repository.commit({"a": "1"})
    git = Git(Path("/dev/null/mirrors"))

    with pytest.raises(StoppedError) as stopped:
        await git.mirror(str(repository.path), sha)

    assert stopped.value.reason.code is Code.DATA_DIR_UNUSABLE
