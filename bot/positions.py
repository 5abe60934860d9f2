"""YAML that knows the line of everything in it, and its mistakes said with those lines."""

import difflib
import re
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from bot.domain.reasons import Code, StoppedError

_MOST_BYTES = 256 * 1024
_DEEPEST = 50
"""Levels: to read more takes seconds, and nothing of ours has ten."""
_MOST_SHOWN = 5

Path = tuple[str, ...]
"""Keys and list positions from the top of a file to a value."""


@dataclass(frozen=True)
class Document:
    """A YAML file's content and where its parts are."""

    file: str
    data: object
    lines: Mapping[Path, int] = field(repr=False)
    """Line of each key and list item, from 1."""

    def where(self, path: Path) -> str:
        """`file:line: dotted.path`; the line of the nearest part that is written."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        line = self.lines.get(known, 1)
        return f"{self.file}:{line}" + (f": {'.'.join(path)}" if path else "")


def read_yaml(text: bytes, *, file: str, code: Code) -> Document:
    """Read one YAML 1.2 document; StoppedError with `code` where it is not one.

    The file may come from a stranger: its size is limited, and aliases are refused because
    a small file can stand for a huge one through them.
    """
    if len(text) > _MOST_BYTES:
        raise StoppedError(code, f"is larger than {_MOST_BYTES // 1024} KiB", where=file)
    content = _decode(text, file, code)
    lines: dict[Path, int] = {}
    node: Node | None = None
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = _DEEPEST
    try:
        node = yaml.compose(content)
        _collect(node, (), lines, set())
        data = None if node is None else _constructor().construct_document(node)
    except _NotAllowedError as error:
        raise StoppedError(code, str(error), where=f"{file}:{error.line}") from None
    except ReaderError as error:
        line = content[: error.position].count("\n") + 1
        fact = "has a control character; write it as an escape in quotes"
        raise StoppedError(code, fact, where=f"{file}:{line}") from None
    except MaxDepthExceededError as error:
        place = f"{file}:{error.problem_mark.line + 1}"
        fact = f"is nested too deep: {_DEEPEST} levels are the most"
        raise StoppedError(code, fact, where=place) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{file}:{mark.line + 1}" if mark else file
        raise StoppedError(code, _say_yaml(error.problem or ""), where=place) from None
    except _UNREADABLE:
        at = _unreadable(node)
        place = file if at is None else f"{file}:{at}"
        raise StoppedError(code, "has a value that cannot be read", where=place) from None
    return Document(file, data, lines)


_UNREADABLE = (YAMLError, ValueError, OverflowError, LookupError, AssertionError)
"""How a number or a date ends that Python cannot hold, and what is not what its tag says."""


def _constructor() -> SafeConstructor:
    constructor: SafeConstructor = YAML(typ="safe", pure=True).constructor
    return constructor


def _unreadable(node: Node | None) -> int | None:
    """The line of the first value that cannot be read."""
    constructor = _constructor()
    waiting = [] if node is None else [node]
    while waiting:
        found = waiting.pop()
        if isinstance(found, MappingNode):
            waiting += [part for pair in reversed(found.value) for part in reversed(pair)]
        elif isinstance(found, SequenceNode):
            waiting += reversed(found.value)
        else:
            try:
                constructor.construct_document(found)
            except _UNREADABLE:
                return int(found.start_mark.line) + 1
    return None


class _NotAllowedError(Exception):
    """YAML that is well formed and that we do not take."""

    def __init__(self, text: str, node: Node) -> None:
        super().__init__(text)
        self.line: int = node.start_mark.line + 1


def _decode(text: bytes, file: str, code: Code) -> str:
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text[: error.start].count(b"\n") + 1
        raise StoppedError(code, "is not UTF-8 text", where=f"{file}:{line}") from None


def _collect(node: Node | None, path: Path, lines: dict[Path, int], seen: set[int]) -> None:
    if node is None:
        return
    if id(node) in seen:
        raise _NotAllowedError("YAML aliases are not supported: write the value again", node)
    seen.add(id(node))
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            _collect(item, (*path, str(index)), lines, seen)
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                raise _NotAllowedError("a key must be text", key)
            here = (*path, str(key.value))
            if here in lines:
                text = f"'{key.value}' is written twice"
                raise _NotAllowedError(text, key)
            lines[here] = key.start_mark.line + 1
            _collect(value, here, lines, seen)


def _say_yaml(problem: str) -> str:
    if "'\\t'" in problem:
        return "is indented with a tab; use spaces"
    if "another document" in problem:
        return "has more than one document (---); one is read"
    # The library quotes what it found, which in a settings file may be a secret.
    if "duplicate key" in problem:
        return "has a key that is written twice"
    shown = re.sub(r"(?<!\S)(['\"])(?!<)[^'\"]{2,}\1(?![^\s,])", "this", problem)
    return f"is not valid YAML: {shown}"


@dataclass(frozen=True)
class Problem:
    """One mistake and its place."""

    where: str
    text: str


def find_problems(
    error: ValidationError,
    model: type[BaseModel],
    where: Callable[[Path], str],
    hints: Mapping[str, str],
) -> tuple[Problem, ...]:
    """What pydantic found, in words; the input's values are never among them.

    Args:
        error: what pydantic raised for `model`.
        model: the outermost model, for the keys that are known at a place.
        where: how to name a place.
        hints: what to say of certain unknown keys instead of naming the nearest known one.
    """
    details = [
        each
        for each in error.errors(include_url=False)
        if each["type"] != "default_factory_not_called"
    ]
    unknown = {_path(each): each for each in details if each["type"] == "extra_forbidden"}
    meant = {
        (*path[:-1], near) for path in unknown if (near := _meant(model, path, hints)) is not None
    }
    paths = [_path(each) for each in details]
    parents = {path[:-1] for path in paths if path}
    return tuple(
        Problem(where(path), _say(each, model, path, hints))
        for path, each in zip(paths, details, strict=True)
        if not (each["type"] == "missing" and path in meant)
        # A list whose items are wrong is also too short for pydantic.
        and not (each["type"] == "too_short" and path in parents)
    )


def stopped(code: Code, problems: Iterable[Problem], *, next_step: str | None) -> StoppedError:
    """One error for all problems, the first few in full."""
    first, *others = problems
    if not others:
        return StoppedError(code, first.text, where=first.where, next_step=next_step)
    shown = [first, *others][:_MOST_SHOWN]
    lines = [f"{1 + len(others)} problems", *(f"{each.where}: {each.text}" for each in shown)]
    if hidden := 1 + len(others) - len(shown):
        lines.append(f"and {hidden} more")
    return StoppedError(code, "\n".join(lines), where=first.where, next_step=next_step)


def nearest(word: str, known: Collection[str]) -> str | None:
    """The known word that was probably meant; None where nothing is near."""
    near = difflib.get_close_matches(word.lower(), {each.lower(): each for each in known}, n=1)
    return next((each for each in sorted(known) if near and each.lower() == near[0]), None)


def _path(error: ErrorDetails) -> Path:
    """Pydantic's location without its own marks: `[key]` and the tags of a union, `<tag>`."""
    parts = [str(part) for part in error["loc"] if not re.fullmatch(r"\[key\]|<\w+>", str(part))]
    at = error.get("ctx", {}).get("at")
    return (*parts, str(at)) if at else tuple(parts)


def _meant(model: type[BaseModel], path: Path, hints: Mapping[str, str]) -> str | None:
    return None if path[-1] in hints else nearest(path[-1], keys_at(model, path[:-1]))


def keys_at(annotation: object, path: Path) -> frozenset[str]:
    """The keys that a model knows at a place in it."""
    models = _models(annotation)
    written = [_as_written(model) for model in models]
    if not path:
        return frozenset(name for fields in written for name in fields)
    inner: list[object] = [fields[path[0]] for fields in written if path[0] in fields]
    if not models:
        inner = _items(annotation)
    return frozenset(name for each in inner for name in keys_at(each, path[1:]))


def _as_written(model: type[BaseModel]) -> dict[str, object]:
    """The annotations of a model's fields, by the names that people write."""
    fields = model.model_fields.items()
    return {field.alias or name: field.annotation for name, field in fields}


def _models(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) not in {typing.Annotated, typing.Union, types.UnionType}:
        return []
    return [model for each in typing.get_args(annotation) for model in _models(each)]


def _items(annotation: object) -> list[object]:
    """What a list or a mapping holds."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _items(typing.get_args(annotation)[0])
    if origin in {typing.Union, types.UnionType}:
        return [item for each in typing.get_args(annotation) for item in _items(each)]
    return [each for each in typing.get_args(annotation) if each is not Ellipsis][-1:]


def _say(error: ErrorDetails, model: type[BaseModel], path: Path, hints: Mapping[str, str]) -> str:
    kind = error["type"]
    context = error.get("ctx", {})
    if kind == "extra_forbidden":
        return _say_unknown(model, path, hints)
    if kind == "string_type":
        return _say_not_text(error["input"])
    if kind == "value_error":
        return str(context["error"])
    template = _WORDS.get(kind)
    return template.format(**context) if template else error["msg"]


def _say_unknown(model: type[BaseModel], path: Path, hints: Mapping[str, str]) -> str:
    key = path[-1]
    if key in hints:
        return hints[key]
    known = keys_at(model, path[:-1])
    near = nearest(key, known)
    if near is not None:
        return f"'{key}' is not known; '{near}' is"
    return f"'{key}' is not known; known are: {', '.join(sorted(known))}"


def _say_not_text(value: object) -> str:
    if isinstance(value, dict) and len(value) == 1 and next(iter(value.values())) is None:
        return f'must be text; put it in quotes: "{{{next(iter(value))}}}"'
    if value is None:
        return "must be text; it is empty"
    if isinstance(value, dict | list):
        return "must be text"
    return "must be text; put it in quotes"


_WORDS = {
    "missing": "is missing",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "dict_type": "must be a mapping (key: value)",
    "mapping_type": "must be a mapping (key: value)",
    "model_type": "must be a mapping (key: value)",
    "model_attributes_type": "must be a mapping (key: value)",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "too_long": "must have at most {max_length} items",
    "string_too_long": "must have at most {max_length} characters",
    "literal_error": "must be one of {expected}",
}
