"""A request's JSON, read strictly: unknown names and wrong types are refused."""

from collections.abc import Collection, Mapping
from typing import Any

from tests.standins.github.errors import invalid, malformed


class Fields:
    """An object of a request, each field of which is read once."""

    def __init__(self, resource: str, values: Mapping[str, Any], prefix: str = "") -> None:
        self._resource = resource
        self._left = dict(values)
        self._prefix = prefix

    def has(self, name: str) -> bool:
        """Whether the field was sent."""
        return name in self._left

    def text(self, name: str, default: str | None = None) -> str:
        """A text; without a default it is required."""
        found = self._take(name, default)
        if not isinstance(found, str):
            raise self._wrong(name, found, "string")
        return found

    def limited(self, name: str, most: int, default: str | None = None) -> str:
        """A text of at most so many characters."""
        found = self.text(name, default)
        if len(found) > most:
            message = f"Only {most} characters are allowed; {len(found)} were supplied."
            raise malformed(message)
        return found

    def sized(self, name: str, most: int, default: str | None = None) -> str:
        """A text of at most so many bytes, although GitHub's documentation says characters."""
        found = self.limited(name, most, default)
        if len(found.encode()) > most:
            message = f"{name} exceeds a maximum bytesize of {most}"
            raise invalid(self._resource, name, "custom", message)
        return found

    def choice(self, name: str, choices: Collection[str], default: str | None = None) -> str:
        """One of these."""
        found = self.text(name, default)
        if found not in choices:
            listed = ", ".join(f'"{each}"' for each in choices)
            where = f"properties/{self._prefix}{name}"
            message = f"For '{where}', \"{found}\" is not a member of [{listed}]."
            raise malformed(message)
        return found

    def whole(self, name: str) -> int:
        """A number, required."""
        found = self._take(name, None)
        if not isinstance(found, int) or isinstance(found, bool):
            raise self._wrong(name, found, "integer")
        return found

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        found = self._left.pop(name, default)
        if not isinstance(found, bool):
            raise self._wrong(name, found, "boolean")
        return found

    def inner(self, name: str) -> "Fields":
        """An object, required."""
        found = self._take(name, None)
        if not isinstance(found, dict):
            raise self._wrong(name, found, "object")
        return Fields(self._resource, found, f"{self._prefix}{name}/")

    def inners(self, name: str, most: int) -> list["Fields"]:
        """A list of objects, empty where it was not sent."""
        found = self._left.pop(name, [])
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise self._wrong(name, found, "array")
        if len(found) > most:
            message = f"No more than {most} items are allowed; {len(found)} were supplied."
            raise malformed(message)
        return [Fields(self._resource, each, f"{self._prefix}{name}/items/") for each in found]

    def anything(self, name: str, default: object) -> Any:
        """Any JSON."""
        return self._left.pop(name, default)

    def end(self) -> None:
        """Refuse what nobody read. GitHub often ignores it; but here it is a slip of ours."""
        if self._left:
            listed = ", ".join(f'"{each}"' for each in self._left)
            message = f"{listed} is not a permitted key."
            raise malformed(message)

    def _take(self, name: str, default: object) -> Any:
        found = self._left.pop(name, default)
        if found is None:
            message = f'"{name}" wasn\'t supplied.'
            raise malformed(message)
        return found

    def _wrong(self, name: str, found: object, kind: str) -> Exception:
        where = f"properties/{self._prefix}{name}"
        return malformed(f"For '{where}', {found!r} is not a {kind}.")
