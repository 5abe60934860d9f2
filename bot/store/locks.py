"""Locks, and what their owners are to be told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.domain.audit import BOT, Action, Entry
from bot.domain.deployment import Actor
from bot.domain.lock import Lock, Notice, NoticeKind, remind_at
from bot.store.audit import append
from bot.store.database import Database
from bot.store.tables import LOCK, LOCK_NOTICE
from bot.store.values import decode, encode

T = TypeVar("T")

_LOCK: TypeAdapter[Lock] = TypeAdapter(Lock)
_ACTOR: TypeAdapter[Actor] = TypeAdapter(Actor)
_EVERYWHERE = "*"
"""No environment's name."""
_SHOWN_SECONDS = 30 * 86_400.0
"""How long a notice waits for its owner to come back to a terminal."""
_TRIES = 5
"""How often a lock that is freed at the moment when it is found held is tried for."""


@dataclass(frozen=True)
class Taken:
    """The lock is held by who asked."""

    lock: Lock
    renewed: bool = False
    """It was theirs before; reason, end and pull request are the new ones."""
    over: Lock | None = None
    """Another's, that it took the place of."""


@dataclass(frozen=True)
class Busy:
    """Somebody else has it."""

    lock: Lock


@dataclass(frozen=True)
class Freed:
    """It is released."""

    lock: Lock


@dataclass(frozen=True)
class Gone:
    """There is none."""


@dataclass(frozen=True)
class Changed:
    """It is not the one that was seen; nothing was done."""

    lock: Lock
    """The one that is there."""


class Locks:
    """All locks. Changes are on disk when a call returns, with their row in the audit.

    A lock that has expired is none, whether its end was noticed or not.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, repository: str, environment: str, now: float) -> tuple[Lock, ...]:
        """The locks that an environment is under: its own, and that of all environments."""
        found = await self.list(repository, now)
        return tuple(each for each in found if each.covers(environment))

    async def list(self, repository: str | None, now: float) -> tuple[Lock, ...]:
        """All locks of a repository, or of all, the oldest first."""
        return await self._database.read(lambda connection: locks_of(connection, repository, now))

    async def take(self, lock: Lock, now: float) -> Taken | Busy:
        """Take it where it is free; of all who try one wins. The owner's own is renewed."""

        def write(connection: sa.Connection) -> Taken | Busy:
            _expire(connection, now, lock)
            there = _there(connection, lock)
            if there is None:
                _insert(connection, lock, now)
                _say(connection, Action.LOCKED, lock.owner, lock, now)
                return Taken(lock)
            if not there.is_of(lock.owner):
                return Busy(there)
            renewed = replace(lock, id=there.id, created_at=there.created_at)
            _delete(connection, there)
            _insert(connection, renewed, now)
            _say(connection, Action.LOCK_RENEWED, lock.owner, renewed, now)
            return Taken(renewed, renewed=True)

        return await self._at_last(write)

    async def take_over(self, seen: str, lock: Lock, now: float) -> Taken | Changed:
        """Take another's lock, where it is still the one that was seen; its owner gets a notice.

        One that was freed meanwhile is taken as any other.

        Args:
            seen: its id.
            lock: the new one, for the same place.
            now: seconds since the epoch.
        """

        def write(connection: sa.Connection) -> Taken | Changed:
            _expire(connection, now, lock)
            there = _there(connection, lock)
            if there is not None and there.id != seen:
                return Changed(there)
            if there is not None:
                _delete(connection, there)
                if not there.is_of(lock.owner):
                    _notify(connection, NoticeKind.TAKEN_OVER, there, now, by=lock.owner)
            _insert(connection, lock, now)
            action = Action.LOCK_TAKEN_OVER if there else Action.LOCKED
            before = {"before": _LOCK.dump_python(there, mode="json")} if there else {}
            _say(connection, action, lock.owner, lock, now, more=before)
            return Taken(lock, over=there)

        return await self._at_last(write)

    async def release(
        self,
        repository: str,
        environment: str | None,
        seen: str,
        by: Actor,
        now: float,
        *,
        once: str | None = None,
    ) -> Freed | Gone | Changed:
        """Release it, where it is still the one that was seen.

        Args:
            repository: the repository.
            environment: the environment; None for the lock of all.
            seen: its id.
            by: who does it; the owner gets a notice of another.
            now: seconds since the epoch.
            once: as in the audit.
        """

        def write(connection: sa.Connection) -> Freed | Gone | Changed:
            place = Lock(seen, repository, environment, by, "", now)
            _expire(connection, now, place)
            there = _there(connection, place)
            if there is None:
                return Gone()
            if there.id != seen or not _delete(connection, there):
                return Changed(there)
            if not there.is_of(by):
                _notify(connection, NoticeKind.RELEASED, there, now, by=by)
            _say(connection, Action.UNLOCKED, by, there, now, once=once)
            return Freed(there)

        return await self._database.write(write)

    async def release_for_pull_request(
        self, repository: str, number: int, now: float, by: Actor, how: str
    ) -> tuple[Lock, ...]:
        """Release all that are bound to it, when it is merged or closed; `how` is for the audit."""

        def write(connection: sa.Connection) -> tuple[Lock, ...]:
            bound = (LOCK.c.repository == repository) & (LOCK.c.pull_request == number)
            freed = _remove(connection, bound)
            for lock in freed:
                _notify(connection, NoticeKind.PULL_REQUEST_DONE, lock, now)
                _say(connection, Action.UNLOCKED, by, lock, now, more={"how": how})
            return freed

        return await self._database.write(write)

    async def expire(self, now: float) -> tuple[Lock, ...]:
        """Take away those whose time is over; their owners get a notice."""
        return await self._database.write(lambda connection: _expire(connection, now))

    async def due(self, now: float, limit: int = 100) -> Sequence[Notice]:
        """What owners are to be told by now and were not, the oldest first."""
        query = (
            sa.select(LOCK_NOTICE)
            .where(LOCK_NOTICE.c.sent_at.is_(None), LOCK_NOTICE.c.due_at <= now)
            .order_by(LOCK_NOTICE.c.due_at, LOCK_NOTICE.c.number)
            .limit(limit)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_notice(row) for row in rows]

    async def mark_sent(self, notice: Notice, now: float) -> bool:
        """That it is told now; True for one caller only, who tells it."""
        change = (
            sa.update(LOCK_NOTICE)
            .where(LOCK_NOTICE.c.number == notice.number, LOCK_NOTICE.c.sent_at.is_(None))
            .values(sent_at=now)
        )
        return await self._database.write(
            lambda connection: connection.execute(change).rowcount > 0
        )

    async def put_off(self, notice: Notice) -> None:
        """That it could not be told, and is still to be."""
        change = sa.update(LOCK_NOTICE).where(LOCK_NOTICE.c.number == notice.number)
        await self._database.write(
            lambda connection: connection.execute(change.values(sent_at=None))
        )

    async def show(self, owner: Actor, now: float) -> Sequence[Notice]:
        """What the owner is to see at a terminal, the oldest first; it counts as seen there.

        Locks whose time is over are taken away before: it may be that nobody else does.
        """
        over = LOCK.c.expires_at <= now
        unseen = (
            (LOCK_NOTICE.c.owner == owner.identity)
            & LOCK_NOTICE.c.shown_at.is_(None)
            & LOCK_NOTICE.c.due_at.between(now - _SHOWN_SECONDS, now)
        )

        def is_any(connection: sa.Connection) -> bool:
            query = sa.select(sa.exists().where(over) | sa.exists().where(unseen))
            return bool(connection.execute(query).scalar_one())

        def write(connection: sa.Connection) -> Sequence[sa.Row[Any]]:
            _expire(connection, now)
            change = sa.update(LOCK_NOTICE).where(unseen).values(shown_at=now)
            return connection.execute(change.returning(*LOCK_NOTICE.c)).all()

        # Most commands find nothing, and need not wait for others who write.
        if not await self._database.read(is_any):
            return ()
        notices = map(_notice, await self._database.write(write))
        return sorted(notices, key=lambda notice: (notice.due_at, notice.number))

    async def _at_last(self, write: Callable[[sa.Connection], T]) -> T:
        """The answer, also where on PostgreSQL another took it between two looks."""
        for _ in range(_TRIES):
            try:
                return await self._database.write(write)
            except sa.exc.IntegrityError:
                continue
        return await self._database.write(write)


def locks_of(connection: sa.Connection, repository: str | None, now: float) -> tuple[Lock, ...]:
    """All locks of a repository, or of all, the oldest first."""
    query = sa.select(LOCK).order_by(LOCK.c.created_at)
    if repository is not None:
        query = query.where(LOCK.c.repository == repository)
    found = map(_lock, connection.execute(query).all())
    return tuple(lock for lock in found if not lock.is_over(now))


def rename_locks(connection: sa.Connection, before: str, after: str, by: Actor, now: float) -> None:
    """Move a repository's locks; where there is one under the new name already, that one stays."""
    _expire(connection, now)
    newer = sa.select(LOCK.c.environment).where(LOCK.c.repository == after).scalar_subquery()
    its = LOCK.c.repository == before
    for lock in _remove(connection, its & LOCK.c.environment.in_(newer)):
        _notify(connection, NoticeKind.RELEASED, lock, now, by=by)
        _say(connection, Action.UNLOCKED, by, lock, now)
    connection.execute(sa.update(LOCK).where(its).values(repository=after))


def all_locks(connection: sa.Connection, now: float) -> tuple[Lock, ...]:
    """Those of every repository, the oldest first."""
    found = map(_lock, connection.execute(sa.select(LOCK).order_by(LOCK.c.created_at)).all())
    return tuple(lock for lock in found if not lock.is_over(now))


def _there(connection: sa.Connection, lock: Lock) -> Lock | None:
    query = sa.select(LOCK).where(_place(lock)).with_for_update()
    row = connection.execute(query).first()
    return _lock(row) if row else None


def _place(lock: Lock) -> sa.ColumnElement[bool]:
    return (LOCK.c.repository == lock.repository) & (
        LOCK.c.environment == (lock.environment or _EVERYWHERE)
    )


def _insert(connection: sa.Connection, lock: Lock, now: float) -> None:
    connection.execute(
        sa.insert(LOCK).values(
            id=lock.id,
            repository=lock.repository,
            environment=lock.environment or _EVERYWHERE,
            owner=encode(_ACTOR.dump_python(lock.owner, mode="json")),
            reason=lock.reason,
            created_at=lock.created_at,
            expires_at=lock.expires_at,
            pull_request=lock.pull_request,
            asked_on=lock.asked_on,
        )
    )
    due_at = remind_at(lock, now)
    if due_at is not None:
        _notify(connection, NoticeKind.EXPIRES_SOON, lock, due_at)


def _delete(connection: sa.Connection, lock: Lock) -> bool:
    """Take exactly this one away, and what its owner would have been reminded of."""
    return bool(_remove(connection, LOCK.c.id == lock.id))


def _remove(connection: sa.Connection, which: sa.ColumnElement[bool]) -> tuple[Lock, ...]:
    rows = connection.execute(sa.delete(LOCK).where(which).returning(*LOCK.c)).all()
    removed = tuple(map(_lock, rows))
    if removed:
        connection.execute(
            sa.delete(LOCK_NOTICE).where(
                LOCK_NOTICE.c.lock_id.in_([lock.id for lock in removed]),
                LOCK_NOTICE.c.kind == NoticeKind.EXPIRES_SOON,
            )
        )
    return removed


def _expire(connection: sa.Connection, now: float, at: Lock | None = None) -> tuple[Lock, ...]:
    over = LOCK.c.expires_at <= now
    removed = _remove(connection, over & _place(at) if at else over)
    for lock in removed:
        _notify(connection, NoticeKind.EXPIRED, lock, now)
        _say(connection, Action.LOCK_EXPIRED, BOT, lock, now)
    return removed


def _notify(
    connection: sa.Connection,
    kind: NoticeKind,
    lock: Lock,
    due_at: float,
    *,
    by: Actor | None = None,
) -> None:
    connection.execute(
        sa.insert(LOCK_NOTICE).values(
            lock_id=lock.id,
            kind=kind,
            lock=encode(_LOCK.dump_python(lock, mode="json")),
            by=encode(_ACTOR.dump_python(by, mode="json")) if by else None,
            due_at=due_at,
            owner=lock.owner.identity,
        )
    )


def _say(
    connection: sa.Connection,
    action: Action,
    by: Actor,
    lock: Lock,
    now: float,
    *,
    more: Mapping[str, object] = MappingProxyType({}),
    once: str | None = None,
) -> None:
    facts = {"lock": _LOCK.dump_python(lock, mode="json"), **more}
    append(
        connection,
        Entry(action, by, now, lock.repository, lock.environment or _EVERYWHERE, facts=facts),
        once=once,
    )


def _lock(row: sa.Row[Any]) -> Lock:
    return Lock(
        id=row.id,
        repository=row.repository,
        environment=None if row.environment == _EVERYWHERE else row.environment,
        owner=_ACTOR.validate_python(decode(row.owner)),
        reason=row.reason,
        created_at=row.created_at,
        expires_at=row.expires_at,
        pull_request=row.pull_request,
        asked_on=row.asked_on,
    )


def _notice(row: sa.Row[Any]) -> Notice:
    return Notice(
        row.number,
        NoticeKind(row.kind),
        _LOCK.validate_python(decode(row.lock)),
        row.due_at,
        _ACTOR.validate_python(decode(row.by)) if row.by else None,
    )
