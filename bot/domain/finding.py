"""What `pachops doctor` finds."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    GOOD = "good"
    NOTE = "note"
    """Good to know."""
    WARNING = "warning"
    """It works, and may not for long or not for everything."""
    FAULT = "fault"
    """It does not work."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    what: str
    """The thing, in a few words."""
    fact: str
    next_step: str = ""
    """How to mend it; empty where it is good."""
