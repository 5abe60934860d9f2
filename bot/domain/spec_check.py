"""Whether pachd would read a spec: the strict rules of Go's protojson, with help for people.

Source: google.golang.org/protobuf encoding/protojson (decode.go, well_known_types.go).
"""

import difflib
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from bot.domain.reasons import Code, StoppedError
from bot.domain.spec_document import Document, Number, Path, place, shown
from bot.domain.spec_outdated import instead_of
from bot.domain.spec_schema import Field, schema

_INTEGERS = MappingProxyType(
    {
        "int32": (-(2**31), 2**31 - 1),
        "int64": (-(2**63), 2**63 - 1),
        "uint64": (0, 2**64 - 1),
    }
)
_LARGEST_FLOAT = Decimal("3.4028235677973366e38")
"""What still rounds to a 32 bit float."""
_NOT_FINITE = ("NaN", "Infinity", "-Infinity")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,9})?", re.ASCII)
_DURATION = re.compile(r"([-+]?)((?:0|[1-9][0-9]*)(?:\.[0-9]{0,9})?|\.[0-9]{0,9})s", re.ASCII)
_LONGEST_DURATION = 315_576_000_000
"""Seconds; 10,000 years."""
_GO_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(d|h|ms|m|us|µs|ns|s)", re.ASCII)
_UNITS = MappingProxyType(
    {
        "d": Decimal(86400),
        "h": Decimal(3600),
        "m": Decimal(60),
        "s": Decimal(1),
        "ms": Decimal("0.001"),
        "us": Decimal("0.000001"),
        "µs": Decimal("0.000001"),
        "ns": Decimal("0.000000001"),
    }
)
_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"([.,][0-9]{1,9})?(Z|[-+][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


def check(file: str, document: Document) -> None:
    """Refuse what pachd would refuse when it reads a spec.

    Raises:
        StoppedError: SPEC_FIELD_UNKNOWN, SPEC_OUTDATED or SPEC_INVALID, with line and field.
    """
    checking = _Checking(file, document)
    checking.message(document.value, schema().root, ())
    checking.has_name(document.value)


def integer(value: object) -> Decimal | None:
    """The number that protojson reads for an integer: `3`, `"3"` and `3.0` are the same."""
    exact = _decimal(value)
    return exact if exact is not None and exact == exact.to_integral_value() else None


def seconds(text: str) -> Decimal | None:
    """The length of a duration such as `60s`; None where protojson reads none."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    length = Decimal(f"{match[1]}0{match[2]}")
    return length if abs(length) <= _LONGEST_DURATION else None


class _Checking:
    """One document under the check."""

    def __init__(self, file: str, document: Document) -> None:
        self.file = file
        self.document = document
        self.schema = schema()

    def message(self, value: object, message: str, path: Path) -> None:
        if not isinstance(value, dict):
            raise self.invalid(path, f"it is {_what(value)}, and a mapping belongs here")
        seen: dict[str, str] = {}
        oneofs: dict[str, str] = {}
        for key, item in value.items():
            here = (*path, key)
            field = self.schema.field(message, key)
            if field is None:
                raise self.unknown(message, here, key)
            if field.name in seen:
                fact = f"{seen[field.name]} and {key} are the same field"
                raise self.invalid(here, fact, "Keep one of the two.")
            seen[field.name] = key
            if item is None:
                continue
            if field.oneof and oneofs.setdefault(field.oneof, key) != key:
                fact = f"{oneofs[field.oneof]} and {key} cannot both be set"
                raise self.invalid(here, fact, "Keep one of the two.")
            self.field(item, field, here)

    def field(self, value: object, field: Field, path: Path) -> None:
        if field.repeated:
            if not isinstance(value, list):
                fact = f"it is {_what(value)}, and a list belongs here"
                raise self.invalid(path, fact, "Write a list: [...].")
            for position, item in enumerate(value):
                self.single(item, field.kind, (*path, position))
        elif field.kind == "map":
            if not isinstance(value, dict):
                raise self.invalid(path, f"it is {_what(value)}, and a mapping belongs here")
            for key, item in value.items():
                self.string(item, (*path, key))
        else:
            self.single(value, field.kind, path)

    def single(self, value: object, kind: str, path: Path) -> None:
        if kind in self.schema.messages:
            self.message(value, kind, path)
        elif kind in self.schema.enums:
            self.enum(value, self.schema.enums[kind], path)
        elif kind in _INTEGERS:
            self.integer(value, kind, path)
        elif kind == "bool":
            self.bool(value, path)
        elif kind == "float":
            self.float(value, path)
        elif kind == "duration":
            self.duration(value, path)
        elif kind == "timestamp":
            self.timestamp(value, path)
        else:
            self.string(value, path)

    def string(self, value: object, path: Path) -> None:
        if not isinstance(value, str):
            # the value itself may be a password: it is not repeated
            next_step = "Write it in quotes." if _is_scalar(value) else None
            raise self.invalid(path, f"it is {_what(value)}, and a string belongs here", next_step)
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise self.invalid(path, "it has half of a character (U+D800 to U+DFFF) in it")

    def bool(self, value: object, path: Path) -> None:
        if not isinstance(value, bool):
            fact = f"it is {_what(value)}, and true or false belongs here"
            raise self.invalid(path, fact, "Write true or false, without quotes.")

    def integer(self, value: object, kind: str, path: Path) -> None:
        exact = integer(value)
        if exact is None:
            raise self.invalid(path, f"it is {_what(value)}, and a whole number belongs here")
        least, most = _INTEGERS[kind]
        if not least <= exact <= most:
            fact = f"it is out of range, which is {least} to {most}"
            raise self.invalid(path, fact)

    def float(self, value: object, path: Path) -> None:
        if isinstance(value, str) and value in _NOT_FINITE:
            return
        exact = _decimal(value)
        if exact is None:
            raise self.invalid(path, f"it is {_what(value)}, and a number belongs here")
        if abs(exact) >= _LARGEST_FLOAT:
            raise self.invalid(path, "it is too large a number")

    def enum(self, value: object, names: Mapping[str, int], path: Path) -> None:
        if isinstance(value, str):
            if value not in names:
                near = difflib.get_close_matches(value.upper(), names, n=1)
                fact = f"{_short(value)} is not one of {', '.join(names)}"
                raise self.invalid(path, fact, f"Write {near[0]}." if near else None)
            return
        self.integer(value, "int32", path)

    def duration(self, value: object, path: Path) -> None:
        if isinstance(value, str) and seconds(value) is not None:
            return
        fact = f"{_short(value)} is not a duration: Pachyderm takes seconds only, such as 60s"
        raise self.invalid(path, fact, _seconds_to_write(value))

    def timestamp(self, value: object, path: Path) -> None:
        match = _TIMESTAMP.fullmatch(value) if isinstance(value, str) else None
        try:
            if match is not None:
                datetime.fromisoformat(match[1])
                return
        except ValueError:
            pass
        fact = f"{_short(value)} is not a time"
        raise self.invalid(path, fact, 'Write it like "2026-11-23T06:00:00Z".')

    def has_name(self, value: object) -> None:
        pipeline = value.get("pipeline") if isinstance(value, dict) else None
        if not pipeline or not pipeline.get("name"):
            path: Path = () if pipeline is None else ("pipeline",)
            fact = "it has no pipeline.name"
            raise self.invalid(path, fact, "Write pipeline: {name: edges}.")

    def unknown(self, message: str, path: Path, key: str) -> StoppedError:
        where = place(self.file, self.document.line_of(path), path)
        outdated = instead_of(message, key)
        if outdated is not None:
            fact = f"{key} is from Pachyderm 1.x"
            return StoppedError(Code.SPEC_OUTDATED, fact, where=where, next_step=outdated)
        fact = f"Pachyderm knows no field {key} here"
        next_step = self.known(message, path[:-1], key)
        return StoppedError(Code.SPEC_FIELD_UNKNOWN, fact, where=where, next_step=next_step)

    def known(self, message: str, path: Path, key: str) -> str:
        """The nearest field that there is, as a sentence."""
        names = self.schema.names(message, like=key)
        below = self.schema.below(message)
        by_small = {name.lower(): name for name in names}
        if key.lower() not in by_small and key in below:
            return f"Write it under {shown((*path, *below[key][:-1]))}."
        near = difflib.get_close_matches(key.lower(), by_small, n=1)
        if near:
            return f"Write {by_small[near[0]]}."
        everywhere = {**self.schema.below(self.schema.root), **below}
        near = difflib.get_close_matches(key, everywhere, n=1, cutoff=0.8)
        if near:
            start = path if near[0] in below else ()
            return f"Write {shown((*start, *everywhere[near[0]]))}."
        return f"Take it out, or write one of {', '.join(names)}."

    def invalid(self, path: Path, fact: str, next_step: str | None = None) -> StoppedError:
        where = place(self.file, self.document.line_of(path), path)
        return StoppedError(Code.SPEC_INVALID, fact, where=where, next_step=next_step)


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value)
    text = value.text if isinstance(value, Number) else value
    if isinstance(text, str) and _NUMBER.fullmatch(text):
        return Decimal(text)
    return None


def _seconds_to_write(value: object) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f'Write "{value}s".'
    if not isinstance(value, str):
        return None
    text = value.strip().replace(" ", "")
    if text.isdecimal():
        return f"Write {text}s."
    parts = _GO_DURATION.findall(text)
    if not parts or "".join(amount + unit for amount, unit in parts) != text:
        return "Write seconds, such as 3600s."
    total = sum((Decimal(amount) * _UNITS[unit] for amount, unit in parts), Decimal(0))
    return f"Write {total.normalize():f}s."


def _is_scalar(value: object) -> bool:
    return isinstance(value, bool | int | float)


def _what(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a mapping" if isinstance(value, dict) else "a list"


def _short(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) else _what(value)
    return text if len(text) <= 60 else f'{text[:57]}..."'
