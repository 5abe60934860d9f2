"""JSON -> JSON with the names that pachd stores, refused where protojson refuses it."""

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

import betterproto

from tests.standins.pachd.errors import refuse_invalid

Json = Any
DURATION = re.compile(r"-?\d+(\.\d{1,9})?s")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
PROTO_NAMES = {("Egress", "url"): "URL"}
"""Fields of pachd that the SDK spells otherwise."""
INT_RANGES = {
    betterproto.TYPE_INT32: (-(2**31), 2**31 - 1),
    betterproto.TYPE_SINT32: (-(2**31), 2**31 - 1),
    betterproto.TYPE_UINT32: (0, 2**32 - 1),
    betterproto.TYPE_INT64: (-(2**63), 2**63 - 1),
    betterproto.TYPE_SINT64: (-(2**63), 2**63 - 1),
    betterproto.TYPE_UINT64: (0, 2**64 - 1),
}


def parse(text: str, message: type[betterproto.Message]) -> dict[str, Json]:
    """Read an object of a message type; keys come back in camel case, values as they were."""
    try:
        found = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        refuse_invalid(f"proto: syntax error: {error}")
    return _message(found, message)


def json_name(name: str) -> str:
    """A field's name as protoc makes it for JSON."""
    head, *rest = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        refuse_invalid(f'proto: duplicate field "{twice}"')
    return found


def _constant(text: str) -> Json:
    refuse_invalid(f"proto: syntax error: invalid value {text}")


@dataclass(frozen=True)
class _Field:
    name: str
    meta: betterproto.FieldMetadata
    kind: type[Any]
    value_kind: type[Any] | None
    repeated: bool


def _fields(message: type[betterproto.Message]) -> dict[str, _Field]:
    """The fields of a message under both of their names."""
    tree = betterproto.ProtoClassMetadata(message)
    found = {}
    for name, meta in tree.meta_by_field_name.items():
        proto_name = PROTO_NAMES.get((message.__name__, name), name.rstrip("_"))
        field = _Field(
            name=json_name(proto_name),
            meta=meta,
            kind=tree.cls_by_field[name],
            value_kind=tree.cls_by_field.get(f"{name}.value"),
            repeated=tree.default_gen[name] is list,
        )
        found[proto_name] = found[field.name] = field
    return found


def _message(value: Json, message: type[betterproto.Message]) -> dict[str, Json]:
    if not isinstance(value, dict):
        _unexpected(value)
    fields = _fields(message)
    canonical: dict[str, Json] = {}
    groups: set[str] = set()
    for key, item in value.items():
        field = fields.get(key)
        if field is None:
            refuse_invalid(f'proto: unknown field "{key}"')
        if field.name in canonical:
            refuse_invalid(f'proto: duplicate field "{key}"')
        if item is not None and field.meta.group:
            if field.meta.group in groups:
                refuse_invalid(f'proto: error parsing "{key}", oneof is already set')
            groups.add(field.meta.group)
        canonical[field.name] = None if item is None else _field(key, item, field)
    return canonical


def _field(key: str, value: Json, field: _Field) -> Json:
    if field.meta.proto_type == betterproto.TYPE_MAP:
        if not isinstance(value, dict):
            _unexpected(value)
        return {name: _map_value(name, item, field) for name, item in value.items()}
    if field.repeated:
        if not isinstance(value, list):
            _unexpected(value)
        return [_single(key, item, field) for item in value]
    return _single(key, value, field)


def _map_value(key: str, value: Json, field: _Field) -> Json:
    assert field.meta.map_types
    if field.meta.map_types[1] == betterproto.TYPE_MESSAGE:
        assert field.value_kind
        return _message(value, field.value_kind)
    return _scalar(key, value, field.meta.map_types[1])


def _single(key: str, value: Json, field: _Field) -> Json:
    if field.meta.proto_type == betterproto.TYPE_ENUM:
        return _enum(key, value, field.kind)
    if field.meta.proto_type != betterproto.TYPE_MESSAGE:
        return _scalar(key, value, field.meta.proto_type)
    if field.meta.wraps:
        return _scalar(key, value, field.meta.wraps)
    if field.kind is timedelta:
        return _pattern(value, DURATION, "google.protobuf.Duration")
    if field.kind is datetime:
        return _pattern(value, TIMESTAMP, "google.protobuf.Timestamp")
    return _message(value, field.kind)


def _scalar(key: str, value: Json, kind: str) -> Json:
    check: Callable[[Json], bool]
    if kind in INT_RANGES:
        low, high = INT_RANGES[kind]
        check = lambda item: low <= _int(item) <= high  # noqa: E731 - one of a table
    else:
        check = _CHECKS[kind]
    try:
        good = check(value)
    except (ValueError, TypeError, OverflowError):
        good = False
    if not good:
        refuse_invalid(f"proto: invalid value for {kind} field {key}: {_shown(value)}")
    return value


def _int(value: Json) -> int:
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, str) and value != value.strip():
        raise ValueError
    number = float(value) if isinstance(value, float) or "." in str(value) else int(value)
    if number != int(number):
        raise ValueError
    return int(number)


def _is_number(value: Json) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) or (isinstance(value, str) and float(value) is not None)


def _is_base64(value: Json) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        return False
    return True


_CHECKS: dict[str, Callable[[Json], bool]] = {
    betterproto.TYPE_STRING: lambda value: isinstance(value, str),
    betterproto.TYPE_BOOL: lambda value: isinstance(value, bool),
    betterproto.TYPE_FLOAT: _is_number,
    betterproto.TYPE_DOUBLE: _is_number,
    betterproto.TYPE_BYTES: _is_base64,
}


def _enum(key: str, value: Json, enum: Any) -> Json:
    names = {member.name for member in enum}
    if isinstance(value, str) and value in names:
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        refuse_invalid(f"proto: invalid value for enum field {key}: {_shown(value)}")
    return next((member.name for member in enum if int(member) == value), value)


def _pattern(value: Json, pattern: re.Pattern[str], name: str) -> Json:
    if not isinstance(value, str):
        _unexpected(value)
    if not pattern.fullmatch(value):
        refuse_invalid(f"proto: invalid {name} value {_shown(value)}")
    return value


def _unexpected(value: Json) -> NoReturn:
    refuse_invalid(f"proto: syntax error: unexpected token {_shown(value)}")


def _shown(value: Json) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:60] + "…"
