"""Commits: which one a person means, and how it gets here."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from bot.domain.changes import Changes
from bot.domain.deployment import Commit
from bot.domain.reasons import Code, StoppedError
from bot.services.git import errors, local
from bot.services.git.address import Address, parse_address
from bot.services.git.askpass import Askpass, settings_with_login
from bot.services.git.errors import Failure
from bot.services.git.lock import locked
from bot.services.git.mirror import Mirror, keeper
from bot.services.git.process import (
    NO_LAZY_FETCH,
    GitFailedError,
    run_git_guarded,
    their_environment,
)
from bot.services.git.refs import (
    FULL_SHA,
    SHORT_SHA,
    Refs,
    check_ref,
    no_commits,
    not_own,
    ref_unknown,
)
from bot.services.logins import Login

_NETWORK = {
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
    "fetch.unpackLimit": "1",
}
"""A server that sends less than 1,000 bytes a second for a minute is given up. What comes is kept
as a pack, which is there whole or not at all."""

_UPLOAD_PACK = " ".join(
    ["env", *(f"{name}={value}" for name, value in NO_LAZY_FETCH.items()), "git-upload-pack"]
)
"""What reads a repository on this machine for a fetch: git itself may use files, it may not."""

_LOCK = ".lock"
MOST_CHANGES = 500
"""Commits that are looked at between two."""

_ALL_HISTORY = "--depth=2147483647"


class FindLogin(Protocol):
    """Finds the login with which a repository is read."""

    async def __call__(self, address: Address, *, refused: Login | None = None) -> Login | None:
        """The login; None for none. `refused` is one that its host did not take: give another."""


async def no_login(address: Address, *, refused: Login | None = None) -> Login | None:  # noqa: ARG001 - a FindLogin
    """Reads what everybody may read."""
    return None


class Git:
    """Repositories, local or over the network, and our bare mirrors of them.

    `root` is the folder of the mirrors. `find_login` is asked before git goes over the network, and
    once more where the host refused what it gave. `timeout` in seconds is for each method. A
    person's own git config (proxies, certificates, safe.directory) is heard for the network and for
    local repositories, never for the mirrors. Errors, from every method: repository_unknown,
    repository_unreadable, login_in_url, disk_full, data_dir_unusable, and those of `find_login`.
    """

    def __init__(
        self, root: Path, *, find_login: FindLogin = no_login, timeout: float = 600.0
    ) -> None:
        self._root = root.absolute()
        self._find_login = find_login
        self._timeout = timeout
        self._told: dict[tuple[str, str], str] = {}

    def tell_default(self, url: str, branch: str) -> None:
        """Which branch is the default one of a repository elsewhere: what counts in clones of it."""
        self._told[_address(url).place] = branch

    async def ready(self) -> None:
        """See that mirrors can be kept. Errors: data_dir_unusable."""
        try:
            await asyncio.to_thread(_try_out, self._root)
        except OSError as error:
            # A full disk is told of by what needs it; meanwhile what nobody uses is removed.
            if not errors.is_full(error):
                raise errors.root_unusable(error, self._root) from error

    async def resolve(self, repository: str, ref: str | None, *, own: bool = False) -> Commit:
        """The commit that a ref is at now; None is HEAD. Errors: also ref_unknown.

        With `own`, fork_not_allowed of what is neither branch nor tag of a URL.
        A full SHA is taken as it is: `mirror` finds out whether it exists. Title and author are
        only filled for a local repository; `Mirror.describe` has them for all.
        """
        wanted = "HEAD" if ref is None else ref
        check_ref(wanted)
        address = _address(repository)
        async with self._reading(address):
            if address.is_local:
                return await local.resolve(address, wanted)
            if FULL_SHA.fullmatch(wanted):
                return Commit(sha=wanted.lower(), ref=wanted)
            return await self._resolve_remote(address, wanted, own=own)

    async def default_branch(self, repository: str) -> Commit:
        """The newest commit of the default branch. Errors: also ref_unknown, branch_unclear."""
        address = _address(repository)
        if address.scheme == "file":
            # The HEAD of a work tree is what somebody works on, whichever way leads there.
            address = await self._work_tree(address) or address
        if not address.is_local:
            return await self.resolve(repository, None)
        async with self._reading(address):
            return await local.default_branch(address, self._told)

    async def cloned_from(self, repository: str) -> tuple[str, ...]:
        """The URLs of what a repository on this machine is a clone of; () for one elsewhere."""
        address = _address(repository)
        if address.scheme == "file":
            address = _folder(address) or address
        if not address.is_local:
            return ()
        async with self._reading(address):
            return await local.cloned_from(address)

    async def _work_tree(self, address: Address) -> Address | None:
        """The folder of a `file://` URL, where it is one that somebody works in."""
        here = _folder(address)
        if here is None:
            return None
        async with self._reading(address):
            return None if await local.is_bare(here) else here

    async def has(self, repository: str, sha: str) -> bool:
        """Whether we have a copy of this commit; nobody else is asked."""
        address = _address(repository)
        async with self._reading(address):
            return await self._mirror(address).has(sha)

    async def uncommitted(self, repository: str) -> tuple[str, ...]:
        """Paths that are changed or untracked in a local work tree; () for a URL."""
        address = _address(repository)
        if not address.is_local:
            return ()
        async with self._reading(address):
            return await local.uncommitted(address)

    async def mirror(self, repository: str, sha: str) -> Mirror:
        """The mirror, with this commit in it; it is fetched if it is not. Errors: also ref_unknown.

        The commit comes alone, without its history, where the server lets it.
        """
        if not FULL_SHA.fullmatch(sha):
            raise StoppedError(Code.REF_UNKNOWN, f"`{sha[:200]}` is not a full commit SHA")
        sha = sha.lower()
        address = _address(repository)
        async with self._reading(address):
            self._lock(address).touch(mode=0o600)
            mirror = self._mirror(address)
            if await mirror.has(sha):
                return mirror
            async with self._alone(address, mirror):
                await self._bring(address, mirror, sha)
        return mirror

    async def forget_unused(self, before: float) -> int:
        """Remove the mirrors that were not used since then; how many.

        Args:
            before: seconds since the epoch.
        """
        removed = 0
        for lock in self._root.glob(f"*{_LOCK}"):
            folder = lock.with_name(lock.name.removesuffix(_LOCK))
            if lock.stat().st_mtime >= before or not folder.is_dir():
                continue
            async with locked(lock):
                # Somebody may have waited for the lock, or had it.
                if lock.stat().st_mtime < before:
                    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
                    removed += 1
        return removed

    async def changes(
        self, repository: str, old: str, new: str, *, most: int = MOST_CHANGES
    ) -> Changes | None:
        """What came between two commits; None where the server has one of them no more.

        The first time it brings the whole history, which the stages do without.
        """
        address = _address(repository)
        async with self._reading(address):
            mirror = self._mirror(address)
            async with self._alone(address, mirror):
                if mirror.shallow or not (
                    await mirror.contains(old) and await mirror.contains(new)
                ):
                    await self._fetch_history(address, mirror)
            if not (await mirror.contains(old) and await mirror.contains(new)):
                return None
            return await mirror.changes(old, new, most=most)

    async def _bring(self, address: Address, mirror: Mirror, sha: str) -> None:
        """Fetch a commit; a mirror in which git then still fails is made anew, once.

        A repository on this machine lends its objects at first, which takes no time at any size.
        """
        if await mirror.has(sha):
            return
        for first in (True, False):
            if first and address.is_local:
                mirror.borrow(await local.objects(address))
            try:
                await self._fetch_commit(address, mirror, sha)
            except GitFailedError as error:
                if not first or errors.classify(error) is not Failure.OTHER:
                    raise
            else:
                await self._check_is_commit(address, mirror, sha)
                if await mirror.has(sha):
                    return
            if first:
                await mirror.make_anew()
        raise StoppedError(
            Code.REPOSITORY_UNREADABLE,
            f"{address.text} was fetched, and parts of commit {sha[:12]} are missing",
            next_step="Run `git fsck` on the repository: it may be damaged.",
        )

    async def _fetch_commit(self, address: Address, mirror: Mirror, sha: str) -> None:
        try:
            await self._fetch(address, mirror, "--depth=1", f"+{sha}:{keeper(sha)}")
        except GitFailedError as error:
            failure = errors.classify(error)
            if failure is Failure.REF_MISSING:
                raise _no_such_commit(address, sha) from error
            if failure is not Failure.SHA_NOT_SERVED:
                raise
            await self._fetch_history(address, mirror)
            if not await mirror.contains(sha):
                raise _no_such_commit(address, sha) from error
            await mirror.git("update-ref", keeper(sha), sha)

    async def _check_is_commit(self, address: Address, mirror: Mirror, sha: str) -> None:
        kind = await mirror.kind(sha)
        if kind in {None, "commit"}:
            return
        await mirror.git("update-ref", "-d", keeper(sha))
        raise StoppedError(Code.REF_UNKNOWN, f"{sha} of {address.text} is a {kind}, not a commit")

    async def _resolve_remote(self, address: Address, wanted: str, *, own: bool) -> Commit:
        printed = await self._network(
            address, "ls-remote", "--symref", *_upload_pack(address), "--", address.text
        )
        refs = Refs.parse(printed.decode(errors="replace"))
        if not refs.shas:
            raise no_commits(address.text)
        if found := refs.find(wanted):
            if own and not refs.is_own(wanted):
                raise not_own(found, address.text)
            return found
        if SHORT_SHA.fullmatch(wanted) and (sha := await self._lengthen(address, wanted)):
            return Commit(sha=sha, ref=wanted)
        raise await asyncio.to_thread(ref_unknown, wanted, address.text, refs.shas)

    async def _lengthen(self, address: Address, short: str) -> str | None:
        """The full SHA of a short one: only the whole history can tell that it is the only one."""
        mirror = self._mirror(address)
        async with self._alone(address, mirror):
            await self._fetch_history(address, mirror)
            return await mirror.lengthen(short)

    async def _fetch_history(self, address: Address, mirror: Mirror) -> None:
        depth = [_ALL_HISTORY] if mirror.shallow else []
        wanted = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
        await self._fetch(address, mirror, "--prune", *depth, *wanted)

    async def _fetch(self, address: Address, mirror: Mirror, *what: str) -> None:
        options = [word for word in what if word.startswith("--")]
        refspecs = [word for word in what if not word.startswith("--")]
        await self._network(
            address,
            f"--git-dir={mirror.folder}",
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            *_upload_pack(address),
            *options,
            "--",
            address.text,
            *refspecs,
        )

    async def _network(self, address: Address, *arguments: str) -> bytes:
        login = await self._find_login(address)
        try:
            return await self._network_as(login, address, arguments)
        except GitFailedError as error:
            another = await self._another_login(address, login, error)
            if another is None:
                raise
        return await self._network_as(another, address, arguments)

    async def _network_as(
        self, login: Login | None, address: Address, arguments: Sequence[str]
    ) -> bytes:
        settings = _NETWORK | (settings_with_login() if login else {})
        askpass = Askpass.write(self._root).environment(address, login)
        try:
            return await run_git_guarded(arguments, their_environment(settings, askpass))
        except GitFailedError as error:
            error.login = login
            raise

    async def _another_login(
        self, address: Address, login: Login | None, error: GitFailedError
    ) -> Login | None:
        """For a login that was good and is not any more, such as a token that was taken back."""
        if login is None or errors.classify(error) is not errors.Failure.LOGIN:
            return None
        return await self._find_login(address, refused=login)

    def _mirror(self, address: Address) -> Mirror:
        return Mirror(self._root / address.folder_name, address, self._timeout)

    def _lock(self, address: Address) -> Path:
        """Its time of change is when the mirror was last used."""
        return self._root / f"{address.folder_name}{_LOCK}"

    @asynccontextmanager
    async def _alone(self, address: Address, mirror: Mirror) -> AsyncIterator[None]:
        async with locked(self._lock(address)):
            await mirror.prepare()
            yield

    @asynccontextmanager
    async def _reading(self, address: Address) -> AsyncIterator[None]:
        """The border: time is limited, and what git says becomes a reason."""
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            async with asyncio.timeout(self._timeout):
                yield
        except TimeoutError as error:
            raise errors.timed_out(address, self._timeout) from error
        except GitFailedError as error:
            raise errors.repository_error(error, address) from error
        except FileNotFoundError as error:
            raise errors.git_missing() from error
        except OSError as error:
            raise errors.root_unusable(error, self._root) from error


def _try_out(root: Path) -> None:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=root):
        pass


def _address(repository: str) -> Address:
    return parse_address(repository, Path.cwd())


def _folder(address: Address) -> Address | None:
    """Of a `file://` URL; None where git would look for it with `.git` behind its name."""
    folder = Path(unquote(urlsplit(address.text).path)).resolve()
    return Address(str(folder)) if folder.exists() else None


def _upload_pack(address: Address) -> list[str]:
    is_here = address.is_local or address.scheme == "file"
    return [f"--upload-pack={_UPLOAD_PACK}"] if is_here else []


def _no_such_commit(address: Address, sha: str) -> StoppedError:
    return StoppedError(Code.REF_UNKNOWN, f"{address.text} has no commit {sha}")
