"""Locks: one person keeps everybody else from deploying to an environment."""

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.deployment import Actor

_REMINDED_BEFORE = 15 * 60.0


@dataclass(frozen=True)
class Lock:
    """A lock as it was taken."""

    id: str
    """Made when it is taken: another's lock on the same place has another."""
    repository: str
    """As deployments name it."""
    environment: str | None
    """None: all of the repository's environments."""
    owner: Actor
    reason: str
    created_at: float
    """Seconds since the epoch, as is the next."""
    expires_at: float | None = None
    """None: it holds until it is released."""
    pull_request: int | None = None
    """It is released when this is merged or closed."""
    asked_on: int | None = None
    """The pull request on which it was asked for, where its owner is told what becomes of it."""

    def covers(self, environment: str) -> bool:
        """Whether the environment is locked by it."""
        return self.environment in {None, environment}

    def is_of(self, person: Actor) -> bool:
        """Whether the person is known to be its owner."""
        return self.owner.identity == person.identity

    def is_over(self, now: float) -> bool:
        """Whether it has expired."""
        return self.expires_at is not None and self.expires_at <= now


class NoticeKind(StrEnum):
    """What the owner of a lock is told."""

    EXPIRES_SOON = "expires_soon"
    EXPIRED = "expired"
    TAKEN_OVER = "taken_over"
    RELEASED = "released"
    """Somebody else released it."""
    PULL_REQUEST_DONE = "pull_request_done"
    """Its pull request was merged or closed."""


@dataclass(frozen=True)
class Notice:
    """Something that the owner of a lock is to be told, once."""

    number: int
    kind: NoticeKind
    lock: Lock
    due_at: float
    by: Actor | None = None
    """Who did it; None where nobody did."""


def remind_at(lock: Lock, since: float) -> float | None:
    """When the owner is reminded: a quarter of an hour before its end, or of its time if less.

    Its time begins when they said how long: `since`.
    """
    if lock.expires_at is None:
        return None
    return lock.expires_at - min(_REMINDED_BEFORE, (lock.expires_at - since) / 4)
