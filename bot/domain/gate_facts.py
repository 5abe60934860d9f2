"""What the gate decides from: everything that was looked up, and what could not be."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from bot.domain.command import Deploy, OnEnvironment
from bot.domain.deployment import Actor, Trigger
from bot.domain.github import Check, CheckState, Permission, PullRequest, Repository
from bot.domain.hold import BY_ITSELF, Hold
from bot.domain.lock import Lock

_SHA = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Unknown:
    """A fact that was needed and could not be looked up."""

    call: str
    """What was asked, such as `GET /repos/acme/edges/collaborators/ann/permission`."""
    why: str
    """What came instead, such as `502 Bad Gateway`; no secret, no body."""


NOT_LOOKED_UP = Unknown("nothing", "it was not looked up")


@dataclass(frozen=True)
class Sender:
    """Who asked, or whose push or release it is."""

    login: str
    is_bot: bool
    permission: Permission | Unknown = NOT_LOOKED_UP
    teams: Mapping[str, bool | Unknown] = field(default_factory=lambda: MappingProxyType({}))
    """Membership in the teams that the environment names: `org/slug` in lower case."""
    groups: Mapping[str, bool | Unknown] = field(default_factory=lambda: MappingProxyType({}))
    """Membership in the Slack user groups that the environment names."""


@dataclass(frozen=True)
class Content:
    """The commit that the command means, fixed when the command was read."""

    sha: str | Unknown | None
    """All 40 digits; None where the repository has no such ref."""
    branch: str | None = None
    """The repository's branch that was pushed or asked for by its name."""
    in_pull_request: bool | Unknown = NOT_LOOKED_UP
    """Whether it is one of the pull request's commits; not asked of its head."""
    in_branches: bool | Unknown = NOT_LOOKED_UP
    """Whether it is in a branch that the environment allows; not asked of a branch's name."""
    checks: tuple[Check, ...] | Unknown | None = None
    """Of this commit, without the bot's own; None: those of the pull request, for its head."""


@dataclass(frozen=True)
class Standing:
    """What people have said of a target until they take it back."""

    locks: tuple[Lock, ...] = ()
    """Of the environment and of all environments."""
    hold: Hold | None = None


@dataclass(frozen=True)
class Facts:
    """Everything about one command or event."""

    trigger: Trigger
    repository: Repository
    command: Deploy
    """What was written; for an event or another command, the environment alone."""
    sender: Sender
    content: Content
    pull_request: PullRequest | Unknown | None = None
    """None where there is none, as on an issue or for a push."""
    asked_at: str | None = None
    """ISO 8601: the surface's own time of the command."""
    word: str = "/pachops"
    """What a command begins with where the answer is read."""
    standing: Standing | Unknown = NOT_LOOKED_UP
    now: datetime | None = None
    """When it is decided, with a time zone; needed where the rules have hours or freezes."""
    approved: bool = False
    """Whether the approvals that it needs were given, for this commit and what it would do."""
    was_allowed: bool = False
    """Whether the gate has let this very commit through before, for the same command."""
    takes_forks: bool = True
    """Whether the bot's operator lets environments take forks' commits."""
    spoken: OnEnvironment | None = None
    """The other command, for what is suggested instead."""

    @property
    def sha(self) -> str | None:
        """The commit, where it is known and whole."""
        sha = self.content.sha
        return sha if isinstance(sha, str) and _SHA.fullmatch(sha) else None

    @property
    def asker(self) -> Actor:
        """Who asked, as locks and approvals know people."""
        return Actor(self.sender.login, "cli" if self.trigger is Trigger.CLI else "github")

    @property
    def is_by_itself(self) -> bool:
        """Whether nobody gave a command for it."""
        return self.trigger in BY_ITSELF

    @property
    def is_written_out(self) -> bool:
        """Whether a person typed the whole SHA of this very commit.

        A shorter one does not count: two commits with the same first digits are soon made.
        """
        typed = self.trigger in {Trigger.COMMENT, Trigger.SLACK, Trigger.CLI}
        return typed and self.is_exact

    @property
    def is_exact(self) -> bool:
        """Whether the command has the whole SHA, typed or from a button."""
        ref = self.command.ref
        return ref is not None and ref.lower() == self.sha

    @property
    def is_of_a_branch(self) -> bool:
        """Whether the commit comes from a branch of the repository, not from a pull request."""
        if not isinstance(self.pull_request, PullRequest):
            return True
        asked = self.command.ref
        if asked is None:
            return False
        if self.content.branch != asked:
            return self.content.in_branches is True
        return self.is_fork or asked != self.pull_request.head_ref

    @property
    def is_of_pull_request(self) -> bool:
        """Whether the commit is the pull request's own, and not asked for as another branch's."""
        pull, asked = self.pull_request, self.command.ref
        if not isinstance(pull, PullRequest):
            return False
        if asked is not None and asked == self.content.branch:
            return not self.is_of_a_branch
        return self.sha == pull.head_sha or self.content.in_pull_request is True

    @property
    def checks(self) -> tuple[Check, ...] | Unknown:
        """The checks of the commit."""
        pull = self.pull_request
        if self.content.checks is not None:
            return self._with_missing(self.content.checks)
        if not isinstance(pull, PullRequest) or pull.head_sha != self.sha or pull.checks is None:
            return NOT_LOOKED_UP
        return pull.checks

    def _with_missing(self, checks: tuple[Check, ...] | Unknown) -> tuple[Check, ...] | Unknown:
        """With what its base branch asks for, where it is the pull request's own commit."""
        pull = self.pull_request
        if isinstance(checks, Unknown) or not isinstance(pull, PullRequest) or self.is_of_a_branch:
            return checks
        if pull.required_checks is None:
            return NOT_LOOKED_UP
        missing = pull.required_checks - {each.name for each in checks}
        return (*checks, *(Check(name, CheckState.MISSING) for name in sorted(missing)))

    @property
    def is_fork(self) -> bool:
        """Whether there is a pull request and it comes from a fork."""
        pull = self.pull_request
        return isinstance(pull, PullRequest) and pull.is_fork(self.repository)


def seconds_of(time: str | None) -> datetime | None:
    """A moment, cut to whole seconds because GitHub gives no more; None where it is not one."""
    try:
        moment = datetime.fromisoformat(time or "")
    except ValueError:
        return None
    return moment.replace(microsecond=0) if moment.tzinfo else None
