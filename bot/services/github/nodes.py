"""What REST knows by a number and GraphQL by a text, as far as this process has met it."""

from enum import Enum, auto

MOST = 20_000
"""Then the oldest is forgotten: what is not known is written by REST."""


class Kind(Enum):
    """Of things."""

    REPOSITORY = auto()
    PULL_REQUEST = auto()
    COMMENT = auto()
    CHECK = auto()
    DEPLOYMENT = auto()


class Nodes:
    """GraphQL's ids; used on one event loop."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Kind, int], str] = {}

    def learn(self, full_name: str, kind: Kind, number: int, node: str | None) -> None:
        """Note what an answer says; a repository has no number, which is 0."""
        if not node:
            return
        key = (full_name.lower(), kind, number)
        # What is met again is forgotten later.
        self._known.pop(key, None)
        self._known[key] = node
        if len(self._known) > MOST:
            del self._known[next(iter(self._known))]

    def find(self, full_name: str, kind: Kind, number: int = 0) -> str | None:
        """Its id, where it is known."""
        return self._known.get((full_name.lower(), kind, number))
