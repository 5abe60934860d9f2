"""The answers that read the same wherever they are given; surfaces write them in their markup."""

import time
from typing import Protocol

from bot.domain.approval import Verdict
from bot.store.deployments import CancelResult
from handlers.commands.answers import (
    Answer,
    CancelAsked,
    CarriedOut,
    Explained,
    Listed,
    Locked,
    Resumed,
    Unlocked,
    VoteCast,
)
from handlers.reports.awaiting import awaited_line
from handlers.reports.locks import hold_line, lock_line
from handlers.reports.why import why_lines

_LONGEST = 1000
_LATE = "The bot was interrupted before it could say so."
_CANCELLED = {
    CancelResult.WAITING: "had not begun; it is cancelled.",
    CancelResult.RUNNING: "is being stopped; what it changed is put back.",
    CancelResult.FINISHED: "had already ended; nothing was changed.",
    CancelResult.AWAITED: "awaited its checks; it is cancelled, and not deployed by itself.",
    CancelResult.UNKNOWN: "is not known; nothing was changed.",
}


class Safe(Protocol):
    """Writes what comes from outside into a surface's markup."""

    def text(self, text: str, most: int = ...) -> str:
        """Within a line."""

    def code(self, text: str, most: int = ...) -> str:
        """As code within a line."""


def told(answered: Answer, word: str, safe: Safe) -> str | None:
    """The answer; None where the surface has words of its own for it."""
    text = None
    match answered:
        case CancelAsked():
            text = f"{safe.code(answered.deployment.id)} {_CANCELLED[answered.result]}"
        case CarriedOut():
            text = f"✅ {safe.code(f'{word} {answered.line}', _LONGEST)} was carried out. {_LATE}"
        case VoteCast():
            text = _voted(answered, safe)
        case Locked():
            text = _locked(answered, word, safe)
        case Unlocked():
            text = _unlocked(answered, safe)
        case Resumed():
            text = _resumed(answered, safe)
        case Explained():
            found = why_lines(answered.explanation, word, time.time())
            text = "\n".join(rich(each, safe) for each in found)
    return text


def standing(answered: Listed, word: str, safe: Safe) -> list[str]:
    """What awaits checks, the locks, and the environments that take commands only."""
    now = time.time()
    return [
        *(f"⏳ {rich(awaited_line(each, now), safe)}" for each in answered.awaiting),
        *(f"🔒 {rich(lock_line(each, now), safe)}" for each in answered.locks),
        *(f"⏸️ {rich(hold_line(name, hold, word), safe)}" for name, hold in answered.holds),
    ]


def rich(text: str, safe: Safe) -> str:
    """Our own sentence, in which backticks make code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return safe.text(text, _LONGEST)
    return "".join(
        safe.code(part, _LONGEST) if index % 2 else _spaced(part, safe)
        for index, part in enumerate(parts)
    )


def _spaced(text: str, safe: Safe) -> str:
    """As `text`, with the spaces at its ends."""
    inner = text.strip(" ")
    if not inner:
        return text
    before = text[: len(text) - len(text.lstrip(" "))]
    after = text[len(text.rstrip(" ")) :]
    # A list is ours; what stands in it is not.
    bullet = "- " if inner.startswith("- ") else ""
    return f"{before}{bullet}{safe.text(inner.removeprefix(bullet), _LONGEST)}{after}"


def _locked(answered: Locked, word: str, safe: Safe) -> str:
    lock = answered.lock
    text = rich(lock_line(lock, time.time()), safe)
    if answered.over is not None:
        owner = safe.code(answered.over.owner.name)
        return f"🔒 {text}. It was {owner}'s, who is told."
    place = "--all" if lock.environment is None else lock.environment
    renewed = " It was yours before; this is how it stands now." if answered.renewed else ""
    return f"🔒 {text}.{renewed} {safe.code(f'{word} unlock {place}')} releases it."


def _unlocked(answered: Unlocked, safe: Safe) -> str:
    place = safe.text(answered.lock.environment or "every environment")
    return f"🔓 The lock of {place} by {safe.code(answered.lock.owner.name)} is released."


def _resumed(answered: Resumed, safe: Safe) -> str:
    name = safe.text(answered.environment)
    if answered.hold is None:
        return f"No rollback holds {name}: it follows pushes and releases as its rules say."
    return f"▶️ {name} follows pushes and releases again, as its rules say."


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
