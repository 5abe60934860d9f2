"""The fields that a pipeline spec can have: Pachyderm 2.12's CreatePipelineRequest.

They are in pps_schema.json, which tests/bot/domain/generate_pps_schema.py writes.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Field:
    """A field of a message."""

    name: str
    """As pps.proto has it: `datum_timeout`. pachd takes this and `json_name`."""
    json_name: str
    """As JSON usually has it, and as pachd writes it: `datumTimeout`."""
    kind: str
    """A scalar, `map` (of strings), `duration`, `timestamp`, a message or an enum."""
    repeated: bool
    oneof: str | None
    """Of the fields of a oneof only one can be set."""


@dataclass(frozen=True)
class Schema:
    """Every message and enum of a spec."""

    root: str
    messages: Mapping[str, tuple[Field, ...]]
    enums: Mapping[str, Mapping[str, int]]

    def field(self, message: str, key: str) -> Field | None:
        """The field that a key means, in either spelling."""
        fields = self.messages[message]
        return next((field for field in fields if key in (field.name, field.json_name)), None)

    def names(self, message: str, *, like: str) -> list[str]:
        """The names of a message's fields, spelled in the way of `like`."""
        snake = "_" in like
        return [field.name if snake else field.json_name for field in self.messages[message]]

    def below(self, message: str) -> Mapping[str, tuple[str, ...]]:
        """Every name that a message and the messages in it know, with the shortest path to it."""
        found: dict[str, tuple[str, ...]] = {}
        waiting: list[tuple[str, tuple[str, ...]]] = [(message, ())]
        seen = {message}
        while waiting:
            each, path = waiting.pop(0)
            for field in self.messages[each]:
                for name in (field.name, field.json_name):
                    found.setdefault(name, (*path, name))
                if field.kind in self.messages and field.kind not in seen:
                    seen.add(field.kind)
                    waiting.append((field.kind, (*path, field.name)))
        return found


@cache
def schema() -> Schema:
    """The fields of a spec."""
    content = json.loads(files("bot.domain").joinpath("pps_schema.json").read_text("utf-8"))
    messages = {
        message: tuple(_field(name, kind) for name, kind in fields.items())
        for message, fields in content["messages"].items()
    }
    return Schema(content["root"], messages, content["enums"])


def _field(name: str, kind: str) -> Field:
    words = kind.split()
    oneof = words[1] if words[0] == "oneof" else None
    json_name = re.sub(r"_(.)", lambda match: match[1].upper(), name)
    return Field(name, json_name, words[-1], "repeated" in words, oneof)
