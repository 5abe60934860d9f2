"""Writes bot/domain/pps_schema.json, the fields of a pipeline spec, from the SDK's own classes.

Run it from the project's root after an upgrade of pachyderm-sdk:
python tests/bot/domain/generate_pps_schema.py
"""

import dataclasses
import json
from datetime import datetime, timedelta
from enum import IntEnum
from importlib import import_module
from pathlib import Path
from typing import Any, get_origin

import betterproto

# imported by name because the SDK comes without type information
ROOT: type[betterproto.Message] = import_module("pachyderm_sdk.api.pps").CreatePipelineRequest
TARGET = Path(__file__).parents[3] / "bot" / "domain" / "pps_schema.json"

NAMES_THE_SDK_CHANGES = {("Egress", "url"): "URL"}
"""betterproto puts names into its own spelling; pps.proto has these as they are here."""

WELL_KNOWN: dict[type, str] = {timedelta: "duration", datetime: "timestamp"}
SCALARS = {"string", "bool", "int32", "int64", "uint64", "float"}


def schema() -> str:
    """The whole file's text."""
    messages: dict[str, dict[str, str]] = {}
    enums: dict[str, dict[str, int]] = {}
    waiting: list[type[betterproto.Message]] = [ROOT]
    while waiting:
        message = waiting.pop(0)
        if message.__name__ not in messages:
            messages[message.__name__] = {}
            for name, kind, refers_to in _fields(message):
                messages[message.__name__][name] = kind
                if issubclass(refers_to, betterproto.Message) and kind != "map":
                    waiting.append(refers_to)
                elif issubclass(refers_to, IntEnum):
                    enums[refers_to.__name__] = {each.name: each.value for each in refers_to}
    content = {"root": ROOT.__name__, "messages": messages, "enums": enums}
    return json.dumps(content, indent=2) + "\n"


def _fields(message: type[betterproto.Message]) -> list[tuple[str, str, type]]:
    about: Any = message()._betterproto
    found = []
    for field in dataclasses.fields(message):  # type: ignore[arg-type]  # each message is one
        meta = about.meta_by_field_name[field.name]
        refers_to = about.cls_by_field[field.name]
        name = NAMES_THE_SDK_CHANGES.get((message.__name__, field.name), field.name)
        words = [f"oneof {meta.group}"] if meta.group else []
        words += ["repeated"] if get_origin(field.type) is list else []
        found.append((name, " ".join([*words, _kind(meta, refers_to)]), refers_to))
    return found


def _kind(meta: betterproto.FieldMetadata, refers_to: type) -> str:
    if meta.map_types:
        assert meta.map_types == ("string", "string"), meta.map_types
        return "map"
    if meta.wraps:
        return meta.wraps
    if meta.proto_type in SCALARS:
        return meta.proto_type
    return WELL_KNOWN.get(refers_to) or refers_to.__name__


if __name__ == "__main__":
    TARGET.write_text(schema())
