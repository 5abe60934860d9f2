"""What a repository allows: the rules of its environments, read from its default branch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from bot.domain.calendar import ALWAYS, Calendar
from bot.domain.deployment import Trigger
from bot.domain.github import Permission
from bot.domain.paths import is_pattern, matches
from bot.domain.people import People

MOST_APPROVALS = 20


class Follow(StrEnum):
    """What a pull request can start."""

    COMMAND = "command"
    ALWAYS = "always"
    """Every new head is deployed without being asked for."""
    NEVER = "never"


@dataclass(frozen=True)
class Approvals:
    """What other people must say before a deployment updates anything."""

    needed: int = 0
    who: tuple[People, ...] = ()
    """Who counts: those who are in each of these; empty: everybody with write permission."""
    deadline: float = 86_400.0
    """Seconds until nobody waits any longer."""

    @property
    def least_permission(self) -> Permission:
        """What everybody needs who approves."""
        return max((each.least_permission for each in self.who), default=Permission.WRITE)

    @property
    def named(self) -> tuple[str, ...]:
        """Logins, then teams; empty where everybody with the permission counts."""
        users = {each for people in self.who for each in people.users}
        teams = {each for people in self.who for each in people.teams}
        return (*sorted(users), *sorted(teams))

    @property
    def asked_teams(self) -> frozenset[str]:
        """The teams of which it must be known whether an approver is in them."""
        return frozenset().union(*(each.teams for each in self.who))

    @property
    def asked_groups(self) -> frozenset[str]:
        """The Slack user groups, likewise."""
        return frozenset().union(*(each.groups for each in self.who))


NO_APPROVALS = Approvals()


@dataclass(frozen=True)
class EnvironmentRules:
    """Who may bring what to an environment, and when; the defaults are for one that says nothing.

    Branches are patterns: `*` and `?` within a part of the name, `**` for any parts.
    """

    push: tuple[str, ...] = ()
    """Branches of which every push is deployed."""
    pull_request: Follow = Follow.COMMAND
    release: bool = False
    """Whether published releases are deployed."""
    prereleases: bool = True
    """Whether pre-releases are too; else those that are, or become, a release proper."""
    branches: tuple[str, ...] | None = None
    """Branches that may be asked for; None: the default branch and those of `push`."""
    users: frozenset[str] = frozenset()
    """Logins in lower case. Where users or teams are named, nobody else may deploy."""
    teams: frozenset[str] = frozenset()
    """`org/slug` in lower case."""
    groups: frozenset[str] = frozenset()
    """Slack user groups."""
    permission: Permission = Permission.WRITE
    """The least that everybody needs, those who are named too."""
    terminal: bool = False
    """Whether a terminal deploys too, where somebody is named."""
    checks: tuple[str, ...] | None = None
    """Names of the checks that must have succeeded; empty: all; None: none."""
    every_check: bool = False
    """Whether no other check may have failed either, where some are named."""
    review: bool = False
    fresh: bool = False
    """Whether a pull request must have all commits of its base branch."""
    forks: bool = False
    drafts: bool = False
    notify: tuple[str, ...] = ()
    """Slack channels that are told of its deployments: `#name`, or an id."""
    approvals: Approvals = NO_APPROVALS
    calendar: Calendar = ALWAYS
    force: tuple[People, ...] = ()
    """Who may skip what can be skipped: those who are in each of these; empty: nobody."""
    also: tuple[People, ...] = ()
    """The operator's: deployers must be in each of these too."""
    within: tuple[tuple[str, ...], ...] = ()
    """The operator's: a branch must match one pattern of each of these too."""

    @property
    def deployers(self) -> tuple[People, ...]:
        """Those who may deploy are in each of these."""
        own = People(self.users, self.teams, self.groups, self.permission, self.terminal)
        return (own, *self.also)

    @property
    def asked_teams(self) -> frozenset[str]:
        """The teams of which it must be known whether a deployer is in them."""
        return frozenset().union(*(each.teams for each in (*self.deployers, *self.force)))

    @property
    def asked_groups(self) -> frozenset[str]:
        """The Slack user groups, likewise."""
        return frozenset().union(*(each.groups for each in (*self.deployers, *self.force)))

    @property
    def least_permission(self) -> Permission:
        """Nobody without write permission ever deploys."""
        return max(each.least_permission for each in self.deployers)

    @property
    def follows_base(self) -> bool:
        """Whether the base branch of a pull request has a say in what is required of it."""
        all_checks = self.checks is not None and (not self.checks or self.every_check)
        return all_checks or self.review or self.fresh

    def allowed_branches(self, default_branch: str) -> tuple[str, ...]:
        """Patterns of the branches that may be asked for by name, or by a commit in them."""
        own = (default_branch, *self.push) if self.branches is None else self.branches
        return tuple(each for each in own if is_pattern(each) or self._is_within(each))

    def allows_branch(self, branch: str, default_branch: str) -> bool:
        """Whether the branch may be asked for."""
        allowed = self.allowed_branches(default_branch)
        return self._is_within(branch) and any(matches(pattern, branch) for pattern in allowed)

    def allows_base(self, branch: str, default_branch: str) -> bool:
        """Whether a pull request may be judged by what this branch asks of it.

        The default branch always: whoever changes that changes the rules.
        """
        return branch == default_branch or self.allows_branch(branch, default_branch)

    def follows(self, trigger: Trigger, branch: str | None = None) -> bool:
        """Whether the environment lets this kind of event start a deployment.

        Args:
            trigger: what happened.
            branch: the branch that was pushed, for Trigger.PUSH.
        """
        if trigger is Trigger.PUSH:
            followed = branch is not None and any(matches(each, branch) for each in self.push)
            return followed and self._is_within(branch or "")
        if trigger is Trigger.PULL_REQUEST:
            return self.pull_request is Follow.ALWAYS
        if trigger is Trigger.COMMENT:
            return self.pull_request is not Follow.NEVER
        return self.release if trigger is Trigger.RELEASE else True

    def _is_within(self, branch: str) -> bool:
        return all(any(matches(each, branch) for each in group) for group in self.within)


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

    def following_release(self, *, released: bool) -> tuple[str, ...]:
        """The environments that a release deploys to, in their order.

        Args:
            released: it is, or has become, no pre-release. GitHub tells of such a one twice: as
                published, like any other, and as released.
        """
        following = self.following(Trigger.RELEASE)
        return tuple(each for each in following if self.environments[each].prereleases != released)
