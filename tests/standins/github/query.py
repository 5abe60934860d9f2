"""GraphQL documents, parsed as far as a client's query needs it, and answered from plain values."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(r'\.\.\.|[{}():,!\[\]$]|"(?:[^"\\]|\\.)*"|-?\d+|\w+')


class QueryError(Exception):
    """A document that GitHub would not run."""

    def __init__(self, message: str, code: str = "", kind: str = "") -> None:
        self.message, self.code, self.kind = message, code, kind
        super().__init__(message)


@dataclass(frozen=True)
class Selected:
    """A field, or with a type a fragment, and what is wanted of it."""

    name: str
    alias: str
    arguments: Mapping[str, Any]
    inner: tuple["Selected", ...]
    on: str = ""


@dataclass(frozen=True)
class Node:
    """An object: its type, and a value or a function of the arguments for each field."""

    type: str
    fields: Mapping[str, Any] = field(repr=False)


Resolver = Callable[[Mapping[str, Any]], Any]


Path = tuple[str | int, ...]
Missed = list[tuple[Path, QueryError]]
"""Fields that are null because of an error, which all may be that have one here."""


def answer(
    document: str, variables: Mapping[str, Any], roots: Mapping[str, Node]
) -> tuple[Any, Missed]:
    """What the document asks of a root (`query`, `mutation`); QueryError where it is wrong."""
    missed: Missed = []
    kind, selection = _Parser(document, variables).operation()
    return _select(roots[kind], selection, (), missed), missed


def _select(
    node: Node, selection: tuple[Selected, ...], path: Path, missed: Missed
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in selection:
        if each.on:
            if each.on == node.type:
                found |= _select(node, each.inner, path, missed)
            continue
        if each.name == "__typename":
            found[each.alias] = node.type
            continue
        if each.name not in node.fields:
            message = f"Field '{each.name}' doesn't exist on type '{node.type}'"
            raise QueryError(message, code="undefinedField")
        here = (*path, each.alias)
        try:
            value = node.fields[each.name]
            value = value(each.arguments) if callable(value) else value
        except QueryError as error:
            if not error.kind:
                raise
            missed.append((here, error))
            value = None
        found[each.alias] = None if value is None else _shape(value, each, here, missed)
    return found


def _shape(value: Any, selected: Selected, path: Path, missed: Missed) -> Any:
    if isinstance(value, list | tuple):
        return [
            _shape(each, selected, (*path, number), missed) for number, each in enumerate(value)
        ]
    if isinstance(value, Node):
        if not selected.inner:
            message = f"Field must have selections (field '{selected.name}')"
            raise QueryError(message)
        return _select(value, selected.inner, path, missed)
    if value is not None and selected.inner:
        message = f"Selections can't be made on scalars (field '{selected.name}')"
        raise QueryError(message)
    return value


_KINDS = {"Int": int, "String": str, "ID": str, "GitObjectID": str}


class _Parser:
    """One query or mutation with variables; no directives or named fragments."""

    def __init__(self, document: str, variables: Mapping[str, Any]) -> None:
        self._tokens: Iterator[str] = iter(_TOKEN.findall(document))
        self._given = dict(variables)
        self._declared: set[str] = set()
        self._used: set[str] = set()
        self._next = next(self._tokens, "")

    def operation(self) -> tuple[str, tuple[Selected, ...]]:
        """Its kind, and the selection at the top."""
        kind = "query"
        if self._next in {"query", "mutation"}:
            kind = self._take()
            if self._next not in {"(", "{"}:
                self._take()
            if self._next == "(":
                self._declarations()
        found = self._selection()
        if self._next:
            message = f"Parse error on {self._next!r}"
            raise QueryError(message)
        for name in sorted(self._declared - self._used):
            message = f"Variable ${name} is declared by anonymous query but not used"
            raise QueryError(message, code="variableNotUsed")
        return kind, found

    def _declarations(self) -> None:
        self._take("(")
        while self._next != ")":
            self._take("$")
            name = self._take()
            self._take(":")
            kind = self._take()
            is_required = self._next == "!"
            if is_required:
                self._take("!")
            self._check(name, kind, is_required=is_required)
            if self._next == ",":
                self._take(",")
        self._take(")")

    def _check(self, name: str, kind: str, *, is_required: bool) -> None:
        self._declared.add(name)
        value = self._given.get(name)
        if value is None:
            if is_required:
                message = f"Variable ${name} of type {kind}! was provided invalid value"
                raise QueryError(message)
            self._given[name] = None
            return
        if not isinstance(value, dict if kind.endswith("Input") else _KINDS[kind]):
            message = f"Variable ${name} of type {kind} was provided invalid value"
            raise QueryError(message)

    def _selection(self) -> tuple[Selected, ...]:
        self._take("{")
        found = []
        while self._next != "}":
            found.append(self._fragment() if self._next == "..." else self._field())
        self._take("}")
        return tuple(found)

    def _fragment(self) -> Selected:
        self._take("...")
        self._take("on")
        return Selected("", "", {}, on=self._take(), inner=self._selection())

    def _field(self) -> Selected:
        alias = name = self._take()
        if self._next == ":":
            self._take(":")
            name = self._take()
        arguments = self._arguments() if self._next == "(" else {}
        inner = self._selection() if self._next == "{" else ()
        return Selected(name, alias, arguments, inner)

    def _arguments(self) -> dict[str, Any]:
        self._take("(")
        found = {}
        while self._next != ")":
            name = self._take()
            self._take(":")
            found[name] = self._value()
            if self._next == ",":
                self._take(",")
        self._take(")")
        return found

    def _value(self) -> Any:
        token = self._take()
        if token == "$":
            name = self._take()
            if name not in self._declared:
                message = f"Variable ${name} is used but not declared"
                raise QueryError(message)
            self._used.add(name)
            return self._given[name]
        if token == "{":
            return self._object()
        if token in {"true", "false"}:
            return token == "true"
        if token.startswith('"'):
            return token[1:-1]
        return int(token) if token.lstrip("-").isdecimal() else token

    def _object(self) -> dict[str, Any]:
        found = {}
        while self._next != "}":
            name = self._take()
            self._take(":")
            found[name] = self._value()
            if self._next == ",":
                self._take(",")
        self._take("}")
        return found

    def _take(self, expected: str = "") -> str:
        token = self._next
        if not token or (expected and token != expected):
            message = f"Parse error on {token!r} (expected {expected!r})"
            raise QueryError(message)
        self._next = next(self._tokens, "")
        return token
