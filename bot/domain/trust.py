"""Whose code it is, and with it what its build may have."""

from enum import StrEnum


class Trust(StrEnum):
    """What a commit's build may have."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    """A fork's commit: no secrets, no logins, no shared cache, no network."""
