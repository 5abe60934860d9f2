"""Webhook deliveries: taken once each, kept until they are done, in their order."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from bot.store.database import Database
from bot.store.known_names import KnownNames
from bot.store.names import Numbers, Renamed, current_name, note_renamed, under_its_name
from bot.store.tables import DELIVERY, MISSED_DELIVERY, RENAMED

KEPT_SECONDS = 30 * 86_400.0
"""How long an id is remembered; GitHub delivers again for a week at most."""


class DeliveryState(StrEnum):
    """Where a delivery is in its life."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"
    """Given up; it is taken again where it is delivered again."""
    AWAITING = "awaiting"
    """What is left of it waits for the checks of a commit, and holds up nothing."""


class Taken(StrEnum):
    """What became of a delivery that came in."""

    NEW = "new"
    KNOWN = "known"
    """It waits or was done already."""
    FULL = "full"
    """Too many wait; nothing was stored."""


class Surface(StrEnum):
    """Where a delivery comes from; each has its own inbox, so that none waits for another."""

    GITHUB = "github"
    SLACK = "slack"


GOES_ON = {"state": DeliveryState.PENDING, "attempts": 1, "retry_at": None}
"""As if it were tried again: what it has led to already stays."""
_ASIDE = " aside"
"""Behind the repository of what holds up nothing there; a name has no space."""
SLACK_EVENT = "slack/"
"""What the names of Slack's events begin with."""


@dataclass(frozen=True)
class Waiting:
    """The oldest delivery of its repository that waits."""

    id: str
    repository: str
    retry_at: float | None
    """Seconds since the epoch; None: at once."""


@dataclass(frozen=True)
class Delivery:
    """A delivery that is worked on."""

    id: str
    event: str
    payload: str
    """JSON, as it came."""
    received_at: float
    """Seconds since the epoch."""
    attempts: int
    """How often it was begun, this time included."""
    is_last: bool = False
    """Whether it is given up where this fails too: what is away is a reason to be told of."""
    has_awaited: bool = False
    """Whether it has waited for checks, which people were told."""
    is_aside: bool = False
    """Whether others of its repository go on beside it."""
    is_seen: bool = False
    """Whether who sent it was shown that it is here."""


class Deliveries:
    """Every delivery of the last weeks. Changes are on disk when a call returns."""

    def __init__(self, database: Database, *, most_waiting: int = 10_000) -> None:
        self._database = database
        self._most_waiting = most_waiting
        self.names = KnownNames(database)
        """Of which repositories they tell."""

    async def take(
        self,
        identity: str,
        event: str,
        repository: str,
        payload: str,
        numbers: Numbers | None = None,
        digest: str | None = None,
    ) -> Taken:
        """Store a delivery, unless it is known or too many wait.

        It is known by its id, or by the `digest` of what it brings: under another id that is the one
        that came first. An id brings nothing else than it did.

        One that was missed, of a repository that is known by its `numbers` and was renamed since, is
        under its new name. What comes when it is sent has the name that counts.
        """

        def write(connection: sa.Connection) -> Taken:
            before = connection.execute(_BEFORE, of | came).first()
            if before is not None and not _is_taken_again(before, identity, digest):
                return Taken.KNOWN
            if _count_waiting(connection) >= self._most_waiting:
                return Taken.FULL
            sent_at = connection.execute(_SENT_AT, of).scalar()
            if sent_at is None and before is not None:
                sent_at = before.received_at
            late = None if numbers is None or sent_at is None else (numbers, sent_at)
            told = _under_its_name(connection, repository, payload, late)
            if before is None:
                connection.execute(_NEW, waits | where_from | told | came)
                return Taken.NEW
            this = {"identity": before.id}
            again = connection.execute(_TAKE_AGAIN, this | waits | told | came | _ANEW)
            return Taken.NEW if again.rowcount else Taken.KNOWN

        of, came = {"identity": identity}, {"digest": digest}
        waits = {"state": DeliveryState.PENDING}
        where_from = {
            "id": identity,
            "event": event,
            "received_at": time.time(),
        }
        try:
            return await self._database.write(write)
        except sa.exc.IntegrityError:
            # On PostgreSQL two may write the same one at once; the other was first.
            return Taken.KNOWN

    async def waiting(self, surface: Surface = Surface.GITHUB) -> Sequence[Waiting]:
        """The oldest that waits of each repository (in Slack: of each person), the oldest first."""
        query = _OLDEST[surface]
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [Waiting(row.id, row.repository, row.retry_at) for row in rows]

    async def repositories(self, most: int) -> Sequence[str]:
        """The repositories on GitHub that something was delivered of, the latest first."""
        query = (
            sa.select(DELIVERY.c.repository)
            .where(_of(Surface.GITHUB), DELIVERY.c.repository != "", ~_IS_ASIDE)
            .group_by(DELIVERY.c.repository)
            .order_by(sa.func.max(DELIVERY.c.seq).desc())
            .limit(most)
        )
        return await self._database.read(
            lambda connection: connection.execute(query).scalars().all()
        )

    async def count_waiting(self) -> int:
        """How many wait."""
        return await self._database.read(_count_waiting)

    async def begin(self, identity: str) -> Delivery | None:
        """Count one more attempt at it; None where it waits no more."""
        of = {"identity": identity}
        row = await self._database.write(lambda connection: connection.execute(_BEGIN, of).first())
        return None if row is None else _delivery(identity, row)

    async def not_begun(
        self, surface: Surface, events: Sequence[str], *, after: int, most: int
    ) -> Sequence[tuple[int, str]]:
        """The numbers and ids of those that have waited from the start, the oldest first.

        Args:
            surface: where they come from.
            events: which they are.
            after: only those with higher numbers.
            most: how many.
        """
        query, of = _NOT_BEGUN[surface], {"after": after, "events": list(events), "most": most}
        rows = await self._database.read(lambda connection: connection.execute(query, of).all())
        return [(row.seq, row.id) for row in rows]

    async def find(self, identity: str) -> Delivery | None:
        """One that waits, as it is; None where it waits no more."""
        of = {"identity": identity}
        row = await self._database.read(lambda connection: connection.execute(_FIND, of).first())
        return None if row is None else _delivery(identity, row)

    async def done(self, identity: str, result: str) -> None:
        """It was handled; `result` is a line for the log."""
        await self._settle(
            identity,
            state=DeliveryState.DONE,
            result=result,
            payload=None,
            answers=None,
            awaited=None,
        )

    async def failed(self, identity: str, result: str) -> None:
        """It is given up."""
        await self._settle(identity, state=DeliveryState.FAILED, result=result)

    async def put_off(self, identity: str, until: float, result: str) -> None:
        """It failed for the moment and waits until then, in seconds since the epoch."""
        await self._settle(identity, retry_at=until, result=result)

    async def set_aside(self, identity: str) -> None:
        """It is begun anew, and in an order of its own: nothing of its repository waits for it."""
        of = {"identity": identity}
        await self._database.write(lambda connection: connection.execute(_SET_ASIDE, of))

    async def begin_anew(self, identity: str, name: str) -> None:
        """It is one of its repository under this name, as if it had been told so."""
        of = {"identity": identity}

        def write(connection: sa.Connection) -> None:
            row = connection.execute(_TOLD, of).first()
            if row is not None:
                aside = _ASIDE if row.repository.endswith(_ASIDE) else ""
                told = {"payload": under_its_name(row.payload, name), "attempts": _AGAIN}
                change = _SETTLE.values(told | {"repository": name.lower() + aside})
                connection.execute(change, of)

        await self._database.write(write)

    async def forget_body(self, identity: str) -> None:
        """It came to nothing: who asks for it once more may do so in the same words."""
        of = {"identity": identity}
        await self._database.write(lambda connection: connection.execute(_FORGET_BODY, of))

    async def go_on_by(self, now: float) -> int:
        """Those that have waited for checks for long enough go on; how many."""
        is_over = (DELIVERY.c.state == DeliveryState.AWAITING) & (DELIVERY.c.retry_at <= now)
        change = sa.update(DELIVERY).where(is_over).values(GOES_ON)
        return await self._database.write(lambda connection: connection.execute(change).rowcount)

    async def keep_answer(self, identity: str, part: str, text: str) -> None:
        """What came of a part of it, before anybody is told: done again it may come to nothing."""

        def write(connection: sa.Connection) -> None:
            kept = _kept(connection, identity) | {part: text}
            connection.execute(_SETTLE, {"identity": identity, "answers": json.dumps(kept)})

        await self._database.write(write)

    async def kept_answer(self, identity: str, part: str) -> str | None:
        """What an earlier attempt would have told."""
        kept = await self._database.read(lambda connection: _kept(connection, identity))
        return kept.get(part)

    async def state(self, identity: str) -> tuple[DeliveryState, str | None] | None:
        """How it stands, and what came of it; None where it is not known."""
        query = sa.select(DELIVERY.c.state, DELIVERY.c.result).where(DELIVERY.c.id == identity)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return (DeliveryState(row.state), row.result) if row else None

    async def known(self, identities: Sequence[str]) -> frozenset[str]:
        """Those of them that came."""
        query = sa.select(DELIVERY.c.id).where(DELIVERY.c.id.in_(identities))
        return frozenset(
            await self._database.read(lambda connection: connection.execute(query).scalars().all())
        )

    async def note_missed(self, identity: str, sent_at: float) -> None:
        """It did not come when it was sent, and is asked for again."""
        of = {"identity": identity}

        def write(connection: sa.Connection) -> None:
            if connection.execute(_SENT_AT, of).first() is None:
                values = {"id": identity, "sent_at": sent_at}
                connection.execute(sa.insert(MISSED_DELIVERY).values(values))

        await self._database.write(write)

    async def sent_at(self, identity: str) -> float | None:
        """When what was missed was sent, in seconds since the epoch; None of all that was not."""
        of = {"identity": identity}
        return await self._database.read(
            lambda connection: connection.execute(_SENT_AT, of).scalar()
        )

    async def note_renamed(self, renamed: Renamed) -> None:
        """What was sent under the old name and missed until now is taken under the new one."""
        now = time.time()
        await self._database.write(lambda connection: note_renamed(connection, renamed, now))

    async def give_up_waiting(self, result: str) -> None:
        """All that wait are given up."""
        waits = {DeliveryState.PENDING, DeliveryState.AWAITING}
        change = sa.update(DELIVERY).where(DELIVERY.c.state.in_(waits))
        values = {"state": DeliveryState.FAILED, "result": result}
        await self._database.write(lambda connection: connection.execute(change.values(values)))

    async def forget_old(self, now: float) -> None:
        """Drop what ended weeks ago."""
        old = sa.delete(DELIVERY).where(
            DELIVERY.c.received_at < now - KEPT_SECONDS,
            DELIVERY.c.state != DeliveryState.PENDING,
        )
        missed = sa.delete(MISSED_DELIVERY).where(MISSED_DELIVERY.c.sent_at < now - KEPT_SECONDS)
        names = sa.delete(RENAMED).where(RENAMED.c.at < now - KEPT_SECONDS)

        def forget(connection: sa.Connection) -> None:
            connection.execute(old)
            connection.execute(missed)
            connection.execute(names)

        await self._database.write(forget)

    async def _settle(self, identity: str, **values: object) -> None:
        of = {"identity": identity}
        await self._database.write(lambda connection: connection.execute(_SETTLE, of | values))


def lanes_of(repository: str) -> tuple[str, str]:
    """What its deliveries stand under: those that go in order, and those that were set aside."""
    return repository.lower(), repository.lower() + _ASIDE


def _delivery(identity: str, row: sa.Row[Any]) -> Delivery:
    return Delivery(
        identity,
        row.event,
        row.payload or "{}",
        row.received_at,
        row.attempts,
        has_awaited=row.awaits is not None,
        is_aside=row.repository.endswith(_ASIDE),
    )


def _is_taken_again(before: sa.Row[Any], identity: str, digest: str | None) -> bool:
    # What is signed is the body: an id that failed is no way in for another.
    is_other = before.id == identity and digest is not None and before.digest not in {None, digest}
    return before.state == DeliveryState.FAILED and not is_other


def _under_its_name(
    connection: sa.Connection, repository: str, payload: str, late: tuple[Numbers, float] | None
) -> dict[str, str]:
    name = current_name(connection, late[0], repository, late[1]) if late else repository
    # Also where capitals alone are others.
    if name != repository:
        payload = under_its_name(payload, name)
    return {"repository": name.lower(), "payload": payload}


def _kept(connection: sa.Connection, identity: str) -> dict[str, str]:
    kept: dict[str, str] = json.loads(
        connection.execute(_ANSWERS, {"identity": identity}).scalar() or "{}"
    )
    return kept


def _count_waiting(connection: sa.Connection) -> int:
    return connection.execute(_COUNT_WAITING).scalar_one()


def _of(surface: Surface) -> sa.ColumnElement[bool]:
    is_slack = DELIVERY.c.event.startswith(SLACK_EVENT, autoescape=True)
    return is_slack if surface is Surface.SLACK else ~is_slack


def _oldest(surface: Surface) -> sa.Select[tuple[str, str, float | None]]:
    first = (
        sa.select(sa.func.min(DELIVERY.c.seq))
        .where(_WAITS, _of(surface))
        .group_by(DELIVERY.c.repository)
    )
    return (
        sa.select(DELIVERY.c.id, DELIVERY.c.repository, DELIVERY.c.retry_at)
        .where(DELIVERY.c.seq.in_(first))
        .order_by(DELIVERY.c.seq)
    )


# Made once: to make them for each of a hundred deliveries a second takes longer than to ask.
_IS_IT = DELIVERY.c.id == sa.bindparam("identity")
_WAITS = DELIVERY.c.state == DeliveryState.PENDING
_IS_ASIDE = DELIVERY.c.repository.endswith(_ASIDE)
_KNOWN_BY: Sequence[sa.Column[Any]] = (
    DELIVERY.c.id,
    DELIVERY.c.state,
    DELIVERY.c.received_at,
    DELIVERY.c.digest,
)
_BEFORE = (
    sa.select(*_KNOWN_BY)
    .where(_IS_IT | (DELIVERY.c.digest == sa.bindparam("digest", type_=sa.String)))
    .order_by(sa.case((_IS_IT, 0), else_=1))
    .limit(1)
)
_ANSWERS = sa.select(DELIVERY.c.answers).where(_IS_IT)
_TOLD = sa.select(DELIVERY.c.repository, DELIVERY.c.payload).where(_IS_IT, _WAITS)
_SENT_AT = sa.select(MISSED_DELIVERY.c.sent_at).where(
    MISSED_DELIVERY.c.id == sa.bindparam("identity")
)
_COUNT_WAITING = sa.select(sa.func.count()).where(_WAITS)
_OLDEST = {each: _oldest(each) for each in Surface}
_NEW = sa.insert(DELIVERY)
_CHANGE = sa.update(DELIVERY).where(_IS_IT)
_SETTLE = _CHANGE.where(_WAITS)
_FORGET_BODY = _CHANGE.values(digest=None)
_TAKE_AGAIN = _CHANGE.where(DELIVERY.c.state == DeliveryState.FAILED)
# What was a repeat stays one.
_AGAIN = sa.case((DELIVERY.c.attempts > 1, 1), else_=0)
_SET_ASIDE = _SETTLE.values(repository=DELIVERY.c.repository.concat(_ASIDE), attempts=_AGAIN)
_PARTS: Sequence[sa.Column[Any]] = (
    DELIVERY.c.event,
    DELIVERY.c.repository,
    DELIVERY.c.payload,
    DELIVERY.c.received_at,
    DELIVERY.c.attempts,
    DELIVERY.c.awaits,
)
_BEGIN = _SETTLE.values(attempts=DELIVERY.c.attempts + 1).returning(*_PARTS)
_FIND = sa.select(*_PARTS).where(_IS_IT, _WAITS)
_NOT_BEGUN = {
    each: sa.select(DELIVERY.c.seq, DELIVERY.c.id)
    .where(
        *(_WAITS, _of(each), DELIVERY.c.attempts == 0, DELIVERY.c.retry_at.is_(None)),
        DELIVERY.c.seq > sa.bindparam("after"),
        DELIVERY.c.event.in_(sa.bindparam("events", expanding=True)),
    )
    .order_by(DELIVERY.c.seq)
    .limit(sa.bindparam("most", type_=sa.Integer))
    for each in Surface
}
# A repeat all the same: what it has led to already stays, and so do the answers.
_ANEW = {"attempts": 1, "retry_at": None, "result": None, "awaits": None, "awaited": None}
