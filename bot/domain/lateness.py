"""A command that comes late does not undo what was said after it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from bot.domain.audit import Action
from bot.domain.command import Cancel, Command, Deploy, Lock, Resume, Rollback, Unlock, parse
from bot.domain.command_form import Mistake
from bot.domain.deployment import ACTION, Actor, Trigger
from bot.domain.reasons import Code

CLOCKS_APART = 60.0
"""Seconds by which GitHub's clock and ours may differ, and what is told at once may be late."""
EVENTS_LATE = 900.0
"""Seconds by which GitHub may tell of a push or a release later than it was."""
WRITTEN = "written"
"""The fact of a decision that has when the command was written, by GitHub's clock."""
SENT = "sent"
"""The fact of a decision that has when we were told, or should have been."""


class Topic(StrEnum):
    """What a command settles of an environment."""

    COMMIT = "commit"
    LOCK = "lock"
    HOLD = "hold"
    """Whether it follows pushes and releases."""


@dataclass(frozen=True)
class Said:
    """Somebody's word on an environment."""

    what: str
    """The name of a command, which is all that may be told elsewhere: a reason may be private."""
    by: Actor
    at: float
    """Seconds since the epoch."""
    is_exact: bool = False
    """Whether that is when it was written, by GitHub's clock."""
    environment: str | None = None
    """None: all of them, or the only one."""
    pull_request: int | None = None
    """Where it was said."""
    only: frozenset[str] = frozenset()
    """Which pipelines; empty: all."""
    found_nothing: bool = False
    """Whether all was so already."""
    event: str = ""
    """What happened, where it was no command."""

    @property
    def shown(self) -> str:
        """In short, for people."""
        return self.event or f"`{' '.join(filter(None, (self.what, self.environment)))}`"


def said(
    command: Command, by: Actor, at: float, pull_request: int | None, *, is_exact: bool
) -> Said | None:
    """The command; None where nothing that is said later can stand against it.

    Votes, and what is cancelled by its id, are about one deployment, whatever came after it.
    """
    if isinstance(command, Cancel) and command.deployment is not None:
        return None
    name = command.form.name
    environment = getattr(command, "environment", None)
    if name not in _SETTLES:
        return None
    return Said(name, by, at, is_exact, environment, pull_request, _only(command))


def said_in(body: Mapping[str, Any]) -> Said | None:
    """What a row of the audit says was carried out, or was so already; None where it does not.

    Args:
        body: the row's, as `json.loads` gives it.
    """
    actor = body["actor"]
    by = Actor(actor["name"], actor["surface"], actor.get("account"))
    if by.surface in _WITHOUT_DECISIONS:
        return _done(body, by)
    return _decided(body, by) if body["action"] == Action.DECISION else None


def stands_against(late: Said, later: Said) -> bool:
    """Whether `later` was said after `late`, and would be undone by it."""
    is_later = later.at > late.at + _apart(late, later)
    return is_later and _meet(late, later) and bool(_SETTLES[late.what] & _SETTLES[later.what])


def _apart(late: Said, later: Said) -> float:
    """Seconds within which nobody knows which of the two was first."""
    if late.is_exact and later.is_exact:
        return 0.0
    return EVENTS_LATE if later.event else CLOCKS_APART


def _meet(one: Said, other: Said) -> bool:
    if None not in {one.environment, other.environment} and one.environment != other.environment:
        return False
    if one.only and other.only and not one.only & other.only:
        return False
    is_of_pull_request = any(
        each.what == Cancel.form.name and each.pull_request is not None for each in (one, other)
    )
    return not is_of_pull_request or one.pull_request == other.pull_request


def _decided(body: Mapping[str, Any], by: Actor) -> Said | None:
    facts, reasons = body.get("facts", {}), set(body.get("reasons", ()))
    command = parse(facts.get("line", ""))
    name = command.form.name if isinstance(command, _THAT_CHANGE) else ""
    if not name or (reasons and reasons != _FOUND_NOTHING.get(type(command))):
        return None
    if reasons and isinstance(command, Cancel) and command.deployment is not None:
        # There is no such deployment: an id may have a slip in it.
        return None
    trigger = facts.get("on", {}).get("trigger", "")
    return Said(
        name,
        by,
        facts.get(WRITTEN, facts.get(SENT, body["at"])),
        WRITTEN in facts,
        body.get("environment"),
        facts.get("pull_request"),
        _only(command),
        found_nothing=bool(reasons),
        event=_EVENTS.get(trigger, "") if name == Deploy.form.name else "",
    )


def _only(command: Command | Mistake) -> frozenset[str]:
    return frozenset(command.only) if isinstance(command, Deploy) else frozenset()


def _done(body: Mapping[str, Any], by: Actor) -> Said | None:
    action, facts = body["action"], body.get("facts", {})
    name = facts.get("kind", "") if action == Action.SUBMITTED else _DONE_BY.get(action, "")
    if name not in _SETTLES:
        return None
    environment = body.get("environment")
    return Said(name, by, body["at"], environment=None if environment == _ALL else environment)


_ALL = "*"
"""As rows on locks have it."""
_THAT_CHANGE = (Deploy, Rollback, Cancel, Lock, Unlock, Resume)
_SETTLES: Mapping[str, frozenset[Topic]] = MappingProxyType(
    {
        Deploy.form.name: frozenset({Topic.COMMIT}),
        Rollback.form.name: frozenset({Topic.COMMIT, Topic.HOLD}),
        Cancel.form.name: frozenset({Topic.COMMIT}),
        Lock.form.name: frozenset({Topic.LOCK}),
        Unlock.form.name: frozenset({Topic.LOCK}),
        Resume.form.name: frozenset({Topic.HOLD}),
    }
)
_FOUND_NOTHING: Mapping[type, set[str]] = MappingProxyType(
    {Cancel: {Code.DEPLOYMENT_UNKNOWN.value}, Unlock: {Code.NOT_LOCKED.value}}
)
"""Refusals by which all is as it was asked for."""
_EVENTS: Mapping[str, str] = MappingProxyType(
    {
        Trigger.PUSH: "a push",
        Trigger.PULL_REQUEST: "a commit of a pull request",
        Trigger.RELEASE: "a release",
    }
)
_WITHOUT_DECISIONS = frozenset({"cli", ACTION})
"""Surfaces on which what is done is known from its own row."""
_DONE_BY: Mapping[str, str] = MappingProxyType(
    {
        Action.CANCEL_REQUESTED: Cancel.form.name,
        Action.LOCKED: Lock.form.name,
        Action.LOCK_RENEWED: Lock.form.name,
        Action.LOCK_TAKEN_OVER: Lock.form.name,
        Action.UNLOCKED: Unlock.form.name,
        Action.HOLD_RELEASED: Resume.form.name,
    }
)
