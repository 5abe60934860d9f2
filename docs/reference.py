"""docs/reference.md from the models: every field with its type, its default and its meaning."""

import re
from collections.abc import Iterator
from typing import Any

from bot import project
from bot.settings import model as settings

Schema = dict[str, Any]

_HEAD = """# Reference

Every field, as the models in the code have it. What they are for is in
[configuration.md](configuration.md), and who may deploy what in [rules.md](rules.md).

<!-- Written by `make docs` from bot/project.py and bot/settings. -->
"""
_PROJECT = """
## The project file `.pachops.yml`

What a repository declares. Editors read the same from [pachops.schema.json](pachops.schema.json).
"""
_SETTINGS = """
## The settings file

What the operator sets. [configuration.md](configuration.md#what-the-operator-sets) has the variables
for most of it. Editors read the same from [settings.schema.json](settings.schema.json).
"""
_TYPES = {"string": "text", "integer": "number", "number": "number", "boolean": "`true` or `false`"}


def reference_page() -> str:
    """The page."""
    parts = [_HEAD]
    for title, schema in ((_PROJECT, project.json_schema()), (_SETTINGS, settings.json_schema())):
        parts += [title, *_sections(schema)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).rstrip() + "\n"


def fields_without_meaning() -> list[str]:
    """Those that nobody has described."""
    found = []
    for schema in (project.json_schema(), settings.json_schema()):
        for name, model in {"": schema, **schema["$defs"]}.items():
            for field, about in model.get("properties", {}).items():
                if not about.get("description"):
                    found.append(f"{name}.{field}")
    return found


def _sections(schema: Schema) -> Iterator[str]:
    """A table for each model, named by where it stands; one that stands in several places once."""
    places: dict[str, str] = {}
    waiting = [("", schema)]
    while waiting:
        place, model = waiting.pop(0)
        fields = model["properties"]
        for name, about in fields.items():
            for reference, inner in _references(about):
                if reference not in places:
                    kind = _kind(schema["$defs"][reference]) if _is_choice(about) else ""
                    places[reference] = _joined(place, name, inner, kind)
                    waiting.append((places[reference], schema["$defs"][reference]))
        if place:
            yield f"### `{place}`\n"
            yield _line(model.get("description", "")) + "\n"
        yield "| field | what it takes | default | meaning |\n| --- | --- | --- | --- |"
        for name, about in fields.items():
            default = "needed" if name in model.get("required", ()) else _default(about)
            yield f"| `{name}` | {_type(about, places)} | {default} | {_meaning(about)} |"
        yield ""


def _references(about: Schema, inner: str = "") -> Iterator[tuple[str, str]]:
    """The models that a field takes, each with what stands between: a name, or nothing."""
    if "$ref" in about:
        yield about["$ref"].rpartition("/")[2], inner
    for each in about.get("anyOf", ()):
        yield from _references(each, inner)
    if isinstance(about.get("items"), dict):
        yield from _references(about["items"], inner)
    if isinstance(values := _values(about), dict):
        yield from _references(values, "NAME")


def _values(about: Schema) -> Schema | None:
    """What each name of an object has."""
    patterns = list(about.get("patternProperties", {}).values())
    found: Schema | bool | None = patterns[0] if patterns else about.get("additionalProperties")
    return found if isinstance(found, dict) else None


def _is_choice(about: Schema) -> bool:
    """Whether a list's items are of several models."""
    return len([*_references(about)]) > 1


def _kind(model: Schema) -> str:
    """Its first field that must be there tells it from others."""
    return str(next(iter(model["required"]), ""))


def _joined(*parts: str) -> str:
    return ": ".join(filter(None, parts))


def _type(about: Schema, places: dict[str, str]) -> str:
    if "$ref" in about:
        place = places[about["$ref"].rpartition("/")[2]]
        anchor = re.sub(r"[^\w -]", "", place).lower().replace(" ", "-")
        return f"[{place.rpartition(': ')[2]}](#{anchor})"
    if "anyOf" in about:
        kinds = (_type(each, places) for each in about["anyOf"] if each.get("type") != "null")
        return " or ".join(dict.fromkeys(kinds))
    if about.get("type") == "array":
        return f"a list: {_type(about.get('items', {}), places)}"
    if about.get("type") == "object":
        return f"names, each with: {_type(_values(about) or {}, places)}"
    return _plain_type(about)


def _plain_type(about: Schema) -> str:
    if "const" in about or "enum" in about:
        values = about.get("enum") or [about["const"]]
        return ", ".join(f"`{_written(each)}`" for each in values)
    if about.get("format") == "password":
        return "a secret"
    return _TYPES.get(about.get("type", ""), "text")


def _default(about: Schema) -> str:
    value = about.get("default")
    is_plain = isinstance(value, str | int | bool) or (isinstance(value, list) and value)
    return f"`{_written(value)}`" if is_plain and value != "" else ""


def _written(value: object) -> str:
    """As YAML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return str(value)


def _meaning(about: Schema) -> str:
    return _line(about.get("description", "")).replace("|", "\\|")


def _line(text: str) -> str:
    return " ".join(text.split())
