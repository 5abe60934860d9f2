"""A deployment that nobody has to ask for again: the checks of its commit have not ended yet."""

from dataclasses import dataclass

from bot.domain.deployment import Actor, Request


@dataclass(frozen=True)
class Awaited:
    """It begins by itself when they have succeeded."""

    id: str
    """That it will have then."""
    request: Request
    since: float
    """Seconds since the epoch."""
    why: str
    """What there is to wait for."""
    pull_request: int | None = None
    """That brought it."""
    stopped_by: Actor | None = None
    """Who wants it no more, until that is told where it was brought."""
