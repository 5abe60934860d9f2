"""A release as GitHub has it, kept with the deployments that it leads to."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

RELEASE = "release"
"""The fact of a deployment that holds it, for announcements."""
_LONGEST_NOTES = 20_000


@dataclass(frozen=True)
class Release:
    """What was published."""

    tag: str
    name: str = ""
    notes: str = ""
    """Markdown, as whoever made it wrote it."""
    url: str = ""
    at: str | None = None
    """When it was published: ISO 8601, always in UTC."""

    def to_json(self) -> dict[str, Any]:
        """For the fact under RELEASE."""
        return asdict(self) | {"notes": self.notes[:_LONGEST_NOTES]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Release":
        """What `to_json` gave."""
        return _RELEASE.validate_python(value)


_RELEASE: TypeAdapter[Release] = TypeAdapter(Release)
