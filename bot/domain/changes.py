"""What changed between two commits, for people to read."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_SQUASHED = re.compile(r"(?P<title>.*\S)\s*\(#(?P<number>\d{1,9})\)")
_MERGED = re.compile(r"Merge pull request #(?P<number>\d{1,9}) from \S+")


@dataclass(frozen=True)
class Change:
    """A commit, or the pull request that it brought."""

    sha: str
    author: str
    title: str
    pull_request: int | None = None


@dataclass(frozen=True)
class Changes:
    """All that came since an older commit."""

    since: str
    """The SHA of the older commit."""
    commits: int
    authors: tuple[str, ...]
    """Who made most of them first."""
    listed: tuple[Change, ...]
    """What came into the branch, the newest first."""
    is_cut: bool = False
    """Whether there are more than were looked at."""
    name: str = ""
    """What the older commit is called."""


def change(sha: str, author: str, subject: str, body: str) -> Change:
    """A commit as people know it: GitHub writes the pull request's number into its title."""
    if merged := _MERGED.fullmatch(subject):
        lines = [line.strip() for line in body.splitlines() if line.strip()]
        return Change(sha, author, lines[0] if lines else subject, int(merged["number"]))
    if squashed := _SQUASHED.fullmatch(subject):
        return Change(sha, author, squashed["title"], int(squashed["number"]))
    return Change(sha, author, subject)


def by_share(authors: Sequence[str]) -> tuple[str, ...]:
    """Each once, who is there most often first."""
    return tuple(name for name, _ in Counter(authors).most_common())
