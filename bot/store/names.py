"""What a repository is called, and was: GitHub tells of it by name, and numbers it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from bot.store.tables import RENAMED
from bot.store.values import JSON, decode, encode

OWNER = "owner"
"""What the JSON of a place has beside its name, whether GitHub or we wrote it."""
_INSTALLATION = "installation"
_MOST_NAMES = 20
"""One after the other."""


@dataclass(frozen=True)
class Named:
    """A repository as it is named."""

    address: str
    """By deployments and locks."""
    name: str
    """By channels: `owner/name`."""
    clone_url: str
    """By GitHub."""
    number: int | None = None
    """GitHub's own; None: whatever has the name is meant."""

    @property
    def owner(self) -> str:
        """In lower case."""
        return self.name.partition("/")[0].lower()


class Kind(StrEnum):
    """What has a name."""

    REPOSITORY = "repository"
    OWNER = "owner"


@dataclass(frozen=True)
class Renamed:
    """It has another name; its number stays."""

    kind: Kind
    number: int
    before: str
    after: str


@dataclass(frozen=True)
class Numbers:
    """Of a repository, and of whose it is or was."""

    repository: int
    owner: int


def note_renamed(connection: sa.Connection, renamed: Renamed, now: float) -> None:
    """What was told of it under the old name until now is about the new one."""
    its = (RENAMED.c.kind == renamed.kind) & (RENAMED.c.number == renamed.number)
    # A name that it has again is old no more.
    names = (renamed.before.lower(), renamed.after.lower())
    connection.execute(sa.delete(RENAMED).where(its, RENAMED.c.before.in_(names)))
    values = {"before": names[0], "after": renamed.after, "at": now}
    connection.execute(
        sa.insert(RENAMED).values(kind=renamed.kind, number=renamed.number, **values)
    )


def current_name(connection: sa.Connection, numbers: Numbers, name: str, told_at: float) -> str:
    """What a repository is called by now that was told of as `owner/name` then."""
    for _ in range(_MOST_NAMES):
        owner, _, rest = name.partition("/")
        as_repository = _after(connection, Kind.REPOSITORY, numbers.repository, name, told_at)
        as_owner = _after(connection, Kind.OWNER, numbers.owner, owner, told_at)
        after = as_repository or f"{as_owner or owner}/{rest}"
        if after == name:
            break
        name = after
    return name


def under_its_name(payload: str, name: str) -> str:
    """A webhook's payload as if it had been told under this name of its repository."""
    told: dict[str, Any] = decode(payload)
    place = told["repository"]
    root = place["clone_url"].rsplit("/", 2)[0]
    before = Named("", f"{place[OWNER]['login']}/{place['name']}", place["clone_url"])
    return encode(moved_place(told, before, Named("", name, f"{root}/{name}.git")))


def _after(
    connection: sa.Connection, kind: Kind, number: int, before: str, told_at: float
) -> str | None:
    of = {"kind": kind, "number": number, "before": before.lower(), "told_at": told_at}
    after: str | None = connection.execute(_AFTER, of).scalar()
    return after


_AFTER = sa.select(RENAMED.c.after).where(
    *(RENAMED.c[each] == sa.bindparam(each) for each in ("kind", "number", "before")),
    RENAMED.c.at > sa.bindparam("told_at"),
)


def moved_place(value: JSON, before: Named, after: Named) -> JSON:
    """JSON with the new name wherever it has the repository's."""
    if isinstance(value, list):
        return [moved_place(each, before, after) for each in value]
    if not isinstance(value, dict):
        return value
    inner = {key: moved_place(each, before, after) for key, each in value.items()}
    named = inner | _named(inner, before, after)
    if named != value and before.owner != after.owner and _INSTALLATION in named:
        # Another owner has another; the App asks which.
        named[_INSTALLATION] = None
    return named


def _named(place: Mapping[str, JSON], before: Named, after: Named) -> dict[str, JSON]:
    """The new names of those that it has; nothing of another place."""
    owner, name = place.get(OWNER), place.get("name")
    login = owner.get("login") if isinstance(owner, dict) else owner
    if f"{login}/{name}".lower() != before.name.lower():
        return {}
    new_owner, _, new_name = after.name.partition("/")
    named = {
        OWNER: {**owner, "login": new_owner} if isinstance(owner, dict) else new_owner,
        "name": new_name,
        "full_name": after.name,
        "clone_url": after.clone_url,
    }
    return {key: each for key, each in named.items() if key in place}
