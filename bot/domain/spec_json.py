"""Spec files that are JSON: a document, or several between `---` lines."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import NoReturn

from bot.domain.reasons import Code, StoppedError
from bot.domain.spec_document import DEEPEST, Document, Path, number

_SPACE = re.compile(r"[ \t\r\n]*")
_BETWEEN = re.compile(r"^---[ \t]*\r?$", re.MULTILINE)
_SCHEMA = "$schema"


def read_json(file: str, text: str) -> tuple[Document, ...] | None:
    """The documents; None where it is not JSON throughout, which leaves YAML.

    Raises:
        StoppedError: SPEC_INVALID where it is nested too deep.
    """
    try:
        documents = _read(text)
    except RecursionError:
        raise _too_deep(file) from None
    if documents and any(_is_too_deep(document.value) for document in documents):
        raise _too_deep(file)
    return documents


def _read(text: str) -> tuple[Document, ...] | None:
    whole = _document(text, 1)
    if whole is not None:
        return (whole,)
    documents = []
    for part, first_line in _parts(text):
        document = _document(part, first_line)
        if document is None:
            return None
        documents.append(document)
    return tuple(documents)


def _parts(text: str) -> Iterator[tuple[str, int]]:
    """What stands between the `---` lines, and the line on which each part begins."""
    line = 1
    for number_of_part, part in enumerate(_BETWEEN.split(text)):
        if number_of_part or part.strip():
            yield part, line
        line += part.count("\n")


def _document(text: str, first_line: int) -> Document | None:
    try:
        value = json.loads(
            text,
            parse_int=number,
            parse_float=number,
            parse_constant=_refuse,
            object_pairs_hook=_mapping,
        )
    except json.JSONDecodeError:
        return None

    def line_of(path: Path) -> int:
        return first_line + text.count("\n", 0, _offset(text, path))

    return Document(value, line_of)


def _too_deep(file: str) -> StoppedError:
    fact = f"it is nested more than {DEEPEST} levels deep"
    return StoppedError(Code.SPEC_INVALID, fact, where=file)


def _is_too_deep(value: object) -> bool:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [item for each in level for item in _items(each)]
    return bool(level)


def _items(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _refuse(constant: str) -> NoReturn:
    # to YAML, and so to pachctl, NaN and Infinity are strings
    raise json.JSONDecodeError("not JSON", constant, 0)


def _mapping(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return {key: value for key, value in pairs if key != _SCHEMA}


def _offset(text: str, path: Path) -> int:
    """Where the part begins, at its key where it has one. The text is JSON, as `path` is in it."""
    at = begin = _skip_space(text, 0)
    for step in path:
        # of a key that is written twice the last one counts
        begin, at = [found[1:] for found in _members(text, at) if found[0] == step][-1]
    return begin


def _members(text: str, at: int) -> Iterator[tuple[str | int, int, int]]:
    """Each key or position in the mapping or list at `at`, where it begins, where its value does."""
    decoder = json.JSONDecoder(parse_int=number)
    in_mapping = text[at] == "{"
    position = 0
    at = _skip_space(text, at + 1)
    while text[at] not in "}]":
        begin = at
        key: str | int = position
        if in_mapping:
            key, at = decoder.raw_decode(text, at)
            at = _skip_space(text, _skip_space(text, at) + 1)
        yield key, begin, at
        at = _skip_space(text, decoder.raw_decode(text, at)[1])
        at = _skip_space(text, at + 1) if text[at] == "," else at
        position += 1


def _skip_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
