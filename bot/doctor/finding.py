"""Checks, and short ways to say what they find."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bot.domain.finding import Finding, Level

Look: TypeAlias = Callable[[], Awaitable[Sequence[Finding]]]


@dataclass(frozen=True)
class Check:
    """Something to look at."""

    what: str
    look: Look
    """Errors: StoppedError, which is a fault with its next step."""
    seconds: float = 20.0
    """How long it may take."""


def good(what: str, fact: str) -> Finding:
    """It works."""
    return Finding(Level.GOOD, what, fact)


def note(what: str, fact: str, next_step: str = "") -> Finding:
    """Good to know."""
    return Finding(Level.NOTE, what, fact, next_step)


def warning(what: str, fact: str, next_step: str) -> Finding:
    """It may not work for long, or not for everything."""
    return Finding(Level.WARNING, what, fact, next_step)


def fault(what: str, fact: str, next_step: str) -> Finding:
    """It does not work."""
    return Finding(Level.FAULT, what, fact, next_step)
