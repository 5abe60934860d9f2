"""JSON values, and how they are written into text columns."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

JSON: TypeAlias = Mapping[str, "JSON"] | Sequence["JSON"] | str | int | float | bool | None


def encode(value: object) -> str:
    """The value as JSON that every database takes as text.

    Half a surrogate pair, which a command's output can have, becomes `?`.

    Raises:
        TypeError: the value is not JSON.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace").decode()


def decode(text: str) -> Any:  # noqa: ANN401 - JSON; whoever decodes validates it
    """The value of `encode`'s text."""
    return json.loads(text)
