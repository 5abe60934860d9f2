"""What was pushed with git is put into the emulator by its API, object by object.

The emulator names blobs, trees and commits as git does, so both have the same commits.
"""

import base64
import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from examples.demo.telling import WrongError
from tests.real.git_server import Repository

Post = Callable[[str, object], Awaitable[Any]]
"""A path below the repository's, and what is sent there; the answer."""
_IDENTITY = re.compile(r"(?P<name>.*) <(?P<email>.*)> (?P<seconds>\d+) (?P<zone>[+-]\d{4})")


async def mirror(git: Repository, old: Iterable[str], new: Iterable[str], post: Post) -> None:
    """Put all that the new commits have and the old have not; WrongError where a name differs."""
    without = [f"^{sha}" for sha in old]
    listed = git.git("rev-list", "--objects", "--no-object-names", *new, *without).decode().split()
    kinds = {sha: git.git("cat-file", "-t", sha).decode().strip() for sha in listed}
    # What a thing is made of comes before it: git lists commits and trees from the outside in.
    for kind, place, read in (
        ("blob", "/git/blobs", _blob),
        ("tree", "/git/trees", _tree),
        ("commit", "/git/commits", _commit),
    ):
        for sha in reversed([each for each in listed if kinds[each] == kind]):
            made = await post(place, read(git, sha))
            if made["sha"] != sha:
                msg = f"the emulator calls the {kind} {sha} {made['sha']}"
                raise WrongError(msg)


def _blob(git: Repository, sha: str) -> object:
    content = base64.b64encode(git.git("cat-file", "blob", sha)).decode()
    return {"content": content, "encoding": "base64"}


def _tree(git: Repository, sha: str) -> object:
    entries = []
    for line in filter(None, git.git("ls-tree", "-z", sha).decode().split("\0")):
        about, _, path = line.partition("\t")
        mode, kind, name = about.split()
        entries.append({"path": path, "mode": mode, "type": kind, "sha": name})
    return {"tree": entries}


def _commit(git: Repository, sha: str) -> object:
    head, _, message = git.git("cat-file", "commit", sha).decode().partition("\n\n")
    fields = [line.split(" ", 1) for line in head.splitlines()]
    one = dict(fields)
    return {
        "message": message,
        "tree": one["tree"],
        "parents": [value for name, value in fields if name == "parent"],
        "author": _identity(one["author"]),
        "committer": _identity(one["committer"]),
    }


def _identity(text: str) -> dict[str, str]:
    found = _IDENTITY.fullmatch(text)
    if found is None:
        raise ValueError(text)
    zone = datetime.strptime(found["zone"], "%z").utcoffset() or timedelta()
    date = datetime.fromtimestamp(int(found["seconds"]), UTC).astimezone(timezone(zone))
    return {"name": found["name"], "email": found["email"], "date": date.isoformat()}
