"""A person's own repository on this machine: read as they set it up, and never changed."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from bot.domain.deployment import Commit
from bot.domain.reasons import Code, StoppedError
from bot.services.git.address import Address, parse_address
from bot.services.git.process import NO_LAZY_FETCH, GitFailedError, run_git, their_environment
from bot.services.git.refs import HEADS, branch_of, no_commits, ref_unknown

Told = Mapping[tuple[str, str], str]
"""Default branches by the places of their repositories."""

_REMOTES = "refs/remotes/"
_ORIGIN = "origin"
_REMOTE = re.compile(r"(?P<name>\S+)\t(?P<url>.+) \((?:fetch|push)\)")
_BEYOND_NAME = re.compile(r"[~^:]|@\{")
"""Where `git rev-parse` counts from a name."""
_FILTERS = r"^filter\..*\.(clean|process|required)$"


async def resolve(address: Address, wanted: str) -> Commit:
    """The commit that a ref is at, in any way that `git rev-parse` understands.

    Errors: GitFailedError, ref_unknown.
    """
    full = await _full_name(address, wanted)
    is_known = full is not None or await _is_there(address, wanted)
    sha = await _sha(address, full or wanted) if is_known else None
    if sha is None:
        names = await _names(address)
        raise ref_unknown(wanted, address.text, names) if names else no_commits(address.text)
    return await _commit(address, sha, wanted, branch_of(full) if full else None)


async def default_branch(address: Address, told: Told) -> Commit:
    """Where the branch is that others take for the repository's own.

    A clone has that of its origin as it was fetched last, `told` by the origin's place or else by its
    HEAD: what is only here is nobody else's yet. A
    bare repository has its HEAD. In a work tree HEAD is what somebody works on, so that for one of
    which nothing was fetched it is the branch that new repositories begin with, or the only one.
    Errors: GitFailedError; ref_unknown without commits; branch_unclear where it cannot be told.
    """
    if await is_bare(address):
        full = await _of_bare(address)
    elif fetched := await _names(address, _REMOTES):
        full = await _of_origin(address, fetched, told)
    else:
        full = await _of_work_tree(address)
    sha = await _sha(address, full)
    if sha is None:
        raise ref_unknown(full, address.text, ())
    branch = full.removeprefix(HEADS).removeprefix(_REMOTES).removeprefix(f"{_ORIGIN}/")
    return await _commit(address, sha, full, branch)


async def _of_bare(address: Address) -> str:
    """Its HEAD."""
    head = await _line(address, "symbolic-ref", "--quiet", "HEAD")
    if head is None or head not in await _names(address, HEADS):
        await _check_has_commits(address)
        raise _unclear(
            address,
            "its HEAD is no branch that it has",
            "Run `git symbolic-ref HEAD refs/heads/BRANCH` there.",
        )
    return head


async def _of_work_tree(address: Address) -> str:
    """The branch that new repositories begin with; else the only one."""
    heads = await _names(address, HEADS)
    for usual in (await _begins_with(address), "main", "master"):
        if usual and HEADS + usual in heads:
            return HEADS + usual
    if len(heads) != 1:
        await _check_has_commits(address)
        raise _unclear(
            address,
            "nothing was fetched, and of its branches none is main, master or init.defaultBranch",
            "Say which it is with `git config --global init.defaultBranch BRANCH`, or name the"
            " repository by its URL.",
        )
    return next(iter(heads))


async def _check_has_commits(address: Address) -> None:
    if not await _sha(address, "HEAD") and not await _names(address, "refs/"):
        raise no_commits(address.text)


async def _of_origin(address: Address, fetched: frozenset[str], told: Told) -> str:
    """What is told of that remote; else its HEAD; else its only branch, where new ones begin with it."""
    remote = await _remote(address)
    prefix = f"{_REMOTES}{remote}/"
    branches = {each for each in fetched if each.startswith(prefix)} - {f"{prefix}HEAD"}
    head = await _told_of(address, remote, told) or await _line(
        address, "symbolic-ref", "--quiet", f"{prefix}HEAD"
    )
    if head is None and branches == {f"{prefix}{await _begins_with(address)}"}:
        return branches.pop()
    if head not in branches or head is None:
        raise _unclear(
            address,
            f"which branch of {remote} is the default one was not fetched",
            f"There, run `git fetch {remote} +refs/heads/BRANCH:{prefix}BRANCH` and"
            f" `git remote set-head {remote} BRANCH`, or name the repository by its URL.",
        )
    return head


async def _remote(address: Address) -> str:
    """The only one, or the one that is called origin."""
    remotes = [each for each in (await _line(address, "remote") or "").split("\n") if each]
    return remotes[0] if len(remotes) == 1 else _ORIGIN


async def _told_of(address: Address, remote: str, told: Told) -> str | None:
    url = await _line(address, "remote", "get-url", remote) if told else None
    try:
        branch = told.get(parse_address(url, Path(address.text)).place) if url else None
    except StoppedError:
        return None
    return f"{_REMOTES}{remote}/{branch}" if branch else None


async def _names(address: Address, *prefix: str) -> frozenset[str]:
    """All refs whose names begin so."""
    listed = await _git(address, "for-each-ref", "--format=%(refname)", *prefix)
    # A name has no ASCII space, but it may have others.
    return frozenset(name.decode(errors="replace") for name in listed.split())


def _unclear(address: Address, why: str, next_step: str) -> StoppedError:
    fact = f"which branch of {address.text} says who may deploy is not clear: {why}"
    return StoppedError(Code.BRANCH_UNCLEAR, fact, next_step=next_step)


async def _begins_with(address: Address) -> str | None:
    """The branch that new repositories begin with: what this one says of it, anybody may write."""
    for where in ("--global", "--system"):
        if found := await _line(
            address, "config", where, "--includes", "--get", "init.defaultBranch"
        ):
            return found
    return None


async def _commit(address: Address, sha: str, ref: str, branch: str | None) -> Commit:
    about = await _git(address, "log", "-1", "--no-show-signature", "--format=%s%x00%an", sha, "--")
    title, author = about.decode(errors="replace").rstrip("\n").split("\0")
    return Commit(sha=sha, ref=ref, branch=branch, title=title, author=author)


async def cloned_from(address: Address) -> tuple[str, ...]:
    """Where the remote that says its default branch is, to fetch and to push, as git has it."""
    remote = await _remote(address)
    listed = (await _git(address, "remote", "-v")).decode(errors="replace")
    found = (each["url"] for each in _REMOTE.finditer(listed) if each["name"] == remote)
    return tuple(dict.fromkeys(found))


async def uncommitted(address: Address) -> tuple[str, ...]:
    """Paths that differ from HEAD or are untracked, as `git status` names them."""
    if await is_bare(address):
        return ()
    printed = await _git(
        address,
        "status",
        "--porcelain",
        "-z",
        "--no-renames",
        "--ignore-submodules=dirty",
        settings=await _no_filters(address),
    )
    lines = printed.decode(errors="surrogateescape").split("\0")
    return tuple(line[3:] for line in lines if line)


async def is_bare(address: Address) -> bool:
    """Whether nobody works in it."""
    return await _git(address, "rev-parse", "--is-bare-repository") == b"true\n"


async def objects(address: Address) -> str:
    """The folder with the repository's objects. Errors: GitFailedError."""
    path = await _git(address, "rev-parse", "--path-format=absolute", "--git-path", "objects")
    return os.fsdecode(path).removesuffix("\n")


async def _full_name(address: Address, wanted: str) -> str | None:
    """The full name of what is a branch; a branch goes before a tag of the same name."""
    if wanted == "HEAD":
        return await _line(address, "symbolic-ref", "--quiet", "HEAD")
    name = wanted if wanted.startswith("refs/") else HEADS + wanted
    return name if name.startswith(HEADS) and name in await _names(address, name) else None


async def _is_there(address: Address, wanted: str) -> bool:
    """False for a whole name that is none: git would take another that ends so."""
    name = _BEYOND_NAME.split(wanted, maxsplit=1)[0]
    return not name.startswith("refs/") or name in await _names(address, name)


async def _sha(address: Address, name: str) -> str | None:
    return await _line(
        address, "rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}"
    )


async def _no_filters(address: Address) -> dict[str, str]:
    """Settings that switch off every filter: `git status` would run them."""
    names = await _line(address, "config", "--name-only", "--get-regexp", _FILTERS)
    return {
        name: "false" if name.endswith(".required") else "" for name in (names or "").splitlines()
    }


async def _line(address: Address, *arguments: str) -> str | None:
    """What a question prints; None where the answer is no, which git says with status 1."""
    try:
        return (await _git(address, *arguments)).decode().strip("\n") or None
    except GitFailedError as error:
        if error.status == 1 or not _is_trouble(error.stderr):
            return None
        raise


def _is_trouble(stderr: str) -> bool:
    """Whether git says more than that it does not know the name."""
    said = stderr.lower()
    return any(sign in said for sign in ("dubious", "unsafe", "not a git", "corrupt", "permission"))


async def _git(address: Address, *arguments: str, settings: dict[str, str] | None = None) -> bytes:
    environment = their_environment(settings, NO_LAZY_FETCH)
    return await run_git(["-C", address.text, *arguments], environment)
