"""The audit's rows: added one after the other, never changed, read and verified."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice

import sqlalchemy as sa

from bot.domain.audit import Action, Entry, Fault, Head, Row, next_row, verify, wrong_with
from bot.domain.deployment import Actor
from bot.domain.naming import Renaming, Span, spans_of
from bot.domain.reasons import Code, StoppedError
from bot.store.database import Database
from bot.store.tables import AUDIT, AUDIT_HEAD

_PAGE = 1000
_MOST_FAULTS = 20
_LOOKED_AT = 50
_AT_ONCE = 200
_LOOKED_BACK = 200_000
"""Rows, among which decisions on what is not a deployment are looked for."""
_Columns = tuple[int, float, str, str, str, str | None, str | None]


class Audit:
    """Everything that was done. Rows are on disk when a call returns."""

    def __init__(self, database: Database, *, page: int = _PAGE) -> None:
        self._database = database
        self._page = page

    async def append(self, entry: Entry, *, once: str | None = None) -> Row | None:
        """Add a row; None where one with the same `once` is there. Errors: also audit_broken."""
        try:
            return await self._database.write(
                lambda connection: append(connection, entry, once=once)
            )
        except sa.exc.IntegrityError as error:
            # Whoever adds holds the head: a row of this number is none of ours.
            fact = "a row that was not added by pachops is where the next one belongs"
            raise StoppedError(Code.AUDIT_BROKEN, fact) from error

    async def has(self, once: str) -> bool:
        """Whether there is a row that is known by this."""
        return await self._database.read(
            lambda connection: connection.execute(_THERE, {"it": once}).first() is not None
        )

    async def read(
        self, *, after: int = 0, since: float | None = None, limit: int = _PAGE
    ) -> Sequence[Row]:
        """The next rows with a number above `after`, from this time on, in their order."""
        query = _rows(after, limit)
        if since is not None:
            query = query.where(AUDIT.c.at >= since)

        def look(connection: sa.Connection) -> list[Row]:
            with _whatever_it_has(connection):
                return [_row(row) for row in connection.execute(query)]

        return await self._database.read(look)

    async def about(
        self,
        repository: str | None,
        *,
        deployment: str | None = None,
        pull_request: int | None = None,
        who: str | None = None,
        refused: bool = False,
        oldest_first: bool = False,
        limit: int = _LOOKED_AT,
    ) -> Sequence[Row]:
        """Decisions on a deployment, a pull request or a person's commands, the newest first.

        What a person asked without saying of which repository is among theirs, and what was decided
        under a name that the repository had.

        Args:
            repository: where; None: anywhere.
            deployment: its id.
            pull_request: its number.
            who: as `Actor.identity` has it.
            refused: only those that said no.
            oldest_first: the other way round.
            limit: how many at most.
        """
        oldest = (await self.head()).seq - _LOOKED_BACK
        query = (
            _columns()
            .where(AUDIT.c.body.contains('"action":"decision"'))
            .order_by(AUDIT.c.seq if oldest_first else AUDIT.c.seq.desc())
        )
        is_near = AUDIT.c.seq > oldest
        names = None if repository is None else await self._names(repository, is_near)
        if names is not None and who is None:
            query = query.where(sa.or_(*map(_in_span, names)))
        if deployment is not None:
            query = query.where(_of_deployment(deployment, oldest))
        else:
            query = query.where(is_near)
        if pull_request is not None:
            query = query.where(AUDIT.c.body.contains(f'"pull_request":{pull_request}'))
        if refused:
            query = query.where(AUDIT.c.body.contains('"reasons":["'))

        def look(connection: sa.Connection) -> list[Row]:
            # The query looks at a row's text alone: what it takes for a fit may be many others.
            with connection.execute(query.execution_options(yield_per=_AT_ONCE)) as found:
                rows = map(_row, found)
                about = (names, deployment, pull_request, who)
                return list(islice((row for row in rows if _is_about(row, *about)), limit))

        return await self._database.read(look)

    async def of_repository(self, repository: str, *, since: float) -> Sequence[Row]:
        """All that was done there from this time on, under each name that it had; as it was written."""
        is_near = AUDIT.c.at >= since
        names = await self._names(repository, is_near)
        # In the order of the index: for that of their numbers SQLite would look through all rows.
        query = _columns().where(is_near, sa.or_(*map(_in_span, names))).order_by(AUDIT.c.at)

        def look(connection: sa.Connection) -> list[Row]:
            with connection.execute(query.execution_options(yield_per=_AT_ONCE)) as found:
                return [row for row in map(_row, found) if _is_about(row, names, None, None, None)]

        return await self._database.read(look)

    async def _names(self, repository: str, is_near: sa.ColumnElement[bool]) -> tuple[Span, ...]:
        """The names that it had in these rows."""
        return spans_of(repository, await self._renamings(is_near))

    async def _renamings(self, is_near: sa.ColumnElement[bool]) -> list[Renaming]:
        query = _columns().where(
            is_near, AUDIT.c.body.contains(f'"action":"{Action.RENAMED.value}"')
        )

        def look(connection: sa.Connection) -> list[Renaming]:
            found = (_row(row) for row in connection.execute(query))
            renamed = [(row.seq, json.loads(row.body)) for row in found if wrong_with(row) is None]
            return [
                Renaming(seq, body["facts"]["before"], body["facts"]["after"])
                for seq, body in renamed
                if body["action"] == Action.RENAMED
            ]

        return await self._database.read(look)

    async def head(self) -> Head:
        """The last row's number and hash."""
        return await self._database.read(_head)

    async def verify(self, expected: Head | None = None) -> tuple[Head, tuple[Fault, ...]]:
        """The head, and what is not as it was written; at most the first twenty faults."""

        def check(connection: sa.Connection) -> tuple[Head, tuple[Fault, ...]]:
            if connection.dialect.name == "postgresql":
                # What is added meanwhile is neither among the rows nor in the head.
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            with _whatever_it_has(connection):
                head = _head(connection)
                faults = verify(self._all(connection), head, expected)
                return head, tuple(islice(faults, _MOST_FAULTS))

        return await self._database.read(check)

    def _all(self, connection: sa.Connection) -> Iterator[Row]:
        after: int | None = None
        while page := connection.execute(_rows(after, self._page)).all():
            yield from map(_row, page)
            after = page[-1].seq


def append(connection: sa.Connection, entry: Entry, *, once: str | None = None) -> Row | None:
    """Add a row in the caller's transaction, as its last change; None where `once` is there.

    Whoever adds holds the head until the end of the transaction: the chain never forks.
    """
    head = _head(connection, hold=True)
    if once is not None and connection.execute(_THERE, {"it": once}).first():
        return None
    row = next_row(head, entry, once=once)
    connection.execute(_NEXT, vars(row))
    connection.execute(_NEW_HEAD, {"seq": row.seq, "hash": row.hash})
    return row


def _of_deployment(deployment: str, oldest: int) -> sa.ColumnElement[bool]:
    """Rows from before there was a column for it are known by their text."""
    text = f'"deployment":{json.dumps(deployment)}'
    return sa.or_(
        AUDIT.c.deployment == deployment,
        sa.and_(
            AUDIT.c.seq > oldest,
            AUDIT.c.deployment.is_(None),
            AUDIT.c.body.contains(text, autoescape=True),
        ),
    )


def _in_span(span: Span) -> sa.ColumnElement[bool]:
    text = f'"repository":{json.dumps(span.name)}'
    its = AUDIT.c.body.contains(text, autoescape=True) & (AUDIT.c.seq > span.after)
    return its if span.before is None else its & (AUDIT.c.seq < span.before)


@contextmanager
def _whatever_it_has(connection: sa.Connection) -> Iterator[None]:
    """Read also what is no text where it should be: it was not we who wrote it."""
    raw = connection.connection.driver_connection
    if not isinstance(raw, sqlite3.Connection):
        yield
        return
    raw.text_factory = partial(str, encoding="utf-8", errors="replace")
    try:
        yield
    finally:
        raw.text_factory = str


def _is_about(
    row: Row,
    names: Sequence[Span] | None,
    deployment: str | None,
    pull_request: int | None,
    who: str | None,
) -> bool:
    """Whether it truly is, and as it was written: the query looked at its text alone."""
    if wrong_with(row) is not None:
        return False
    body = json.loads(row.body)
    facts, actor = body.get("facts", {}), body.get("actor", {})
    by = Actor(actor.get("name", ""), actor.get("surface", ""), actor.get("account"))
    where = body.get("repository")
    return (
        (
            names is None
            or any(each.has(where, row.seq) for each in names)
            or (who is not None and where is None)
        )
        and deployment in {None, body.get("deployment")}
        and pull_request in {None, facts.get("pull_request")}
        and who in {None, by.identity}
    )


def _head(connection: sa.Connection, *, hold: bool = False) -> Head:
    row = connection.execute(_HEAD_HELD if hold else _HEAD).first()
    if row is None:
        raise StoppedError(Code.AUDIT_BROKEN, "the record of its last row is gone")
    if not isinstance(row.seq, int):  # SQLite takes anything
        raise StoppedError(Code.AUDIT_BROKEN, "the record of its last row has no number")
    return Head(row.seq, row.hash)


def _row(row: sa.Row[_Columns]) -> Row:
    beside = (row.once, row.deployment)
    return Row(row.seq, row.at, row.body, row.previous, row.hash, *beside)


def _columns() -> sa.Select[_Columns]:
    chained = (AUDIT.c.seq, AUDIT.c.at, AUDIT.c.body, AUDIT.c.previous, AUDIT.c.hash)
    return sa.select(*chained, AUDIT.c.once, AUDIT.c.deployment)


def _rows(after: int | None, limit: int) -> sa.Select[_Columns]:
    """The next ones; all, also before the first, where `after` is None."""
    query = _columns().order_by(AUDIT.c.seq).limit(limit)
    return query if after is None else query.where(AUDIT.c.seq > after)


# Made once: every command adds rows.
_HEAD = sa.select(AUDIT_HEAD.c.seq, AUDIT_HEAD.c.hash).where(AUDIT_HEAD.c.id == 1)
_HEAD_HELD = _HEAD.with_for_update()
_NEW_HEAD = sa.update(AUDIT_HEAD)
_THERE = sa.select(AUDIT.c.seq).where(AUDIT.c.once == sa.bindparam("it"))
_NEXT = sa.insert(AUDIT)
