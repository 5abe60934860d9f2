"""What the handlers of events work with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.deployment import Actor, Commit, Deployment, Request, Trigger
from bot.domain.github import Permission, PullRequest
from bot.domain.plan import Plan
from bot.services.github import CheckReport, Reaction
from bot.store.deployments import CancelResult, Deployments
from handlers.reports.github.safe import Safe


class Client(Protocol):
    """A repository on GitHub; RepositoryClient is one."""

    async def permission(self, login: str) -> Permission:
        """What a person may really do."""

    async def is_team_member(self, team: str, login: str) -> bool:
        """Whether a person is in `org/slug`."""

    async def pull_request(self, number: int) -> PullRequest:
        """As it is now."""

    async def commit_belongs(
        self, sha: str, *, pull_request: int | None, branches: Sequence[str]
    ) -> bool:
        """Whether it is one of the pull request's, or part of a branch."""

    async def default_branch_file(self, path: str) -> bytes | None:
        """A file of the default branch."""

    async def react(self, comment: int, content: Reaction) -> None:
        """A second time changes nothing."""

    async def find_comment(self, number: int, marker: str) -> int | None:
        """Our own comment that ends with the marker."""

    async def create_comment(self, number: int, body: str, *, marker: str) -> int:
        """Comment; the marker is put at its end."""

    async def edit_comment(self, comment: int, body: str, *, marker: str = "") -> bool:
        """Replace its text; False where it is gone."""

    async def create_check(
        self, sha: str, name: str, report: CheckReport, *, external_id: str
    ) -> int:
        """Report a check on a commit."""


class GitHub(Protocol):
    """GitHub with our login."""

    @property
    def is_app(self) -> bool:
        """Whether checks can be written."""

    def for_repository(self, owner: str, name: str, installation: int | None = None) -> Client:
        """One repository."""


class Deployer(Protocol):
    """Who carries out what is asked for; StoppedError where that cannot be."""

    @property
    def deployments(self) -> Deployments:
        """All that there are."""

    async def submit(self, deployment: Deployment) -> None:
        """Write it down and put it in line; nothing where its id is there."""

    async def cancel(self, deployment: str, by: str) -> CancelResult:
        """Ask it to stop."""

    async def resolve(self, repository: str, ref: str) -> Commit:
        """The commit that a ref is at; REF_UNKNOWN where there is none."""

    async def plan(self, request: Request) -> Plan:
        """What it would do."""

    async def rollback_request(
        self, repository: str, environment: str, steps: int, trigger: Trigger, actor: Actor
    ) -> Request:
        """The request that takes a target back."""


@dataclass(frozen=True)
class Desk:
    """Everything that a handler needs beside the delivery."""

    github: GitHub
    deployer: Deployer
    safe: Safe
    """Writes what comes from outside into Markdown."""
    word: str = "/pachops"
    """What commands in comments begin with."""
    app_id: int | None = None
    """Ours, by which our own checks are known."""
