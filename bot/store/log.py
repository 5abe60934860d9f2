"""A deployment's log, read in pieces: it may have a million lines."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from bot.store.database import Database
from bot.store.tables import DEPLOYMENT, PROGRESS
from bot.store.values import decode

SPAN = 200_000
"""Events that one query looks through, so that a search never keeps the others waiting."""


@dataclass(frozen=True)
class Line:
    """A line of output, as it came."""

    number: int
    """Of the event: it rises, and is the same for ever."""
    at: float
    """Seconds since the epoch."""
    stage: str
    subject: str
    """The image or pipeline that it is of."""
    text: str


@dataclass(frozen=True)
class Found:
    """What a search has found so far."""

    lines: tuple[Line, ...]
    searched_to: int
    """The number of the last event that was looked at; a further search goes on after it."""
    is_whole: bool
    """Whether nothing is left to look through."""


class LogReader:
    """Lines of the deployments' logs, always in their order."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def before(self, deployment_id: str, number: int | None, limit: int) -> tuple[Line, ...]:
        """The last lines before this number; the last of all where it is None."""
        query = _lines(deployment_id).order_by(PROGRESS.c.seq.desc()).limit(limit)
        if number is not None:
            query = query.where(PROGRESS.c.seq < number)
        return (await self._read(query))[::-1]

    async def after(self, deployment_id: str, number: int, limit: int) -> tuple[Line, ...]:
        """The first lines after this number."""
        query = _lines(deployment_id).where(PROGRESS.c.seq > number)
        return await self._read(query.order_by(PROGRESS.c.seq).limit(limit))

    async def count(self, deployment_id: str) -> int:
        """How many lines there are, give or take those that were left out of its middle."""

        def read(connection: sa.Connection) -> int:
            told = sa.select(sa.func.count()).where(
                PROGRESS.c.deployment == deployment_id, _IS_TOLD
            )
            last = sa.select(DEPLOYMENT.c.last_event).where(DEPLOYMENT.c.id == deployment_id)
            events: int = connection.execute(last).scalar() or 0
            return max(events - connection.execute(told).scalar_one(), 0)

        return await self._database.read(read)

    async def search(
        self, deployment_id: str, text: str, *, after: int = 0, limit: int = 200
    ) -> Found:
        """Lines that contain the text, whatever the case of its ASCII letters."""
        lines: list[Line] = []
        last = await self._last_number(deployment_id)
        searched_to = after
        while searched_to < last and len(lines) < limit:
            span = (searched_to, min(searched_to + SPAN, last))
            room = limit - len(lines)
            found = await self._database.read(
                partial(_found, deployment_id=deployment_id, text=text, span=span, room=room)
            )
            lines += found
            searched_to = found[-1].number if len(found) == room else span[1]
        return Found(tuple(lines), searched_to, is_whole=searched_to >= last)

    async def _last_number(self, deployment_id: str) -> int:
        query = sa.select(sa.func.max(PROGRESS.c.seq)).where(PROGRESS.c.deployment == deployment_id)
        return await self._database.read(lambda connection: connection.execute(query).scalar()) or 0

    async def _read(self, query: sa.Select[Any]) -> tuple[Line, ...]:
        return await self._database.read(lambda connection: _rows(connection, query))


# Written out: a bound value would not be seen to fit the partial index.
_IS_TOLD = PROGRESS.c.size == sa.literal_column("0")


def _lines(deployment_id: str) -> sa.Select[Any]:
    return sa.select(PROGRESS.c.seq, PROGRESS.c.at, PROGRESS.c.event).where(
        PROGRESS.c.deployment == deployment_id, PROGRESS.c.size > 0
    )


def _found(
    connection: sa.Connection, *, deployment_id: str, text: str, span: tuple[int, int], room: int
) -> tuple[Line, ...]:
    return _rows(connection, _search(connection, deployment_id, text, span).limit(room))


def _search(
    connection: sa.Connection, deployment_id: str, text: str, span: tuple[int, int]
) -> sa.Select[Any]:
    """First by the event as it is stored, which is quick, then by its text alone."""
    stored = json.dumps(text, ensure_ascii=False)[1:-1]
    event = PROGRESS.c.event
    query = _lines(deployment_id).where(PROGRESS.c.seq > span[0], PROGRESS.c.seq <= span[1])
    if connection.dialect.name == "sqlite":
        # Its LIKE does not mind the case of ASCII letters.
        said: sa.ColumnElement[str] = sa.func.json_extract(event, "$.text", type_=sa.Text)
        fits = event.contains(stored, autoescape=True) & said.contains(text, autoescape=True)
    else:
        said = sa.cast(event, sa.JSON)["text"].as_string()
        fits = event.icontains(stored, autoescape=True) & said.icontains(text, autoescape=True)
    return query.where(fits).order_by(PROGRESS.c.seq)


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> tuple[Line, ...]:
    return tuple(map(_line, connection.execute(query).all()))


def _line(row: sa.Row[Any]) -> Line:
    event = decode(row.event)
    return Line(row.seq, row.at, event["stage"], event["subject"], event["text"])


def told(deployment_id: str) -> sa.Select[Any]:
    """The rows of all events but log lines."""
    return (
        sa.select(PROGRESS.c.seq, PROGRESS.c.at, PROGRESS.c.event)
        .where(PROGRESS.c.deployment == deployment_id, _IS_TOLD)
        .order_by(PROGRESS.c.seq)
    )


def numbers(lines: Sequence[Line]) -> tuple[int, int]:
    """The first and the last line's number; zeros without lines."""
    return (lines[0].number, lines[-1].number) if lines else (0, 0)
