"""Durations and memory sizes as people write them in a project file or in the settings."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

_PARTS = r"(?=[0-9])(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)s)?"
_DURATION = re.compile(_PARTS)
_DAYS = re.compile(r"([1-9][0-9]{0,4})d")
_SIZE = re.compile(r"([0-9]{1,9})([kmgKMG])")
_FACTORS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_DAY = 86_400.0
_AGO = re.compile(r"([0-9]{1,6})(m|h|d|w)")
_AGO_SECONDS = {"m": 60.0, "h": 3600.0, "d": _DAY, "w": 7 * _DAY}
_LEAST_MEMORY = 6 << 20
"""The Docker Engine refuses a container with less."""


def parse_seconds(value: object) -> float:
    """The seconds of `90s`, `10m` or `1h30m`, at most a day; ValueError says what to write."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a duration with its unit, such as 90s, 10m or 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if total > _DAY:
        raise ValueError("must be at most 24h")
    return total


def since_when(text: str, *, now: float) -> float:
    """The moment of `2h` or `7d` ago, or of a day or time in ISO 8601; ValueError otherwise.

    Seconds since the epoch; a time without a zone is this machine's.
    """
    found = _AGO.fullmatch(text.strip().lower())
    if found:
        return now - float(found[1]) * _AGO_SECONDS[found[2]]
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError):
        raise ValueError("must be such as 30m, 2h, 7d, or a day such as 2026-11-30") from None


def parse_days(value: object) -> float:
    """The seconds of `30d`; ValueError says what to write."""
    found = _DAYS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a number of days with its unit, such as 30d")
    return float(found[1]) * _DAY


def parse_size(value: object) -> int:
    """The bytes of `512m` or `2g`; ValueError says what to write."""
    found = _SIZE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("must be a size with its unit, such as 512m or 2g")
    return int(found[1]) * _FACTORS[found[2].lower()]


def shown_size(count: int) -> str:
    """Bytes as people say them: `512.0 MB`, `2.5 GB`."""
    if count >= 1 << 30:
        return f"{count / (1 << 30):.1f} GB"
    return f"{count / (1 << 20):.1f} MB"


def _memory(value: object) -> str:
    if parse_size(value) < _LEAST_MEMORY:
        raise ValueError("must be at least 6m: the Docker Engine refuses less")
    return str(value).lower()


_WRITTEN_DURATION = Annotated[str, Field(pattern=f"^{_PARTS}$", examples=["90s", "10m", "1h30m"])]
_WRITTEN_SIZE = Annotated[str, Field(pattern="^[0-9]+[kmgKMG]$", examples=["512m", "2g"])]


def lasting(written: str) -> Any:  # noqa: ANN401 - what pydantic's Field returns
    """A field's default duration, which the JSON Schema shows as people write it."""
    return Field(default=parse_seconds(written), json_schema_extra={"default": written})


def lasting_days(written: str) -> Any:  # noqa: ANN401 - what pydantic's Field returns
    """A field's default number of days."""
    return Field(default=parse_days(written), json_schema_extra={"default": written})


def sized(written: str) -> Any:  # noqa: ANN401 - what pydantic's Field returns
    """A field's default size, which the JSON Schema shows as people write it."""
    return Field(default=parse_size(written), json_schema_extra={"default": written})


def _some(value: float) -> float:
    if value == 0:
        raise ValueError("must be more than 0")
    return value


Seconds = Annotated[float, BeforeValidator(parse_seconds, json_schema_input_type=_WRITTEN_DURATION)]
"""A duration in seconds, written `90s`, `10m` or `1h30m`."""

Timeout = Annotated[Seconds, AfterValidator(_some)]
"""A duration that is more than 0."""

Days = Annotated[
    float,
    BeforeValidator(
        parse_days,
        json_schema_input_type=Annotated[str, Field(pattern="^[1-9][0-9]*d$", examples=["30d"])],
    ),
]
"""A duration in seconds, written `30d`."""

Size = Annotated[int, BeforeValidator(parse_size, json_schema_input_type=_WRITTEN_SIZE)]
"""A size in bytes, written `512m` or `2g`."""

Memory = Annotated[str, BeforeValidator(_memory, json_schema_input_type=_WRITTEN_SIZE)]
"""A memory size as the Docker Engine reads it, written `512m` or `2g`."""
