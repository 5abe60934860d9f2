"""Who is meant by a rule: by name, by team, by Slack user group, by permission."""

from dataclasses import dataclass, field

from bot.domain.github import Permission


@dataclass(frozen=True)
class People:
    """Everybody with the permission; where users, teams or groups are named, only those of them."""

    users: frozenset[str] = field(default_factory=frozenset)
    """Logins in lower case."""
    teams: frozenset[str] = field(default_factory=frozenset)
    """`org/slug` in lower case."""
    groups: frozenset[str] = field(default_factory=frozenset)
    """Slack user groups by their handle, without @ and in lower case, or by their id."""
    permission: Permission = Permission.WRITE
    terminal: bool = False
    """Whether, where somebody is named, whoever sits at a terminal is one of them."""

    @property
    def is_named(self) -> bool:
        """Whether not everybody with the permission is meant."""
        return bool(self.users or self.teams or self.groups)

    @property
    def least_permission(self) -> Permission:
        """Nobody without write permission is ever meant."""
        return max(Permission.WRITE, self.permission)

    @property
    def named(self) -> str:
        """Those who are named, for people to read."""
        groups = (f"@{each} in Slack" for each in sorted(self.groups))
        return ", ".join([*sorted(self.users), *sorted(self.teams), *groups])


EVERYBODY = People()
"""With write permission."""
