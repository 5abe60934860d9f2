"""The answers that read the same wherever they are given; surfaces write them in their markup."""

from typing import Protocol

from bot.domain.approval import Verdict
from bot.store.deployments import CancelResult
from handlers.commands.answers import Answer, CancelAsked, VoteCast

_CANCELLED = {
    CancelResult.WAITING: "had not begun; it is cancelled.",
    CancelResult.RUNNING: "is being stopped; what it changed is put back.",
    CancelResult.FINISHED: "had already ended; nothing was changed.",
    CancelResult.UNKNOWN: "is not known; nothing was changed.",
}


class Safe(Protocol):
    """Writes what comes from outside into a surface's markup."""

    def text(self, text: str, most: int = ...) -> str:
        """Within a line."""

    def code(self, text: str, most: int = ...) -> str:
        """As code within a line."""


def told(answered: Answer, safe: Safe) -> str | None:
    """The answer; None where the surface has words of its own for it."""
    match answered:
        case CancelAsked():
            return f"{safe.code(answered.deployment.id)} {_CANCELLED[answered.result]}"
        case VoteCast():
            return _voted(answered, safe)
    return None


def _voted(answered: VoteCast, safe: Safe) -> str:
    """What a vote came to."""
    name = safe.code(answered.deployment.id)
    if not answered.is_new:
        return f"You have voted on {name} before; that vote stands. {_count(answered)}"
    if answered.verdict is Verdict.REJECT:
        return f"❌ You have rejected {name}; it changes nothing."
    return f"✅ You have approved {name}. {_count(answered)}"


def _count(answered: VoteCast) -> str:
    if answered.approved >= answered.needed:
        return "It has all approvals that it needs."
    return f"It has {answered.approved} of {answered.needed} approvals."
