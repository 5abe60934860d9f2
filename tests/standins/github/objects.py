"""A repository's git, asked as GitHub asks it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.real.git_server import Repository

ZERO = "0" * 40


@dataclass(frozen=True)
class Compared:
    """A commit seen from another."""

    base: str
    head: str
    merge_base: str
    ahead: int
    behind: int

    @property
    def status(self) -> str:
        """GitHub's word for it."""
        if self.ahead and self.behind:
            return "diverged"
        if self.ahead:
            return "ahead"
        return "behind" if self.behind else "identical"


def resolve(git: Repository, name: str) -> str | None:
    """The commit of a branch, tag or SHA, also of one that only a fork has; None if there is none."""
    candidates = (f"refs/heads/{name}", f"refs/tags/{name}", name)
    return next((sha for each in candidates if (sha := _commit(git, each))), None)


def branch(git: Repository, name: str) -> str | None:
    """Where a branch stands; None if there is none."""
    return _commit(git, f"refs/heads/{name}")


def refs(git: Repository, beginning: str) -> list[tuple[str, str]]:
    """All whose full names begin so, and where they stand."""
    listed = git.git("for-each-ref", "--format=%(refname) %(objectname)").decode().splitlines()
    found = (each.partition(" ") for each in listed if each.startswith(beginning))
    return [(name, sha) for name, _, sha in found]


def compare(git: Repository, base: str, head: str) -> Compared | None:
    """Two commits; None where they have nothing in common."""
    ancestor = _try(git, "merge-base", base, head)
    if ancestor is None:
        return None
    counts = git.git("rev-list", "--left-right", "--count", f"{base}...{head}").split()
    return Compared(base, head, ancestor.decode().strip(), int(counts[1]), int(counts[0]))


def between(git: Repository, base: str, head: str) -> list[str]:
    """The commits of `head` that `base` has not, oldest first."""
    return git.git("rev-list", "--reverse", f"{base}..{head}").decode().split()


def message(git: Repository, sha: str) -> str:
    """A commit's message."""
    return git.git("log", "-1", "--format=%B", sha).decode().strip()


def kind(git: Repository, sha: str, path: str) -> str | None:
    """`blob`, `tree`, `link` or `commit`; None where nothing is there."""
    line = git.git("ls-tree", sha, "--", path).decode() if path else "040000 tree"
    if not line:
        return None
    mode, found = line.split()[:2]
    return "link" if mode == "120000" else found


def entry(git: Repository, sha: str, path: str) -> tuple[int, str] | None:
    """The mode and the type of what is at a path; a link is a blob here."""
    line = git.git("ls-tree", sha, "--", path).decode()
    if not line:
        return None
    mode, found = line.split()[:2]
    return int(mode, 8), found


def content(git: Repository, sha: str, path: str) -> bytes:
    """A file's content."""
    return git.git("cat-file", "blob", f"{sha}:{path}")


def names(git: Repository, sha: str, path: str) -> list[str]:
    """What is in a folder."""
    where = f"{path.rstrip('/')}/" if path else "."
    listed = git.git("ls-tree", "--name-only", "-z", sha, "--", where)
    return [each.decode() for each in listed.split(b"\0") if each]


def move(git: Repository, ref: str, sha: str | None) -> None:
    """Let a ref stand at a commit, or take it away."""
    if sha is None:
        git.git("update-ref", "-d", ref)
    else:
        git.git("update-ref", ref, sha)


def share(one: Repository, other: Repository) -> None:
    """Let a repository find the other's commits, as GitHub does in a network of forks."""
    alternates = Path(one.path) / "objects" / "info" / "alternates"
    known = alternates.read_text().splitlines() if alternates.exists() else []
    alternates.write_text("\n".join([*known, str(other.path / "objects"), ""]))


def _commit(git: Repository, name: str) -> str | None:
    found = _try(git, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return found.decode().strip() if found else None


def _try(git: Repository, *arguments: str) -> bytes | None:
    try:
        return git.git(*arguments)
    except subprocess.CalledProcessError:
        return None
