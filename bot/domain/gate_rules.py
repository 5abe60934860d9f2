"""What a repository allows: the rules of its environments, read from its default branch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from bot.domain.deployment import Trigger
from bot.domain.github import Permission
from bot.domain.paths import matches


class Follow(StrEnum):
    """What a pull request can start."""

    COMMAND = "command"
    ALWAYS = "always"
    """Every new head is deployed without being asked for."""
    NEVER = "never"


@dataclass(frozen=True)
class EnvironmentRules:
    """Who may bring what to an environment, and when; the defaults are for one that says nothing.

    Branches are patterns: `*` and `?` within a part of the name, `**` for any parts.
    """

    push: tuple[str, ...] = ()
    """Branches of which every push is deployed."""
    pull_request: Follow = Follow.COMMAND
    release: bool = False
    """Whether every published release is deployed."""
    branches: tuple[str, ...] | None = None
    """Branches that may be asked for; None: the default branch and those of `push`."""
    users: frozenset[str] = frozenset()
    """Logins in lower case. Where users or teams are named, nobody else may deploy."""
    teams: frozenset[str] = frozenset()
    """`org/slug` in lower case."""
    permission: Permission = Permission.WRITE
    """The least that everybody needs, those who are named too."""
    checks: tuple[str, ...] | None = None
    """Names of the checks that must have succeeded; empty: all; None: none."""
    review: bool = False
    fresh: bool = False
    """Whether a pull request must have all commits of its base branch."""
    forks: bool = False
    drafts: bool = False
    notify: tuple[str, ...] = ()
    """Slack channels that are told of its deployments: `#name`, or an id."""

    @property
    def least_permission(self) -> Permission:
        """Nobody without write permission ever deploys."""
        return max(Permission.WRITE, self.permission)

    def allowed_branches(self, default_branch: str) -> tuple[str, ...]:
        """Patterns of the branches that may be asked for by name, or by a commit in them."""
        return (default_branch, *self.push) if self.branches is None else self.branches

    def allows_branch(self, branch: str, default_branch: str) -> bool:
        """Whether the branch may be asked for."""
        return any(matches(pattern, branch) for pattern in self.allowed_branches(default_branch))

    def follows(self, trigger: Trigger, branch: str | None = None) -> bool:
        """Whether the environment lets this kind of event start a deployment.

        Args:
            trigger: what happened.
            branch: the branch that was pushed, for Trigger.PUSH.
        """
        if trigger is Trigger.PUSH:
            return branch is not None and any(matches(each, branch) for each in self.push)
        if trigger is Trigger.PULL_REQUEST:
            return self.pull_request is Follow.ALWAYS
        if trigger is Trigger.COMMENT:
            return self.pull_request is not Follow.NEVER
        return self.release if trigger is Trigger.RELEASE else True


@dataclass(frozen=True)
class Rules:
    """The rules of every environment that the repository has."""

    environments: Mapping[str, EnvironmentRules] = field(
        default_factory=lambda: MappingProxyType({"default": EnvironmentRules()})
    )

    def following(self, trigger: Trigger, branch: str | None = None) -> tuple[str, ...]:
        """The environments that an event nobody asked for deploys to, in their order."""
        return tuple(
            name for name, rules in self.environments.items() if rules.follows(trigger, branch)
        )
