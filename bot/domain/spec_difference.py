"""What differs between two specs of a pipeline, for machines and for people."""

import json
import re
from collections.abc import Iterator, Mapping

from bot.domain.spec_check import integer, seconds
from bot.domain.spec_document import Path, shown
from bot.domain.spec_schema import Field, schema

_LONGEST = 80
_OF_THE_REQUEST = ("update", "reprocess", "dryRun")
"""Fields that say how to update; they are no part of what a pipeline is."""
_SECRET = re.compile(r"token|secret|passw|credential|private|api_?key|access_?key", re.IGNORECASE)
_ENVIRONMENT = ("transform", "env")
_LOGIN = re.compile(r"(?<=://)[^/@\s]+@")
_ABSENT = object()


def difference(old: Mapping[str, object], new: Mapping[str, object]) -> tuple[str, ...]:
    """What `new` changes, one line each, sorted: `transform.image: a -> b`, `x removed`.

    A field's two spellings are the same, and so are a value's, such as `3` and `"3"`.
    Values that look secret are not shown.
    """
    return tuple(sorted(_changes((), _canonical(old), _canonical(new))))


def same(old: Mapping[str, object], new: Mapping[str, object]) -> bool:
    """Whether two effective specs are equal, whatever the order and spelling of their fields."""
    return _canonical(old) == _canonical(new)


def _canonical(spec: Mapping[str, object]) -> dict[str, object]:
    message = _message(dict(spec), schema().root)
    return {key: value for key, value in message.items() if key not in _OF_THE_REQUEST}


def _message(value: Mapping[str, object], message: str) -> dict[str, object]:
    result = {}
    for key, item in value.items():
        field = schema().field(message, key)
        result[field.json_name if field else key] = _field(item, field) if field else item
    return result


def _field(value: object, field: Field) -> object:
    if field.repeated and isinstance(value, list):
        return [_single(item, field.kind) for item in value]
    return _single(value, field.kind)


def _single(value: object, kind: str) -> object:
    if isinstance(value, dict) and kind in schema().messages:
        return _message(value, kind)
    if kind in schema().enums and isinstance(value, int):
        by_number = {number: name for name, number in schema().enums[kind].items()}
        return by_number.get(value, value)
    if kind in ("int32", "int64", "uint64"):
        exact = integer(value)
        return value if exact is None else int(exact)
    if kind == "float" and isinstance(value, int | float | str):
        return float(value)
    if kind == "duration" and isinstance(value, str):
        length = seconds(value)
        return value if length is None else f"{length.normalize():f}s"
    return value


def _changes(path: Path, old: object, new: object) -> Iterator[str]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() | new.keys():
            yield from _changes((*path, key), old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for position, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _changes((*path, position), before, after)
    elif old is _ABSENT:
        yield f"{shown(path)}: added {_shown_value(path, new)}"
    elif new is _ABSENT:
        yield f"{shown(path)} removed"
    else:
        yield f"{shown(path)}: {_shown_value(path, old)} -> {_shown_value(path, new)}"


def _shown_value(path: Path, value: object) -> str:
    value = _without_secrets(path, value)
    if isinstance(value, str) and value.isprintable() and value.strip() == value != "":
        text = value
    else:
        text = json.dumps(value, ensure_ascii=False)
    text = _LOGIN.sub("...@", text)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _without_secrets(path: Path, value: object) -> object:
    if path[:-1] == _ENVIRONMENT and _SECRET.search(str(path[-1])):
        return "..."
    if isinstance(value, dict):
        return {key: _without_secrets((*path, key), item) for key, item in value.items()}
    return value
