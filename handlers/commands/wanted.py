"""What was asked for, kept with the deployment: the gate sees it again before the update."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from bot.services.github import NOTHING_MORE, Question
from handlers.commands.errand import Person, Place
from handlers.commands.gathering import Wish


@dataclass(frozen=True)
class Wanted:
    """A wish, where, and whose."""

    place: Place
    person: Person
    wish: Wish
    question: Question = NOTHING_MORE
    """What was to be known of it beyond the first look: no facts, for those are asked for anew."""

    def to_json(self) -> dict[str, Any]:
        """For `Deployments.save(id, WANTED, ...)`."""
        dumped: dict[str, Any] = _WANTED.dump_python(self, mode="json")
        return dumped

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Wanted":
        """What `to_json` gave."""
        return _WANTED.validate_python(value)


_WANTED: TypeAdapter[Wanted] = TypeAdapter(Wanted)
