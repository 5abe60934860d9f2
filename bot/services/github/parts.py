"""A GraphQL query as the parts that it is put together from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Part:
    """A selection, what it is of, and its variables: one that is declared and not used is wrong."""

    text: str
    types: Mapping[str, str]
    variables: Mapping[str, Any]
    of_repository: bool = True


def query(owner: str, name: str, parts: Iterable[Part]) -> tuple[str, dict[str, Any]]:
    """One that asks all of them, and its variables."""
    parts = tuple(parts)
    inside = " ".join(each.text for each in parts if each.of_repository)
    beside = " ".join(each.text for each in parts if not each.of_repository)
    types: dict[str, str] = {}
    variables: dict[str, Any] = {}
    if inside:
        inside = f"repository(owner: $owner, name: $name) {{ {inside} }}"
        types = {"owner": "String!", "name": "String!"}
        variables = {"owner": owner, "name": name}
    for each in parts:
        types |= each.types
        variables |= each.variables
    declared = ", ".join(f"${name}: {kind}" for name, kind in types.items())
    return f"query({declared}) {{ {inside} {beside} }}", variables
