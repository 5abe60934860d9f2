"""What commands and events are carried out with."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.deployment import Actor, Commit, Deployment, Request, Trigger
from bot.domain.gate_facts import Standing, Unknown
from bot.domain.gate_rules import Rules
from bot.domain.github import Check, Permission, PullRequest, ReviewState
from bot.domain.plan import Plan
from bot.services.github import NOTHING_MORE, Further, Look, Question
from bot.store.approvals import Approvals
from bot.store.audit import Audit
from bot.store.awaiting import Awaiting
from bot.store.deployments import CancelResult, Deployments
from bot.store.identities import Identities
from bot.store.locks import Locks
from bot.store.names import Named
from bot.store.queue import Queue
from bot.store.subscriptions import Subscriptions
from bot.store.values import JSON


class Client(Protocol):
    """What is asked of a repository on GitHub; RepositoryClient is one."""

    async def permission(self, login: str) -> Permission:
        """What a person may really do."""

    async def is_team_member(self, team: str, login: str, *, is_there: bool = False) -> bool:
        """Whether a person is in `org/slug`, of which it may be known that it is there."""

    async def look(
        self,
        number: int,
        *,
        path: str,
        logins: tuple[str, ...],
        question: Question = NOTHING_MORE,
    ) -> Look | None:
        """A pull request, a file of the default branch and permissions in one call, where it can.

        Perhaps also what `further` says.
        """

    async def pull_request(self, number: int) -> PullRequest:
        """As it is now, without what the next two say, and perhaps without what two more say."""

    async def further(self, question: Question) -> Further | None:
        """What is to be known beyond that, in one call, where it can."""

    async def checks(self, sha: str) -> tuple[Check, ...]:
        """Those of a commit."""

    async def checks_of_head(self, pull: PullRequest) -> tuple[Check, ...]:
        """A pull request's, with what its base branch requires and has not got."""

    async def required_checks(self, pull: PullRequest) -> frozenset[str]:
        """What its base branch asks for, without our own."""

    async def review(self, pull: PullRequest) -> ReviewState:
        """What its reviews come to."""

    async def behind_by(self, pull: PullRequest) -> int | None:
        """Commits of the base branch that the head does not have."""

    async def head_moved_at(self, pull: PullRequest) -> str | None:
        """When GitHub saw the push of the head."""

    async def commit_belongs(
        self, sha: str, *, pull_request: int | None, branches: Sequence[str]
    ) -> bool:
        """Whether it is one of the pull request's, or part of a branch."""

    async def branches(self, beginning: str) -> Mapping[str, str]:
        """The heads of branches whose names begin so."""

    async def names_at_root(self, ref: str) -> frozenset[str]:
        """Of all files, folders and links of a commit or branch."""

    async def default_branch_file(self, path: str) -> bytes | None:
        """A file of the default branch."""


class GitHub(Protocol):
    """GitHub with our login."""

    def for_repository(self, owner: str, name: str, installation: int | None = None) -> Client:
        """One repository."""


class Groups(Protocol):
    """User groups in Slack."""

    async def is_member(self, group: str, login: str) -> bool | Unknown:
        """Whether the person of a GitHub login is in a group, by its handle or id."""

    async def is_there(self, group: str) -> bool | Unknown:
        """Whether there is such a group, whose members can be read."""


class Deployer(Protocol):
    """Who carries out what is asked for; StoppedError where that cannot be."""

    @property
    def deployments(self) -> Deployments:
        """All that there are."""

    @property
    def approvals(self) -> Approvals:
        """What waits for others, and what they said."""

    @property
    def awaiting(self) -> Awaiting:
        """What is asked for by itself when the checks of its commit have succeeded."""

    @property
    def locks(self) -> Locks:
        """Who keeps others from deploying."""

    @property
    def queue(self) -> Queue:
        """Who is before whom."""

    @property
    def audit(self) -> Audit:
        """What was done."""

    def clean(self, text: str) -> str:
        """Without secrets: for what is written down."""

    async def submit(self, deployment: Deployment, facts: Mapping[str, JSON]) -> None:
        """Write it down with its facts and put it in line; nothing where its id is there."""

    async def cancel(
        self, deployment: str, by: Actor, *, how: str = "", once: str | None = None
    ) -> CancelResult:
        """Ask it to stop; `how` says by what, where that was no command; `once` as in the audit."""

    async def rename(self, before: Named, after: Named, by: Actor, *, once: str) -> None:
        """What is kept of a repository goes on under its new name; `once` as in the audit."""

    async def names_of(self, place: str, owner: str) -> Collection[str]:
        """The repositories of an account that are known, whose addresses begin with `place`."""

    async def other_spellings(self, address: str) -> Sequence[str]:
        """In which other ways something is kept of a repository."""

    async def resolve(self, repository: str, ref: str) -> Commit:
        """The commit that a ref is at; REF_UNKNOWN where there is none."""

    def narrow(self, rules: Rules, repository: str) -> Rules:
        """A repository's rules within the operator's own."""

    async def standing(self, repository: str, environment: str) -> Standing:
        """The locks of an environment, and whether a rollback holds it."""

    async def plan(self, request: Request) -> Plan:
        """What it would do."""

    async def rollback_request(
        self, repository: str, environment: str, steps: int, trigger: Trigger, actor: Actor
    ) -> Request:
        """The request that takes a target back."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everything that a command needs beside itself."""

    github: GitHub
    deployer: Deployer
    identities: Identities | None = None
    """Who is who in Slack; None where Slack is not used."""
    subscriptions: Subscriptions | None = None
    """Which channels hear of which repositories; likewise."""
    groups: Groups | None = None
    """User groups in Slack; likewise."""
    word: str = "/pachops"
    """What commands begin with where the answer is read."""
    slack_channel: str | None = None
    """Which is told of deployments to environments that name no channel in Slack."""
    takes_forks: bool = True
    """Whether the bot's operator lets environments take forks' commits."""
