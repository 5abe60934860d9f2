"""Which repository has a name: GitHub may give it to another at once, and numbers each for good."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bot.store.database import Database
from bot.store.names import Kind
from bot.store.tables import KNOWN_NAME, RENAMED


@dataclass(frozen=True)
class KnownName:
    """What is kept under a name is of this repository."""

    name: str
    """`owner/name`, as GitHub writes it; or where it was put aside."""
    number: int

    @property
    def had(self) -> str:
        """The name that it was put aside from; else the one that it has."""
        return self.name.partition(_ASIDE)[0]

    @property
    def is_aside(self) -> bool:
        """Another has its name, and what it is called itself is not known."""
        return _ASIDE in self.name

    def aside(self, *, goes_on: bool) -> "KnownName":
        """Its place beside the name; one that goes on from there is found by that name."""
        name = f"{self.had}{_ASIDE}{self.number}"
        return KnownName(name + _ASIDE if goes_on else name, self.number)


class KnownNames:
    """Of the repositories that something was asked of. Changes are on disk when a call returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def about(self, number: int, name: str) -> Sequence[KnownName]:
        """The names of a repository, whose this name is, and who is on the way from it to another."""
        of = {"number": number, "name": name.lower()}
        beside_it = KNOWN_NAME.c.name.startswith(f"{name.lower()}{_ASIDE}", autoescape=True)
        query = _KNOWN.where(_IS_IT | _HAS_NUMBER | (beside_it & _GOES_ON))
        rows = await self._database.read(lambda connection: connection.execute(query, of).all())
        return [KnownName(row.written, row.number) for row in rows]

    async def number_of(self, name: str) -> int | None:
        """The repository that has it; None where that is not known."""
        of = {"name": name.lower()}
        return await self._database.read(
            lambda connection: connection.execute(_NUMBER, of).scalar()
        )

    async def has_left(self, number: int, name: str) -> bool:
        """Whether a repository is known to have got another name after this one."""
        of = {"kind": Kind.REPOSITORY, "number": number, "before": name.lower()}
        query = sa.select(RENAMED.c.number).filter_by(**of)
        return await self._database.read(
            lambda connection: connection.execute(query).first() is not None
        )

    async def note(self, known: KnownName) -> None:
        """The name is its own from now on."""
        await self._database.write(lambda connection: _note(connection, known))


def hand_on(connection: sa.Connection, number: int, before: str, after: str) -> bool:
    """What a repository had as its name is another's now; False where it was another's already."""
    of = {"name": before.lower()}
    whose = connection.execute(_NUMBER.with_for_update(), of).scalar()
    if whose not in {None, number}:
        return False
    connection.execute(_FORGET, of)
    _note(connection, KnownName(after, number))
    return True


def _note(connection: sa.Connection, known: KnownName) -> None:
    values = {"name": known.name.lower(), "number": known.number, "written": known.name}
    connection.execute(_NOTE, values)


_ASIDE = "~"
"""No name on GitHub has it."""

_IS_IT = KNOWN_NAME.c.name == sa.bindparam("name")
_HAS_NUMBER = KNOWN_NAME.c.number == sa.bindparam("number")
_GOES_ON = KNOWN_NAME.c.name.endswith(_ASIDE)
_KNOWN = sa.select(KNOWN_NAME.c.written, KNOWN_NAME.c.number)
_NUMBER = sa.select(KNOWN_NAME.c.number).where(_IS_IT)
_FORGET = sa.delete(KNOWN_NAME).where(_IS_IT)
# Both databases know it, and SQLAlchemy has a word for each: two may say the same at once.
_NOTE = sa.text(
    "INSERT INTO known_name (name, number, written) VALUES (:name, :number, :written)"
    " ON CONFLICT (name) DO UPDATE SET number = excluded.number, written = excluded.written"
)
