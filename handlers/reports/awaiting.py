"""What awaits the checks of its commit, in a sentence with code in backticks."""

from bot.domain.awaiting import Awaited
from handlers.reports.words import ago, short_sha


def awaited_line(awaited: Awaited, now: float) -> str:
    """Which commit goes where by itself, who brought it, since when, and what it waits for."""
    request = awaited.request
    commit = f"`{short_sha(request.commit.sha)}` ({request.commit.ref})"
    brought = f"brought by {request.actor.name} {ago(awaited.since, now)}"
    return (
        f"{request.environment} gets {commit}, {brought}, when its checks have succeeded: "
        f"{awaited.why} (`{awaited.id}`)"
    )
