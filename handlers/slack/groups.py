"""Who is in which user group in Slack; what is not known is never taken for a yes."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from bot.domain.gate_facts import Unknown
from bot.domain.reasons import StoppedError
from bot.store.identities import Identities
from handlers.slack.memory import Memory

KEPT_SECONDS = 60.0
"""How long an answer of Slack is good."""

T = TypeVar("T")


class Slack(Protocol):
    """The workspace."""

    async def groups(self) -> Mapping[str, str]:
        """The ids of the user groups that there are, by handle in lower case."""

    async def group_members(self, group: str) -> Sequence[str]:
        """The ids of a user group's members."""


class SlackGroups:
    """The user groups of the workspace, each asked for once a minute at most."""

    def __init__(
        self,
        slack: Slack,
        identities: Identities,
        team: Callable[[], Awaitable[str]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`team` is the workspace's id, empty where it is not known."""
        self._slack = slack
        self._identities = identities
        self._team = team
        self._handles = Memory[str, Mapping[str, str]](KEPT_SECONDS, clock)
        self._members = Memory[str, Sequence[str]](KEPT_SECONDS, clock)

    async def is_member(self, group: str, login: str) -> bool | Unknown:
        """Whether the person of a GitHub login is in a group, by its handle or id."""
        try:
            identity = await self._identities.of_login(await self._team(), login)
            if identity is None:
                return Unknown(_what(group), f"{login} is not joined with a Slack user")
        except StoppedError as stopped:
            return Unknown(_what(group), stopped.reason.fact)
        members = await self._known_members(group)
        return members if isinstance(members, Unknown) else identity.slack.user in members

    async def is_there(self, group: str) -> bool | Unknown:
        """Whether there is such a group, whose members can be read."""
        members = await self._known_members(group)
        return members if isinstance(members, Unknown) else True

    async def _known_members(self, group: str) -> Sequence[str] | Unknown:
        try:
            found = await self.find(group)
            if found is None:
                return Unknown(_what(group), "there is no such group")
            return await _once(self._members, found, lambda: self._slack.group_members(found))
        except StoppedError as stopped:
            return Unknown(_what(group), stopped.reason.fact)

    async def find(self, group: str) -> str | None:
        """The id of a group, by its handle or id. Errors: those of Slack."""
        handles = await _once(self._handles, "", self._slack.groups)
        known = {each.lower(): each for each in handles.values()}
        return handles.get(group) or known.get(group.lower())


async def _once(memory: Memory[str, T], key: str, ask: Callable[[], Awaitable[T]]) -> T:
    said = memory.said(key)
    if said is None:
        said = await ask()
        memory.note(key, said)
    return said


def _what(group: str) -> str:
    return f"the members of @{group} in Slack"
