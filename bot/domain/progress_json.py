"""Progress and reasons as JSON: one form for the database, `--json` and everything after them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter

from bot.domain.progress import EVENT_NAMES, Finished, Progress
from bot.domain.reasons import Code, Reason

_REASON: TypeAdapter[Reason] = TypeAdapter(Reason)
_ADAPTERS: Mapping[type, TypeAdapter[Any]] = MappingProxyType(
    {kind: TypeAdapter(kind) for kind in EVENT_NAMES}
)
_CODES = frozenset(Code)
_KINDS = MappingProxyType({name: kind for kind, name in EVENT_NAMES.items()})


def to_json(event: Progress) -> dict[str, object]:
    """The event as an object with its name first, for example `{"event": "log", "stage": ...}`."""
    fields: dict[str, object] = _ADAPTERS[type(event)].dump_python(event, mode="json")
    if isinstance(event, Finished) and event.reason:
        fields["reason"] = reason_to_json(event.reason)
    return {"event": EVENT_NAMES[type(event)]} | fields


def from_json(value: Mapping[str, object]) -> Progress:
    """The event that `to_json` wrote.

    Raises:
        ValueError: it is not one, or one that this version does not know.
    """
    kind = _KINDS.get(str(value.get("event")))
    if kind is None:
        msg = f"no kind of progress is called {value.get('event')!r}"
        raise ValueError(msg)
    event: Progress = _ADAPTERS[kind].validate_python(
        {
            name: _with_known_code(field) if name == "reason" else field
            for name, field in value.items()
            if name != "event"
        }
    )
    return event


def reason_to_json(reason: Reason) -> dict[str, object]:
    """The reason as people's tools read it, its title with it."""
    return {
        "code": reason.code.value,
        "title": reason.title,
        "fact": reason.fact,
        "where": reason.where,
        "next_step": reason.next_step,
    }


def reason_from_json(value: object) -> Reason:
    """The reason that `reason_to_json` wrote.

    A code of a newer version becomes INTERNAL_ERROR, with the words that came with it.

    Raises:
        ValueError: it is not one.
    """
    return _REASON.validate_python(_with_known_code(value))


def _with_known_code(value: object) -> object:
    if not isinstance(value, Mapping) or value.get("code") in _CODES:
        return value
    fact = f"{value.get('title', value.get('code'))}: {value.get('fact')}"
    return {**value, "code": Code.INTERNAL_ERROR, "fact": fact}
