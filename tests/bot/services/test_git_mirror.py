import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.domain.changes import Change, Changes
from bot.domain.reasons import Code, StoppedError
from bot.services.git import Described, Git, Mirror
from bot.services.git import mirror as mirror_module
from tests.real.git_server import Content, Executable, GitServer, Link, Repository, Submodule

ODD_NAMES = ("ünïcode", "new\nline", "tab\t", 'quo"te', "back\\slash", "-dash", " ", "*", "\udcff")


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git(tmp_path / "mirrors", timeout=30)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "served" / "edges.git")


async def _mirror(git: Git, repository: Repository, sha: str) -> Mirror:
    return await git.mirror(str(repository.path), sha)


async def test_a_commit_says_who_made_it_and_when(git: Git, repository: Repository) -> None:
    sha = repository.commit({"a": "1"}, "Zähle\n\nTo one.")
    mirror = await _mirror(git, repository, sha)

    assert await mirror.describe(sha) == Described("Zähle", "Ada", "2026-01-02T03:04:05+00:00")


async def test_one_who_reads_keeps_the_lenders_whole_while_another_commit_is_fetched(
    git: Git, repository: Repository
) -> None:
    """Git reads their file each time it starts: one that is being rewritten lends nothing."""
    mirror = await git.mirror(str(repository.path), repository.commit({"a": "1"}, "First"))
    path = mirror.folder / "objects" / "info" / "alternates"
    with path.open("rb") as before:
        await git.mirror(str(repository.path), repository.commit({"a": "2"}, "Second"))
        with path.open("rb") as after:
            assert os.fstat(before.fileno()).st_ino != os.fstat(after.fileno()).st_ino


async def test_files_are_listed_below_a_folder(git: Git, repository: Repository) -> None:
    link, module = Link("a"), Submodule("1" * 40)
    sha = repository.commit({"a": "1", "src/b": "2", "src/deep/c": link, "src/module": module})
    mirror = await _mirror(git, repository, sha)

    assert await mirror.files(sha) == ("a", "src/b", "src/deep/c")
    assert await mirror.files(sha, "src") == ("b", "deep/c")
    assert await mirror.files(sha, "./src/deep/") == ("c",)
    assert await mirror.submodules(sha) == ("src/module",)
    assert await mirror.submodules(sha, "src") == ("module",)


@pytest.mark.parametrize("folder", ["nothing", "a", "../edges", "out", "a b missing", "x\ny"])
async def test_what_is_no_folder_has_no_files_and_no_tree(
    git: Git, repository: Repository, folder: str
) -> None:
    sha = repository.commit({"a": "1", "src/b": "2", "out": Link("../..")})
    mirror = await _mirror(git, repository, sha)

    assert await mirror.files(sha, folder) == ()
    with pytest.raises(StoppedError) as stopped:
        await mirror.tree(sha, folder)
    assert stopped.value.reason.code is Code.CONTEXT_MISSING


async def test_a_file_is_read_as_it_was_committed(git: Git, repository: Repository) -> None:
    content = b"\0\xff\r\n$Id$\n"
    sha = repository.commit({"src/a b": content, ".gitattributes": "* text ident eol=lf\n"})
    mirror = await _mirror(git, repository, sha)

    assert await mirror.read(sha, "src/a b") == content
    assert await mirror.read(sha, "/src/./a b") == content


@pytest.mark.parametrize(
    "path", ["", ".", "nothing", "src", "module", "src/b/c", "../edges", "blob missing", "a blob x"]
)
async def test_what_is_no_file_is_none(git: Git, repository: Repository, path: str) -> None:
    sha = repository.commit({"src/b": "2", "module": Submodule("1" * 40)})
    mirror = await _mirror(git, repository, sha)

    assert await mirror.read(sha, path) is None


async def test_a_link_is_followed_inside_the_repository_only(
    git: Git, repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    links = {
        "inside": Link("src/../src/b"),
        "outside": Link("../../../../../../../../etc/passwd"),
        "absolute": Link(str(tmp_path / "secret")),
        "loop": Link("loop"),
        "dangling": Link("nothing"),
        "folder": Link("src"),
    }
    sha = repository.commit({"src/b": "2", **links})
    mirror = await _mirror(git, repository, sha)

    read = {name: await mirror.read(sha, name) for name in links}

    assert read == dict.fromkeys(links) | {"inside": b"2"}
    assert await mirror.read(sha, "folder/b") == b"2"


async def test_a_file_too_large_for_memory_is_refused(
    git: Git, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_module, "LARGEST_FILE", 3)
    sha = repository.commit({"small": "123", "large": "1234"})
    mirror = await _mirror(git, repository, sha)

    assert await mirror.read(sha, "small") == b"123"
    with pytest.raises(StoppedError, match="4 bytes"):
        await mirror.read(sha, "large")


@pytest.mark.parametrize("name", ODD_NAMES)
async def test_odd_names_are_files_like_others(git: Git, repository: Repository, name: str) -> None:
    sha = repository.commit({f"src/{name}": "1", "src/other": "2"})
    mirror = await _mirror(git, repository, sha)
    tree = await mirror.tree(sha, "src", without=["other"], put={f"{name}2": b"3"})

    assert name in await mirror.files(sha, "src")
    assert sorted(await mirror.files(tree)) == sorted([name, f"{name}2"])


class TestTree:
    async def test_a_folder_as_it_is_has_the_id_that_git_gave_it(
        self, git: Git, repository: Repository
    ) -> None:
        sha = repository.commit({"a": "1", "src/b": "2"})
        mirror = await _mirror(git, repository, sha)

        assert await mirror.tree(sha, "src") == _id(repository, "main:src")
        assert await mirror.tree(sha, "") == _id(repository, "main^{tree}")

    async def test_files_are_left_out_and_put_in(self, git: Git, repository: Repository) -> None:
        sha = repository.commit({"src/a": "1", "src/b": "2", "src/c/d": "3", "src/c/e": "4"})
        mirror = await _mirror(git, repository, sha)

        tree = await mirror.tree(
            sha, "src", without=["a", "c/d", "unknown"], put={"b": b"new", "x/y": b"more"}
        )

        assert await mirror.files(tree) == ("b", "c/e", "x/y")
        assert await mirror.read(tree, "b") == b"new"
        assert await mirror.read(tree, "x/y") == b"more"

    async def test_modes_links_and_submodules_are_kept(
        self, git: Git, repository: Repository
    ) -> None:
        content: dict[str, Content] = {
            "run": Executable(b"1"),
            "link": Link("run"),
            "module": Submodule("1" * 40),
        }
        sha = repository.commit({**content, "out": "1"})
        repository.commit({"out": None})
        mirror = await _mirror(git, repository, sha)

        assert await mirror.tree(sha, "", without=["out"]) == _id(repository, "main^{tree}")

    async def test_a_link_to_a_folder_is_that_folder(
        self, git: Git, repository: Repository
    ) -> None:
        sha = repository.commit({"src/a": "1", "link": Link("src")})
        mirror = await _mirror(git, repository, sha)

        assert await mirror.tree(sha, "link") == await mirror.tree(sha, "src")
        assert await mirror.files(sha, "link") == ("a",)

    @pytest.mark.parametrize("path", ["", "/a", "../a", "a/./b", ".git/hooks/x", "a/.GIT"])
    async def test_what_git_would_leave_out_is_not_put_in(
        self, git: Git, repository: Repository, path: str
    ) -> None:
        sha = repository.commit({"a": "1"})
        mirror = await _mirror(git, repository, sha)

        with pytest.raises(ValueError, match="cannot be put"):
            await mirror.tree(sha, "", put={path: b""})

    async def test_a_file_may_take_the_place_of_a_folder(
        self, git: Git, repository: Repository
    ) -> None:
        sha = repository.commit({"a/b": "1", "c": "2"})
        mirror = await _mirror(git, repository, sha)

        tree = await mirror.tree(sha, "", put={"a": b"file", "c/d": b"file"})

        assert await mirror.files(tree) == ("a", "c/d")

    async def test_nothing_may_be_left(self, git: Git, repository: Repository) -> None:
        sha = repository.commit({"a": "1"})
        mirror = await _mirror(git, repository, sha)

        assert await mirror.files(await mirror.tree(sha, "", without=["a"])) == ()

    async def test_the_mirrors_own_index_is_not_touched(
        self, git: Git, repository: Repository, tmp_path: Path
    ) -> None:
        sha = repository.commit({"a": "1"})
        mirror = await _mirror(git, repository, sha)
        await mirror.tree(sha, "", put={"b": b"2"})

        assert not [*(tmp_path / "mirrors").rglob("index*")]

    @given(
        files=st.dictionaries(
            st.text("ab/.-~$ *é\\\n", min_size=1, max_size=6).filter(
                lambda path: not {"", ".", ".."} & set(path.split("/"))
            ),
            st.binary(max_size=3),
            min_size=1,
            max_size=5,
        ),
        data=st.data(),
    )
    @example(files={"a": b"", "b/git~1": b""}, data=None)
    @example(files={"a/b": b"", "a": b""}, data=None)
    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    async def test_less_and_more_give_the_tree_of_what_is_left(
        self, git: Git, repository: Repository, files: dict[str, bytes], data: st.DataObject | None
    ) -> None:
        content: dict[str, Content] = {
            path: text
            for path, text in files.items()
            if not any(other.startswith(f"{path}/") for other in files)
        }
        names = sorted(content)
        without = data.draw(st.sets(st.sampled_from(names))) if data else {names[0]}
        put = data.draw(st.dictionaries(st.sampled_from(names), st.binary())) if data else {}
        left = {path: text for path, text in content.items() if path not in without}
        repository.git("update-ref", "-d", "refs/heads/main")
        sha = repository.commit(content)
        mirror = await _mirror(git, repository, sha)

        tree = await mirror.tree(sha, "", without=without, put=put)

        repository.git("update-ref", "-d", "refs/heads/main")
        repository.commit({**left, **put})
        assert tree == _id(repository, "main^{tree}")


def _id(repository: Repository, name: str) -> str:
    return repository.git("rev-parse", name).decode().strip()


class TestFetch:
    async def test_only_the_commit_itself_is_fetched(
        self, git: Git, repository: Repository
    ) -> None:
        first = repository.commit({"a": "1"})
        second = repository.commit({"b": "2"})
        mirror = await git.mirror(f"file://{repository.path}", second)

        assert await mirror.kind(second) == "commit"
        assert await mirror.kind(first) is None

    @pytest.mark.real
    async def test_a_commit_that_is_here_is_not_fetched_again(
        self, git: Git, repository: Repository
    ) -> None:
        sha = repository.commit({"a": "1"})
        with GitServer(repository.path.parent) as server:
            address = f"{server.url}/edges.git"
            await git.mirror(address, sha)
        mirror = await git.mirror(address, sha)

        assert await mirror.read(sha, "a") == b"1"

    async def test_commits_of_one_repository_come_one_after_the_other(
        self, git: Git, repository: Repository
    ) -> None:
        shas = [repository.commit({"a": str(number)}) for number in range(3)]

        for number in (2, 0, 1):
            mirror = await _mirror(git, repository, shas[number])
            assert await mirror.read(shas[number], "a") == str(number).encode()

    @pytest.mark.parametrize("sha", ["main", "abc", "", "-" * 40, "g" * 40])
    async def test_only_a_full_sha_is_fetched(
        self, git: Git, repository: Repository, sha: str
    ) -> None:
        with pytest.raises(StoppedError) as stopped:
            await _mirror(git, repository, sha)

        assert stopped.value.reason.code is Code.REF_UNKNOWN

    async def test_a_commit_that_does_not_exist_is_said(
        self, git: Git, repository: Repository
    ) -> None:
        repository.commit({"a": "1"})

        with pytest.raises(StoppedError, match="has no commit") as stopped:
            await _mirror(git, repository, "1" * 40)

        assert stopped.value.reason.code is Code.REF_UNKNOWN

    async def test_a_tag_object_is_not_taken_for_a_commit(
        self, git: Git, repository: Repository
    ) -> None:
        repository.commit({"a": "1"})
        repository.git("tag", "v1", "-m", "Text", "main")

        for _ in range(2):
            with pytest.raises(StoppedError, match="is a tag") as stopped:
                await _mirror(git, repository, _id(repository, "v1"))
            assert stopped.value.reason.code is Code.REF_UNKNOWN

    @pytest.mark.real
    async def test_a_server_that_serves_branches_only_is_asked_for_those(
        self, git: Git, repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        _speak_protocol_0(monkeypatch, tmp_path)
        old = repository.commit({"a": "1"})
        new = repository.commit({"a": "2"})
        with GitServer(repository.path.parent) as server:
            address = f"{server.url}/edges.git"
            await git.mirror(address, new)
            mirror = await git.mirror(address, old)
            with pytest.raises(StoppedError, match="has no commit"):
                await git.mirror(address, "1" * 40)

        assert await mirror.read(old, "a") == b"1"


def _speak_protocol_0(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As an old server does, which gives no commit by its SHA."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_text("[protocol]\n\tversion = 0\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


async def test_what_came_between_two_commits_is_told_from_the_whole_history(
    git: Git, repository: Repository
) -> None:
    old = repository.commit({"a": "1"}, "One")
    middle = repository.commit({"a": "2"}, "Two (#12)\n\nMore.")
    new = repository.commit({"a": "3"}, "Three")
    # The stages bring a commit without its history.
    await _mirror(git, repository, new)
    changes = await git.changes(str(repository.path), old, new)
    assert changes == Changes(
        old,
        2,
        ("Ada",),
        (Change(new, "Ada", "Three"), Change(middle, "Ada", "Two", 12)),
    )
    cut = await git.changes(str(repository.path), old, new, most=1)
    assert cut is not None
    assert (cut.commits, cut.is_cut, len(cut.listed)) == (1, True, 1)
    assert await git.changes(str(repository.path), "0" * 40, new) is None
    nothing = await git.changes(str(repository.path), new, old)
    assert nothing == Changes(new, 0, (), ())


async def test_a_merge_stands_for_all_that_it_brings(git: Git, repository: Repository) -> None:
    old = repository.commit({"a": "1"}, "One")
    side = repository.commit({"a": "2"}, "On the side")
    tree = f"{side}^{{tree}}"
    message = "Merge pull request #7 from ada/side\n\nSharper edges"
    merge = (
        repository.git("commit-tree", tree, "-p", old, "-p", side, "-m", message).decode().strip()
    )
    repository.git("update-ref", "refs/heads/main", merge)
    changes = await git.changes(str(repository.path), old, merge)
    assert changes is not None
    assert changes.commits == 2
    assert [(each.title, each.pull_request) for each in changes.listed] == [("Sharper edges", 7)]
