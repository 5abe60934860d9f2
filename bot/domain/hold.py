"""A rollback that holds: what a person took back, no push or release puts there again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.domain.deployment import Actor, Deployment, Kind, Outcome, Trigger

BY_ITSELF = frozenset(
    {Trigger.PUSH, Trigger.PULL_REQUEST, Trigger.RERUN, Trigger.RELEASE, Trigger.ACTION}
)
"""Triggers that are no command of a person to deploy just this: who wants all checks again means none."""
_CAME_TO_NOTHING = frozenset({Outcome.REFUSED, Outcome.CANCELLED, Outcome.SUPERSEDED})


@dataclass(frozen=True)
class Hold:
    """The rollback after which an environment takes commands only; what was asked before goes on."""

    deployment: str
    by: Actor
    at: float
    """When it was asked for, in seconds since the epoch."""
    has_ended: bool = True
    """False: it waits for its turn or runs, and undoes what is before it in the line."""


def hold_of(past: Sequence[Deployment], released: Collection[str] = ()) -> Hold | None:
    """Whether a rollback holds the target.

    It does from when it is asked for, also where it fails: then a person looks at what runs.
    It ends with a deployment that a person asked for later and that succeeded.

    Args:
        past: all of the target's newest deployments, the newest first.
        released: ids of rollbacks that a command let go.
    """
    for each in past:
        request = each.request
        by_command = request.trigger not in BY_ITSELF
        if request.kind is Kind.DEPLOY:
            if by_command and each.outcome is Outcome.SUCCEEDED:
                return None
        elif each.outcome not in _CAME_TO_NOTHING:
            if each.id in released:
                return None
            has_ended = each.outcome is not None
            return Hold(each.id, request.actor, each.created_at, has_ended)
    return None
