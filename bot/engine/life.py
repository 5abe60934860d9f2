"""What the queue knows of a deployment, and what that means for one that is not finished."""

from enum import StrEnum

from bot.domain.reasons import Code, Reason, StoppedError

MAX_INTERRUPTIONS = 20
"""A deployment that was interrupted more often is given up: it may be what kills the bot."""


class Life(StrEnum):
    """Whether a deployment will be run, or run on."""

    ALIVE = "alive"
    """It is in the queue, runs, or will be taken up again."""
    GAVE_UP = "gave_up"
    ENDED = "ended"
    GONE = "gone"


def why_lost(life: Life) -> Reason | None:
    """Why nobody will finish it; None where somebody will."""
    match life:
        case Life.ALIVE:
            return None
        case Life.GAVE_UP:
            return StoppedError(
                Code.GAVE_UP, f"it was interrupted more than {MAX_INTERRUPTIONS} times"
            ).reason
        case Life.ENDED:
            return StoppedError(Code.INTERNAL_ERROR, "its run ended without an outcome").reason
        case Life.GONE:
            return StoppedError(Code.INTERNAL_ERROR, "its place in the queue is gone").reason
