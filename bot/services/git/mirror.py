"""Our bare copy of a repository, read without ever being checked out."""

import asyncio
import os
import posixpath
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from bot.domain.changes import Changes, by_share, change
from bot.domain.reasons import Code, StoppedError
from bot.services.git.address import Address
from bot.services.git.archive import Archive
from bot.services.git.errors import git_missing, mirror_error, root_unusable, timed_out
from bot.services.git.process import GitFailedError, our_environment, run_git

LARGEST_FILE = 16 * 1024 * 1024
"""Bytes that `Mirror.read` takes into memory."""

_ATTRIBUTES = "* -export-ignore -export-subst -filter\n"
"""What is deployed is what was committed, whatever .gitattributes says. This file goes before every
.gitattributes, macros included."""

_FILE, _LINK, _SUBMODULE = "100644", "120000", "160000"
_LEFT_BY_KILLED = (
    "*.lock",
    "refs/**/*.lock",
    "objects/*.lock",
    "objects/*/*.lock",
    "objects/pack/tmp_*",
    "objects/pack/*.keep",
)


@dataclass(frozen=True)
class Described:
    """What a commit says of itself."""

    title: str
    author: str
    committed_at: str
    """ISO 8601 with its zone."""


@dataclass(frozen=True)
class _Entry:
    mode: str
    id: str
    path: str


class Mirror:
    """A bare repository of our own; every SHA that `Git.mirror` gave it for is whole in it.

    Symbolic links are followed inside the repository; one that leads out of it leads to nothing.
    Bytes of a path that are not UTF-8 become surrogates, as in `os.fsdecode`. Errors, from every
    method: repository_unreadable, disk_full.
    """

    def __init__(self, folder: Path, address: Address, timeout: float) -> None:
        self.folder = folder
        self._address = address
        self._timeout = timeout

    async def describe(self, sha: str) -> Described:
        """Title, author and time of a commit."""
        printed = await self.git("log", "-1", "--format=%s%x00%an%x00%cI", sha, "--")
        title, author, committed_at = printed.decode(errors="replace").rstrip("\n").split("\0")
        return Described(title, author, committed_at)

    async def changes(self, old: str, new: str, *, most: int) -> Changes:
        """What `new` has and `old` has not. The history of both must be there.

        Listed is what came into the branch of `new`: a merge stands for all that it brought.
        """
        span = f"{old}..{new}"
        every = await self._log(span, f"--max-count={most + 1}", "--format=%an")
        first = await self._log(
            span, "--first-parent", f"--max-count={most}", "--format=%H%x00%an%x00%s%x00%b"
        )
        listed = tuple(change(*first[at : at + 4]) for at in range(0, len(first) - 3, 4))
        authors = by_share(every[:most])
        return Changes(old, min(len(every), most), authors, listed, is_cut=len(every) > most)

    async def _log(self, span: str, *options: str) -> list[str]:
        printed = (await self.git("log", "-z", *options, span, "--")).decode(errors="replace")
        return printed.removesuffix("\0").split("\0") if printed else []

    async def files(self, sha: str, folder: str = "") -> tuple[str, ...]:
        """Paths of all files and symbolic links below a folder, relative to it; () without one."""
        entries = await self._entries(sha, folder)
        return tuple(entry.path for entry in entries if entry.mode != _SUBMODULE)

    async def submodules(self, sha: str, folder: str = "") -> tuple[str, ...]:
        """Paths of the submodules below a folder; their content is never fetched."""
        entries = await self._entries(sha, folder)
        return tuple(entry.path for entry in entries if entry.mode == _SUBMODULE)

    async def read(self, sha: str, path: str) -> bytes | None:
        """A file's content; None where there is no file."""
        clean = _clean(path)
        if not clean:
            return None
        kind, name, size = await self._look_up(sha, clean)
        if kind != "blob":
            return None
        if size > LARGEST_FILE:
            raise StoppedError(
                Code.REPOSITORY_UNREADABLE,
                f"{path} has {size:,} bytes; pachops reads up to {LARGEST_FILE:,}",
                next_step="Make the file smaller.",
            )
        return await self.git("cat-file", "blob", name)

    async def names_at_root(self, sha: str) -> frozenset[str]:
        """Of all files, folders and links, be they links that lead nowhere."""
        printed = await self.git("ls-tree", "-z", "--name-only", sha)
        return frozenset(printed.decode(errors="surrogateescape").split("\0"))

    async def tree(
        self,
        sha: str,
        folder: str,
        *,
        without: Collection[str] = (),
        put: Mapping[str, bytes] | None = None,
    ) -> str:
        """The id of a git tree: a folder, less the files `without`, with the files `put`.

        The id is the content's hash. Paths are relative to the folder. Nothing is unpacked: only
        an index is made, in a place of its own. Errors: also context_missing.
        """
        base = await self._folder_id(sha, folder)
        if not without and not put:
            return base
        _check_paths(put or {})
        removed = (_index_line("0", "0" * 40, path) for path in without)
        added = [
            _index_line(_FILE, await self._store(content), path)
            for path, content in (put or {}).items()
        ]
        with self._scratch() as scratch:
            index = {"GIT_INDEX_FILE": str(Path(scratch) / "index")}
            await self.git("read-tree", base, extra=index)
            changes = b"".join(chain(removed, added))
            await self.git("update-index", "-z", "--index-info", stdin=changes, extra=index)
            return (await self.git("write-tree", extra=index)).decode().strip()

    @contextmanager
    def _scratch(self) -> Iterator[str]:
        try:
            with tempfile.TemporaryDirectory(prefix="index-", dir=self.folder) as scratch:
                yield scratch
        except OSError as error:
            raise root_unusable(error, self.folder) from error

    def archive(self, tree: str) -> AbstractContextManager[BinaryIO]:
        """A tree as a tar stream. It may be read, and closed, from any thread.

        Closing stops git and ends a read that waits, with ValueError. A read never reports the
        end of an archive that git did not finish: it raises.
        """
        try:
            stream = Archive(str(self.folder), tree, self._broken)
        except FileNotFoundError as error:
            raise git_missing() from error
        return cast("AbstractContextManager[BinaryIO]", stream)

    async def git(
        self, *arguments: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> bytes:
        """Run git on this mirror. Errors as above."""
        try:
            return await self.try_git(*arguments, stdin=stdin, extra=extra)
        except GitFailedError as error:
            raise self._broken(error) from error

    async def try_git(
        self, *arguments: str, stdin: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> bytes:
        """Run git on this mirror. Errors: GitFailedError, and as above where git cannot be run."""
        command = [f"--git-dir={self.folder}", *arguments]
        try:
            async with asyncio.timeout(self._timeout):
                return await run_git(command, our_environment(extra), stdin=stdin)
        except TimeoutError as error:
            raise timed_out(self._address, self._timeout) from error
        except FileNotFoundError as error:
            raise git_missing() from error

    async def has(self, sha: str) -> bool:
        """Whether a commit was fetched and all of its trees and files are there."""
        return not self._mark.exists() and await self._succeeds(
            "rev-list", "--objects", "--no-walk", "--quiet", keeper(sha)
        )

    async def prepare(self) -> None:
        """Make the mirror if it is not there or is not a repository, and tidy after a killed git.

        Only while the lock of the mirror is held.
        """
        for pattern in _LEFT_BY_KILLED:
            for path in self.folder.glob(pattern):
                path.unlink(missing_ok=True)
        if self._mark.exists() or not await self._succeeds("for-each-ref", "--count=1"):
            await self.make_anew()

    async def make_anew(self) -> None:
        """Throw the mirror away and begin with an empty one. Only while the lock is held."""
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o700, parents=True)
        await self.git("init", "--quiet", "--bare", "--template=", "--initial-branch=none")
        info = self.folder / "info"
        info.mkdir(exist_ok=True)
        (info / "attributes").write_text(_ATTRIBUTES)

    def borrow(self, objects: str) -> None:
        """Read the objects of a repository on this machine where they are, instead of a copy."""
        lenders = self.folder / "objects" / "info" / "alternates"
        # Others read this mirror meanwhile: to them a file that is being written lends nothing.
        unfinished = lenders.with_name("alternates.new")
        unfinished.write_bytes(os.fsencode(f"{objects}\n"))
        unfinished.replace(lenders)

    async def contains(self, sha: str) -> bool:
        """Whether this very object is there, by whatever way it came."""
        return await self._succeeds("cat-file", "-e", sha)

    async def kind(self, sha: str) -> str | None:
        """`commit`, `tag`, `tree` or `blob`; None where it is not there."""
        return await self._line("cat-file", "-t", sha)

    async def lengthen(self, short: str) -> str | None:
        """The full SHA of the only commit that begins like this."""
        return await self._line("rev-parse", "--quiet", "--verify", f"{short}^{{commit}}")

    @property
    def shallow(self) -> bool:
        """Whether some history is missing."""
        return (self.folder / "shallow").exists()

    @property
    def _mark(self) -> Path:
        """Says that git failed in here, so that the next fetch begins with an empty mirror."""
        return self.folder / "pachops-broken"

    def _broken(self, error: GitFailedError) -> StoppedError:
        stopped = mirror_error(error, self._address)
        if stopped.reason.code is not Code.DISK_FULL and self.folder.is_dir():
            self._mark.touch()
        return stopped

    async def _succeeds(self, *arguments: str) -> bool:
        return await self._line(*arguments) is not None

    async def _line(self, *arguments: str) -> str | None:
        try:
            return (await self.try_git(*arguments)).decode().strip()
        except GitFailedError:
            return None

    async def _store(self, content: bytes) -> str:
        return (await self.git("hash-object", "-w", "--stdin", stdin=content)).decode().strip()

    async def _entries(self, sha: str, folder: str) -> Sequence[_Entry]:
        tree = await self._find_folder(sha, folder)
        if tree is None:
            return ()
        printed = (await self.git("ls-tree", "-r", "-z", tree)).split(b"\0")
        return [_entry(line) for line in printed if line]

    async def _folder_id(self, sha: str, folder: str) -> str:
        tree = await self._find_folder(sha, folder)
        if tree is None:
            raise StoppedError(
                Code.CONTEXT_MISSING, f"`{folder}` is not a folder at commit {sha[:12]}"
            )
        return tree

    async def _find_folder(self, sha: str, folder: str) -> str | None:
        clean = _clean(folder)
        if clean is None:
            return None
        kind, name, _ = await self._look_up(sha, clean)
        return name if kind == "tree" else None

    async def _look_up(self, sha: str, path: str) -> tuple[str, str, int]:
        """Kind, id and size of what is at a path; an empty kind where nothing is."""
        if "\n" in path:
            return "", "", 0
        name = f"{sha}:{path}" if path else f"{sha}^{{tree}}"
        asked = f"{name}\n".encode(errors="surrogateescape")
        look = "--batch-check=%(objecttype) %(objectname) %(objectsize)"
        printed = await self.git("cat-file", look, "--follow-symlinks", stdin=asked)
        kind, _, rest = printed.decode(errors="surrogateescape").split("\n")[0].partition(" ")
        if kind not in {"blob", "tree"}:
            # A commit that is gone has no files either: that must not pass for a missing file.
            await self.git("cat-file", "-e", f"{sha}^{{tree}}")
            return "", "", 0
        found, _, size = rest.partition(" ")
        return kind, found, int(size)


def keeper(sha: str) -> str:
    """The ref that keeps a fetched commit."""
    return f"refs/pachops/{sha}"


def _clean(path: str) -> str | None:
    """A path from the repository's root, `` for the root; None for one that leaves it."""
    clean = posixpath.normpath(path.lstrip("/") or ".")
    if clean == ".." or clean.startswith("../"):
        return None
    return "" if clean == "." else clean


def _check_paths(paths: Iterable[str]) -> None:
    """Git leaves out a path that it does not like, and says nothing that can be acted on."""
    for path in paths:
        if {"", ".", "..", ".git"} & set(path.lower().split("/")):
            msg = f"{path!r} cannot be put into a tree"
            raise ValueError(msg)


def _entry(line: bytes) -> _Entry:
    about, _, path = line.partition(b"\t")
    mode, _, name = about.decode().split(" ")
    return _Entry(mode, name, path.decode(errors="surrogateescape"))


def _index_line(mode: str, name: str, path: str) -> bytes:
    return f"{mode} {name}\t{path}\0".encode(errors="surrogateescape")
