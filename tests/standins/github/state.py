"""What GitHub keeps."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.domain.github import Permission
from tests.real.git_server import Repository


@dataclass(eq=False)
class User:
    """A person, a bot or an organisation."""

    id: int
    login: str
    kind: str = "User"
    """`User`, `Bot` or `Organization`."""
    email: str = ""
    """The address that they show, one of those that they have confirmed."""


@dataclass(eq=False)
class Team:
    """People of an organisation."""

    slug: str
    members: dict[str, str] = field(default_factory=dict)
    """`active` or `pending`, by login."""


@dataclass(eq=False)
class Reaction:
    """A reaction to a comment."""

    id: int
    content: str
    user: User


@dataclass(eq=False)
class Comment:
    """A comment on an issue or a pull request."""

    id: int
    number: int
    author: User
    body: str
    created_at: datetime
    updated_at: datetime
    reactions: list[Reaction] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    """Every text that it had, the first first."""


@dataclass(eq=False)
class Review:
    """What a reviewer said."""

    id: int
    author: User
    state: str
    """`APPROVED`, `CHANGES_REQUESTED`, `COMMENTED` or `DISMISSED`."""
    sha: str
    submitted_at: datetime


@dataclass(eq=False)
class Issue:
    """An issue; the part of a pull request that it shares with issues."""

    repo: "Repo"
    id: int
    number: int
    title: str
    author: User
    created_at: datetime
    body: str = ""
    state: str = "open"


@dataclass(eq=False)
class PullRequest(Issue):
    """A pull request."""

    head_repo: "Repo | None" = None
    head_ref: str = ""
    head_sha: str = ""
    base_ref: str = "main"
    base_sha: str = ""
    """Of the base at the last push."""
    draft: bool = False
    merged: bool = False
    reviews: list[Review] = field(default_factory=list)


@dataclass(eq=False)
class CheckRun:
    """A check on a commit."""

    id: int
    sha: str
    name: str
    app_slug: str
    started_at: datetime
    status: str = "queued"
    conclusion: str | None = None
    external_id: str = ""
    details_url: str | None = None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[dict[str, Any]] = field(default_factory=list)
    actions: list[dict[str, str]] = field(default_factory=list)
    completed_at: datetime | None = None


@dataclass(eq=False)
class Status:
    """A commit status."""

    id: int
    sha: str
    context: str
    state: str
    creator: User
    created_at: datetime
    description: str | None = None
    target_url: str | None = None


@dataclass(eq=False)
class DeploymentStatus:
    """How a deployment stood at a time."""

    id: int
    state: str
    description: str
    log_url: str
    environment_url: str
    creator: User
    created_at: datetime


@dataclass(eq=False)
class Deployment:
    """A deployment as GitHub shows it."""

    id: int
    sha: str
    ref: str
    environment: str
    description: str
    payload: Any
    task: str
    transient: bool
    production: bool
    creator: User
    created_at: datetime
    statuses: list[DeploymentStatus] = field(default_factory=list)
    """Oldest first."""

    @property
    def state(self) -> str | None:
        """The newest status's."""
        return self.statuses[-1].state if self.statuses else None


@dataclass(eq=False)
class Push:
    """A branch's move."""

    id: int
    ref: str
    before: str
    after: str
    kind: str
    actor: User
    timestamp: datetime


@dataclass(eq=False)
class Release:
    """A release."""

    id: int
    tag: str
    target: str
    name: str
    body: str
    author: User
    created_at: datetime
    draft: bool = False
    prerelease: bool = False
    updated_at: datetime | None = None


@dataclass(eq=False)
class Hook:
    """A webhook of a repository."""

    id: int
    url: str
    active: bool = True
    delivers: bool = True
    """Whether it is the one that the stand-in's deliveries are of."""


@dataclass(eq=False)
class Repo:
    """A repository and all that hangs on it."""

    id: int
    owner: User
    name: str
    git: Repository
    private: bool = True
    default_branch: str = "main"
    fork_of: "Repo | None" = None
    roles: dict[str, Permission] = field(default_factory=dict)
    custom_roles: dict[str, str] = field(default_factory=dict)
    """Names of the organisation's own roles, by login."""
    required_checks: list[str] = field(default_factory=list)
    ruled_checks: list[str] = field(default_factory=list)
    """Required by a ruleset instead of branch protection."""
    requires_review: bool = False
    """By branch protection."""
    ruled_review: dict[str, Any] = field(default_factory=dict)
    """A ruleset's rule for pull requests, where there is one."""
    other_rules: int = 0
    """Of rulesets, in front of those."""
    issues: dict[int, Issue] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    checks: dict[int, CheckRun] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    deployments: dict[int, Deployment] = field(default_factory=dict)
    pushes: list[Push] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    hooks: dict[int, Hook] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner.login}/{self.name}"

    @property
    def pull_requests(self) -> list[PullRequest]:
        """Those among the issues."""
        return [each for each in self.issues.values() if isinstance(each, PullRequest)]

    def role(self, login: str) -> Permission:
        """What a person may do: everybody reads what is public."""
        least = Permission.NONE if self.private else Permission.READ
        if login == self.owner.login:
            return Permission.ADMIN
        return max(self.roles.get(login, Permission.NONE), least)
