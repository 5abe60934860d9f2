"""The branches and tags of a repository, and what a person means by a name."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.domain.deployment import Commit
from bot.domain.reasons import Code, StoppedError

HEADS = "refs/heads/"
TAGS = "refs/tags/"
FULL_SHA = re.compile(r"[0-9a-fA-F]{40}")
SHORT_SHA = re.compile(r"[0-9a-fA-F]{4,39}")

_MOST_COMPARED = 2000
"""Names: to compare more with what was typed takes seconds."""
_SHORTENED = re.compile(r"refs/(heads|tags|remotes)/")


@dataclass(frozen=True)
class Refs:
    """What a repository advertises."""

    shas: Mapping[str, str]
    """Full ref name -> SHA; a tag's object has its commit under `refs/tags/NAME^{}`."""
    head: str | None
    """The ref that HEAD names; None where HEAD is detached or absent."""

    @classmethod
    def parse(cls, printed: str) -> "Refs":
        """Read what `git ls-remote --symref` prints."""
        shas: dict[str, str] = {}
        head = None
        for line in printed.split("\n"):
            # A name may have what Python takes for the end of a line.
            value, _, name = line.partition("\t")
            if not name:
                continue
            if not value.startswith("ref: "):
                shas[name] = value
            elif name == "HEAD":
                head = value.removeprefix("ref: ")
        return cls(shas, head)

    def find(self, ref: str) -> Commit | None:
        """The commit that a branch, tag, full ref or `HEAD` is at; a branch goes before a tag."""
        if ref == "HEAD":
            return self._head()
        name = self._name(ref)
        sha = self._sha(name) if name else None
        return Commit(sha=sha, ref=ref, branch=branch_of(name)) if name and sha else None

    def is_own(self, ref: str) -> bool:
        """Whether it is a branch or a tag; what else a host has may be a fork's."""
        return ref == "HEAD" or (self._name(ref) or "").startswith((HEADS, TAGS))

    def _name(self, ref: str) -> str | None:
        if ref.startswith("refs/"):
            # Else a branch of that name would take the place of what is meant.
            return ref if self._sha(ref) else None
        names = (HEADS + ref, TAGS + ref, f"refs/{ref}")
        return next((each for each in names if self._sha(each)), None)

    def _sha(self, name: str) -> str | None:
        return self.shas.get(name + "^{}") or self.shas.get(name)

    def _head(self) -> Commit | None:
        sha = self.shas.get("HEAD")
        branch = branch_of(self.head) if self.head else None
        return Commit(sha=sha, ref="HEAD", branch=branch) if sha else None


def branch_of(name: str) -> str | None:
    """The branch's name of a full ref name; None where it is not a branch."""
    return name.removeprefix(HEADS) if name.startswith(HEADS) else None


def check_ref(ref: str) -> None:
    """Refuse what no ref can look like and git could take for something else."""
    if not ref or ref.startswith("-") or re.search(r"[\s\x00-\x1f\x7f]", ref):
        raise StoppedError(Code.REF_UNKNOWN, f"{ref[:200]!r} is not the name of a branch or tag")


def ref_unknown(ref: str, where: str, names: Iterable[str]) -> StoppedError:
    """No such ref; names of branches and tags that are near to it are said."""
    near = _near(ref, names)
    if not near:
        return StoppedError(Code.REF_UNKNOWN, f"{where} has no branch, tag or commit `{ref}`")
    return StoppedError(
        Code.REF_UNKNOWN,
        f"{where} has no branch, tag or commit `{ref}`",
        next_step=f"Did you mean {' or '.join(f'`{name}`' for name in near)}?",
    )


def not_own(found: Commit, where: str) -> StoppedError:
    """A ref that may be of a fork."""
    return StoppedError(
        Code.FORK_NOT_ALLOWED,
        f"`{found.ref}` of {where} is neither a branch nor a tag, and may be a fork's",
        next_step=f"Look at the commit, then name it by its whole SHA, {found.sha}; or push it to a"
        " branch of the repository and name that.",
    )


def no_commits(where: str) -> StoppedError:
    """A repository that is empty."""
    return StoppedError(
        Code.REF_UNKNOWN, f"{where} has no commits yet", next_step="Commit and push something."
    )


def _near(ref: str, names: Iterable[str]) -> list[str]:
    short = {
        _SHORTENED.sub("", name)
        for name in names
        if _SHORTENED.match(name) and not name.endswith("^{}")
    }
    wanted = _SHORTENED.sub("", ref)
    few = sorted(short) if len(short) <= _MOST_COMPARED else ()
    close = difflib.get_close_matches(wanted, few, n=3, cutoff=0.6)
    same_end = sorted(
        name for name in short if name.endswith("/" + wanted) or wanted.endswith("/" + name)
    )
    return list(dict.fromkeys([*same_end, *close]))[:3]
