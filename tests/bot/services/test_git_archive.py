import io
import os
import shutil
import tarfile
import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.services.git import Git, Mirror
from tests.real.git_server import Content, Executable, Link, Repository, Submodule, loose_objects


@pytest.fixture
def git(tmp_path: Path) -> Git:
    return Git(tmp_path / "mirrors", timeout=30)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "edges.git")


async def _open(git: Git, repository: Repository, files: dict[str, Content]) -> tuple[Mirror, str]:
    sha = repository.commit(files)
    mirror = await git.mirror(f"file://{repository.path}", sha)
    return mirror, await mirror.tree(sha, "")


def _read(mirror: Mirror, tree: str) -> bytes:
    with mirror.archive(tree) as stream:
        return stream.read()


def _members(content: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        return {member.name.removeprefix("./"): member for member in archive}


def _text(content: bytes, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        file = archive.extractfile(f"./{name}")
        assert file
        return file.read()


async def test_every_file_is_in_it_with_its_mode(git: Git, repository: Repository) -> None:
    mirror, tree = await _open(
        git,
        repository,
        {"a": "1", "src/run": Executable(b"2"), "link": Link("a"), "module": Submodule("1" * 40)},
    )

    members = _members(_read(mirror, tree))

    assert {name: oct(member.mode) for name, member in members.items()} == {
        ".": "0o755",
        "a": "0o644",
        "src": "0o755",
        "src/run": "0o755",
        "link": "0o777",
        "module": "0o755",
    }
    assert members["link"].linkname == "a"


@pytest.mark.parametrize(
    "attributes",
    [
        {".gitattributes": "* export-ignore export-subst\nsrc export-ignore\nsrc/ export-ignore\n"},
        {"src/.gitattributes": "* export-ignore\n"},
        {".gitattributes": "[attr]hide export-ignore export-subst\n* hide\n"},
        {".gitattributes": "[attr]hide export-ignore\n[attr]more hide\nsrc/** more\n"},
        {".gitattributes": "[attr]export-subst export-ignore\n* export-subst\n"},
        {".gitattributes": "a filter=evil\n", "src/.gitattributes": "* filter=evil\n"},
    ],
    ids=["root", "nested", "macro", "macro of macros", "macro of the same name", "filter"],
)
async def test_no_attribute_leaves_anything_out_or_changes_it(
    git: Git, repository: Repository, attributes: dict[str, Content]
) -> None:
    files: dict[str, Content] = {"a": "$Format:%H$ $Id$\n", "src/b": "$Format:%H$\n"}
    mirror, tree = await _open(git, repository, files | attributes)

    content = _read(mirror, tree)

    assert set(_members(content)) == {".", "src", *files, *attributes}
    assert {name: _text(content, name).decode() for name in files} == files


async def test_no_filter_is_run(git: Git, repository: Repository, tmp_path: Path) -> None:
    mirror, tree = await _open(git, repository, {"a": "1", ".gitattributes": "a filter=evil\n"})
    with (mirror.folder / "config").open("a") as config:
        config.write(f'[filter "evil"]\n\tsmudge = "touch {tmp_path / "proof"}; cat"\n')

    assert _text(_read(mirror, tree), "a") == b"1"
    assert not (tmp_path / "proof").exists()


async def test_a_tree_less_a_file_is_archived_without_it(git: Git, repository: Repository) -> None:
    sha = repository.commit({"a": "1", "secret": "2", ".gitattributes": "* export-ignore\n"})
    mirror = await git.mirror(f"file://{repository.path}", sha)
    tree = await mirror.tree(sha, "", without=["secret"], put={"Dockerfile": b"FROM a\n"})

    content = _read(mirror, tree)

    assert set(_members(content)) == {".", ".gitattributes", "Dockerfile", "a"}
    assert _text(content, "Dockerfile") == b"FROM a\n"


LONG = "a" * 120
PATIENCE = 10.0


@pytest.mark.parametrize(
    "files",
    [
        {"a": "1"},
        {LONG: "1", "b": "2"},
        {f"{LONG}/{LONG}/{LONG}": "1", "b": "2"},
        {"0": Link("x" * 300), "b": "2"},
        {"0ü\n": "1"},
    ],
    ids=["short", "long name", "long path", "long link", "odd name"],
)
async def test_the_first_bytes_are_a_plain_header(
    git: Git, repository: Repository, files: dict[str, Content]
) -> None:
    mirror, tree = await _open(git, repository, files)

    content = _read(mirror, tree)

    first = tarfile.TarInfo.frombuf(content[:512], "utf-8", "strict")
    assert (first.name, first.type) == (".", tarfile.DIRTYPE)
    assert set(files) <= set(_members(content))


async def test_the_same_tree_gives_the_same_bytes(
    git: Git, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: dict[str, Content] = {f"{number}/{LONG}": "x" * number * 9973 for number in range(20)}
    mirror, tree = await _open(git, repository, files)
    first = _read(mirror, tree)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    (tmp_path / ".gitconfig").write_text("[tar]\n\tumask = 0\n[core]\n\tautocrlf = true\n")
    monkeypatch.setenv("HOME", str(tmp_path))

    assert _read(mirror, tree) == first
    assert {_text(first, name).decode() for name in files} == set(files.values())


async def test_dates_are_of_the_tree_and_fit_into_a_zip_file(
    git: Git, repository: Repository
) -> None:
    mirror, one = await _open(git, repository, {"a": "1", "b": "2"})
    mirror, other = await _open(git, repository, {"a": "2"})

    times = [
        {member.mtime for member in _members(_read(mirror, tree)).values()} for tree in (one, other)
    ]

    assert [len(of_tree) for of_tree in times] == [1, 1]
    assert times[0] != times[1]
    assert all(946_684_800 <= mtime < 1_577_836_800 for mtime in times[0] | times[1])


async def test_http_clients_that_iterate_get_large_chunks(git: Git, repository: Repository) -> None:
    mirror, tree = await _open(git, repository, {"a": "\n" * 200_000})

    with mirror.archive(tree) as stream:
        chunks = [*stream]

    assert b"".join(chunks) == _read(mirror, tree)
    assert len(chunks) < 10


async def test_an_archive_that_git_cannot_finish_is_not_taken_for_whole(
    git: Git, repository: Repository, tmp_path: Path
) -> None:
    files: dict[str, Content] = {"a": "x" * 300_000, "b": "y" * 300_000}
    mirror, tree = await _open(git, repository, files)
    _damage_blob(tmp_path / "mirrors", repository.git("rev-parse", "main:b").decode().strip())

    with mirror.archive(tree) as stream, pytest.raises(StoppedError) as stopped:
        shutil.copyfileobj(stream, io.BytesIO())

    assert stopped.value.reason.code is Code.REPOSITORY_UNREADABLE


async def test_a_damaged_mirror_is_made_anew_by_the_next_fetch(
    git: Git, repository: Repository, tmp_path: Path
) -> None:
    sha = repository.commit({"a": "1"})
    mirror = await git.mirror(f"file://{repository.path}", sha)
    tree = await mirror.tree(sha, "")
    _damage_blob(tmp_path / "mirrors", repository.git("rev-parse", "main:a").decode().strip())
    with pytest.raises(StoppedError):
        _read(mirror, tree)

    mirror = await git.mirror(f"file://{repository.path}", sha)

    assert _text(_read(mirror, await mirror.tree(sha, "")), "a") == b"1"


async def test_a_tree_that_does_not_exist_is_an_error(git: Git, repository: Repository) -> None:
    mirror, _ = await _open(git, repository, {"a": "1"})

    with mirror.archive("1" * 40) as stream, pytest.raises(StoppedError):
        stream.read()


def _damage_blob(mirrors: Path, sha: str) -> None:
    loose_objects(next(mirrors.glob("*.git")))
    loose = next(mirrors.glob(f"*/objects/{sha[:2]}/{sha[2:]}"))
    loose.chmod(0o600)
    content = bytearray(loose.read_bytes())
    content[len(content) // 2 :] = b"\0" * (len(content) - len(content) // 2)
    loose.write_bytes(content)


async def test_closing_early_ends_git(git: Git, repository: Repository) -> None:
    mirror, tree = await _open(git, repository, {"a": "x" * 3_000_000})

    with mirror.archive(tree) as stream:
        stream.read(10)
    with pytest.raises(ValueError, match="closed"):
        stream.read(10)

    stream.close()


async def test_closing_from_another_thread_ends_a_read_that_waits(
    git: Git, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror, tree = await _open(git, repository, {"a": "1"})
    reached = _stand_in_for_git(tmp_path, monkeypatch)
    ended: list[BaseException] = []

    def read(stream: BinaryIO) -> None:
        try:
            shutil.copyfileobj(stream, io.BytesIO())
        except ValueError as error:
            ended.append(error)

    with mirror.archive(tree) as stream:
        reader = threading.Thread(target=read, args=(stream,))
        reader.start()
        with reached.open() as pipe:
            pipe.read()
        closer = threading.Thread(target=stream.close)
        closer.start()
        for thread in (closer, reader):
            thread.join(PATIENCE)
            assert not thread.is_alive()

    assert len(ended) == 1


def _stand_in_for_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git that hangs, with a child, after some output; the pipe is written once it does."""
    reached = tmp_path / "reached"
    os.mkfifo(reached)
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "git"
    script.write_text(f"#!/bin/sh\nhead -c 1024 /dev/zero\necho >{reached}\nsleep 60\nexit 0\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return reached
