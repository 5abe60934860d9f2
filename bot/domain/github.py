"""What GitHub knows, as plain values: repositories, permissions, pull requests."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

LOGIN = "[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
"""The shape of a login: a company's own people have a _, older ones anything with a dash."""

RULES_CHECK = "pachops: .pachops.yml"
"""Our check on a pull request's rules, or our status: it is none that deployments wait for."""


class Permission(IntEnum):
    """What a person may do in a repository; more is greater."""

    NONE = 0
    READ = 1
    TRIAGE = 2
    WRITE = 3
    MAINTAIN = 4
    ADMIN = 5

    @property
    def label(self) -> str:
        """GitHub's own word for it."""
        return self.name.lower()


class CheckState(StrEnum):
    """How a check or a commit status stands; a skipped or neutral check has succeeded."""

    SUCCESS = "success"
    FAILURE = "failure"
    PENDING = "pending"
    MISSING = "missing"
    """Required by the base branch, and nothing has reported it."""


class ReviewState(StrEnum):
    """What the reviews of a pull request come to."""

    APPROVED = "approved"
    """Somebody approved its head, all did whom its base branch asks for, and nobody asks for changes."""
    CHANGES_REQUESTED = "changes_requested"
    REQUIRED = "required"
    """The base branch wants more."""
    NONE = "none"
    """Nobody approved its head."""


@dataclass(frozen=True)
class ReleaseNow:
    """A release that is there, as it is by now."""

    tag: str
    is_draft: bool
    is_prerelease: bool


@dataclass(frozen=True)
class Repository:
    """A repository on GitHub."""

    owner: str
    name: str
    default_branch: str
    clone_url: str

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True)
class Check:
    """A check run or a commit status, the newest of its name."""

    name: str
    state: CheckState


@dataclass(frozen=True)
class PullRequest:
    """A pull request as it is now."""

    number: int
    title: str
    author: str
    head_sha: str
    head_ref: str
    """The branch's name in the head repository."""
    head_repository: str | None
    """`owner/name`; None where the fork is gone."""
    base_ref: str
    base_sha: str
    draft: bool
    open: bool
    merged: bool
    review: ReviewState | None
    """None where it was not asked for."""
    checks: tuple[Check, ...] | None
    """Those of the head, without the bot's own; None where they were not asked for."""
    behind_by: int | None
    """Commits of the base branch that the head does not have; None where it was not asked for, or
    GitHub did not say."""
    head_moved_at: str | None
    """ISO 8601: GitHub's own time of the last push to the head, never a commit's date; None
    where it was not asked for, or GitHub did not say."""
    has_our_comments: bool = True
    """Whether we may have commented on it; False where it is known that we have not."""
    required_checks: frozenset[str] | None = None
    """What the base branch asks for, by name, without the bot's own; None where it was not asked for."""

    def is_fork(self, repository: Repository) -> bool:
        """Whether the head is not in the repository itself; GitHub ignores case in names."""
        if self.head_repository is None:
            return True
        return self.head_repository.casefold() != repository.full_name.casefold()
