"""Spec files that are YAML, read as pachctl reads them: with gopkg.in/yaml.v3, into JSON.

ruamel.yaml takes the text apart; what its plain words mean is decided here, by yaml.v3's rules.
Source: pachyderm/pachyderm src/internal/ppsutil, go-yaml v3 resolve.go.
"""

import math
import re
from collections.abc import Iterator
from datetime import date

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.scanner import Scanner

from bot.domain.reasons import Code, StoppedError
from bot.domain.spec_document import DEEPEST, Document, Path, number, refused

_SCHEMA = "$schema"
_STANDARD_TAG = "tag:yaml.org,2002:"
_NULL = ("", "~", "null", "Null", "NULL")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)
_OTHER_BASE = re.compile(r"([-+]?)0(?:([xX])([0-9a-fA-F]+)|([bB])([01]+)|[oO]?([0-7]+))", re.ASCII)
_GO_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"([Tt][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}([.,][0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2})"
    r"| [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}([.,][0-9]+)?)?",
    re.ASCII,
)


def read_yaml(file: str, text: str) -> tuple[Document, ...]:
    """The documents.

    Raises:
        StoppedError: SPEC_INVALID, for what is not YAML and for what pachctl does not take of it.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = _Scanner
    events = _Events(yaml.parse(text))
    try:
        return tuple(_documents(file, events))
    except MarkedYAMLError as error:
        raise _broken(file, error) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        fact = f"it has a character that no text has (U+{error.character:04X})"
        raise refused(file, line, (), fact, "Take it out.") from None
    except (YAMLError, ValueError, OverflowError, AssertionError) as error:
        # ruamel.yaml lets what chr() refuses and a %YAML that it does not know end like this
        raise refused(file, events.line, (), f"it is not YAML from here on: {error}") from None


class _Events:
    """The events of a text, and the line of the last one."""

    def __init__(self, events: Iterator[Event]) -> None:
        self.events = events
        self.line = 1

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        event = next(self.events)
        self.line = _line(event)
        return event


class _Scanner(Scanner):
    """Takes tabs between words as yaml.v3 does; ruamel.yaml takes them in flow style only."""

    def scan_to_next_token(self) -> None:
        super().scan_to_next_token()
        while not self.allow_simple_key and self.reader.peek() == "\t":
            self.reader.forward()
            super().scan_to_next_token()

    def scan_plain_spaces(self, indent: int, start_mark: object) -> list[str] | None:
        length = 0
        while self.reader.peek(length) in (" ", "\t"):
            length += 1
        blanks = self.reader.prefix(length)
        if "\t" not in blanks:
            folded: list[str] | None = super().scan_plain_spaces(indent, start_mark)
            return folded
        self.reader.forward(length)
        # only a line break after the blanks leaves something more to say than the blanks
        return super().scan_plain_spaces(indent, start_mark) or [blanks]


def _documents(file: str, events: Iterator[Event]) -> Iterator[Document]:
    for event in events:
        if isinstance(event, DocumentStartEvent):
            reading = _Reading(file, events)
            value = reading.node(next(events), ())
            yield Document(value, reading.lines.__getitem__)


class _Reading:
    """One document on its way from events to a value."""

    def __init__(self, file: str, events: Iterator[Event]) -> None:
        self.file = file
        self.events = events
        self.lines: dict[Path, int] = {}

    def node(self, event: Event, path: Path) -> object:
        """The value that begins with this event; its line is kept."""
        self.lines.setdefault(path, _line(event))
        if isinstance(event, AliasEvent):
            fact = f"*{event.anchor} is an alias, and Pachyderm does not take aliases"
            raise self.refused(event, path, fact, "Write out what it stands for.")
        if isinstance(event, ScalarEvent):
            return self.scalar(event, path)
        if len(path) >= DEEPEST:
            raise self.refused(event, (), f"it is nested more than {DEEPEST} levels deep")
        if isinstance(event, SequenceStartEvent):
            return self.sequence(path)
        return self.mapping(path)

    def sequence(self, path: Path) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            items.append(self.node(event, (*path, len(items))))
        return items

    def mapping(self, path: Path) -> dict[str, object]:
        items: dict[str, object] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            key = self.key(event, path)
            # of a key that is written twice the last one counts, as in pachctl
            self.lines[(*path, key)] = _line(event)
            items[key] = self.node(next(self.events), (*path, key))
        items.pop(_SCHEMA, None)
        return items

    def key(self, event: Event, path: Path) -> str:
        if not isinstance(event, ScalarEvent):
            kind = "mapping" if isinstance(event, MappingStartEvent) else "list"
            kind = "alias" if isinstance(event, AliasEvent) else kind
            raise self.refused(event, path, f"a key is a {kind}; keys are strings")
        key = self.scalar(event, path)
        if not isinstance(key, str):
            fact = f"the key {event.value} is not a string"
            raise self.refused(event, path, fact, f'Write it in quotes: "{event.value}".')
        return key

    def scalar(self, event: ScalarEvent, path: Path) -> object:
        is_plain = event.implicit[0]
        if is_plain:
            return self.plain(event, path)
        if event.tag is None:
            return event.value
        return self.tagged(event, path)

    def plain(self, event: ScalarEvent, path: Path) -> object:
        text = event.value
        if text in _NULL:
            return None
        if text in _BOOL:
            return _BOOL[text]
        if text == "<<":
            fact = "<< merges another mapping into this one, and Pachyderm does not take that"
            raise self.refused(event, path, fact, "Write out what it merges.")
        in_quotes = f'Write it in quotes: "{text}".'
        if _is_timestamp(text):
            fact = f"{text} is a date in YAML, and Pachyderm does not take dates"
            raise self.refused(event, path, fact, in_quotes)
        if _is_json_number(text):
            return number(f"0{text}" if text.startswith(".") else text)
        instead = _odd_number(text)
        if instead is not None:
            fact = f"{text} is a number that Pachyderm does not take as it is written"
            next_step = f"Write {instead}, or {text} in quotes." if instead else in_quotes
            raise self.refused(event, path, fact, next_step)
        return text

    def tagged(self, event: ScalarEvent, path: Path) -> object:
        tag = str(event.tag).removeprefix(_STANDARD_TAG)
        text = event.value
        if tag == "str":
            return text
        if tag == "null":
            return None
        if tag == "bool" and text.lower() in _BOOL:
            return _BOOL[text.lower()]
        if tag in ("int", "float") and _JSON_NUMBER.fullmatch(text):
            return number(text)
        fact = f"the tag {tag} is one that Pachyderm does not take here"
        raise self.refused(event, path, fact, "Take the tag out.")

    def refused(
        self, event: Event, path: Path, fact: str, next_step: str | None = None
    ) -> StoppedError:
        return refused(self.file, _line(event), path, fact, next_step)


def _line(event: Event) -> int:
    line: int = event.start_mark.line
    return line + 1


def _is_json_number(text: str) -> bool:
    with_zero = f"0{text}" if text.startswith(".") else text
    # beyond a float's range yaml.v3 sees a string: 12e4567 may well be a commit
    return bool(_JSON_NUMBER.fullmatch(with_zero)) and math.isfinite(float(with_zero))


def _odd_number(text: str) -> str | None:
    """What to write instead of a number that is not JSON's; None where it is no number."""
    if _NOT_FINITE.fullmatch(text):
        return ""
    if not text[0].isascii() or text[0] not in "+-0123456789":
        return None
    plain = text.replace("_", "")
    other = _OTHER_BASE.fullmatch(plain)
    if other is not None:
        sign, _, hexadecimal, _, binary, octal = other.groups()
        base = 16 if hexadecimal else 2 if binary else 8
        value = int(sign + (hexadecimal or binary or octal), base)
        return str(value) if -(2**63) <= value < 2**64 else None
    if not _GO_FLOAT.fullmatch(plain) or not math.isfinite(float(plain)):
        return None
    is_int = plain.lstrip("+-").isdigit()
    return str(int(plain)) if is_int else repr(float(plain))


def _is_timestamp(text: str) -> bool:
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return False
    try:
        date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return False
    return True


def _broken(file: str, error: MarkedYAMLError) -> StoppedError:
    problem = str(error.problem)
    mark = error.problem_mark
    if "end of stream" in problem and error.context_mark is not None:
        mark = error.context_mark
        problem = "what begins here has no end"
    next_step = None
    if "expected '<document start>'" in problem:
        problem = "another document begins here"
        next_step = "Put --- on a line of its own between two documents."
    elif r"'\t'" in problem:
        problem = "a tab stands where only spaces may"
        next_step = "Indent with spaces."
    where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark is not None else file
    fact = f"it is neither JSON nor YAML: {problem}"
    return StoppedError(Code.SPEC_INVALID, fact, where=where, next_step=next_step)
