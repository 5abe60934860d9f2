"""What brought a commit, as a check on it remembers that: asked for again, it can be followed."""

from dataclasses import dataclass
from typing import Self

from bot.domain.deployment import Trigger

_REFUSED = "refused:"
_LONGEST_ID = 250


@dataclass(frozen=True)
class Brought:
    """A push or a release."""

    trigger: Trigger
    name: str
    """Of the branch or tag."""

    def __str__(self) -> str:
        return f"{self.trigger}:{self.name}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """What `str` wrote; None of all else."""
        trigger, _, name = text.partition(":")
        return cls(Trigger(trigger), name) if name and trigger in set(Trigger) else None


@dataclass(frozen=True)
class Refusal:
    """Why there is a check that says "Not deployed to ..."."""

    environment: str
    brought: Brought

    @property
    def external_id(self) -> str:
        """Of the check; empty where the name is too long for one."""
        whole = f"{_REFUSED}{self.environment}:{self.brought}"
        return whole if fits(whole) else ""

    @classmethod
    def read(cls, external_id: str) -> Self | None:
        """That of a check; None where it is another's."""
        environment, _, rest = external_id.removeprefix(_REFUSED).partition(":")
        brought = Brought.read(rest) if external_id.startswith(_REFUSED) else None
        return cls(environment, brought) if brought is not None else None


def fits(external_id: str) -> bool:
    """Whether GitHub keeps it whole."""
    return len(external_id) <= _LONGEST_ID
