"""JSON of which every text is masked before it is kept."""

from collections.abc import Callable, Mapping
from typing import Any


def cleaned(value: Any, clean: Callable[[str], str]) -> Any:  # noqa: ANN401 - JSON
    """The same, every text in it through `clean`; keys stay as they are."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {key: cleaned(each, clean) for key, each in value.items()}
    if isinstance(value, list):
        return [cleaned(each, clean) for each in value]
    return value
