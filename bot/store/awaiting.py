"""Deliveries of which a part awaits the checks of its commit, and is handled again then."""

import hashlib
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from pydantic import TypeAdapter

from bot.domain.audit import Action, Entry
from bot.domain.awaiting import Awaited
from bot.domain.deployment import Actor
from bot.store.audit import append
from bot.store.database import Database
from bot.store.deliveries import GOES_ON, DeliveryState
from bot.store.tables import DELIVERY
from bot.store.values import decode, encode

_AWAITED: TypeAdapter[tuple[Awaited, ...]] = TypeAdapter(tuple[Awaited, ...])
_ABOUT = 16
"""Digits that tell what awaits the same checks about something else."""
_CAME_AGAIN = {
    "state": DeliveryState.DONE,
    "payload": None,
    "answers": None,
    "retry_at": None,
    "awaited": None,
    "result": "the same came again, and awaits its checks",
}
_WAITS = DELIVERY.c.state == DeliveryState.AWAITING
_HAS_SOME = DELIVERY.c.awaited.is_not(None) & DELIVERY.c.state.in_(
    [DeliveryState.AWAITING, DeliveryState.PENDING]
)
"""Also while it is looked at whether they have ended."""


@dataclass(frozen=True)
class Wait:
    """What a delivery is left for."""

    sha: str
    """Of the commit whose checks are awaited."""
    about: str
    """An earlier one that awaits them about the same gives way."""
    until: float
    """When it is looked at again at the latest, in seconds since the epoch."""
    result: str
    """What was done so far."""


class Awaiting:
    """All that awaits checks. Changes are on disk when a call returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, repository: str | None = None) -> tuple[Awaited, ...]:
        """What is deployed by itself when its checks have succeeded, the oldest first.

        `repository` is an address, as deployments name it.
        """
        query = sa.select(DELIVERY.c.awaited).where(_HAS_SOME).order_by(DELIVERY.c.seq)
        found = await self._database.read(
            lambda connection: connection.execute(query).scalars().all()
        )
        return tuple(
            each
            for text in found
            for each in _read(text)
            if each.stopped_by is None and repository in {None, each.request.repository}
        )

    async def begin(self, delivery: str, wait: Wait, awaited: Sequence[Awaited]) -> None:
        """Leave a delivery that is handled until then; nothing waits behind it."""
        awaits = f"{wait.sha} {hashlib.sha256(wait.about.encode()).hexdigest()[:_ABOUT]}"

        def write(connection: sa.Connection) -> None:
            row = connection.execute(_row(delivery)).one()
            earlier = _WAITS & (DELIVERY.c.repository == row.repository)
            same = earlier & (DELIVERY.c.awaits == awaits)
            connection.execute(sa.update(DELIVERY).where(same).values(_CAME_AGAIN))
            stopped = {each.id: each.stopped_by for each in _read(row.awaited) if each.stopped_by}
            kept = [replace(each, stopped_by=stopped.get(each.id)) for each in awaited]
            is_told_first = any(each.stopped_by for each in kept)
            values = {
                "state": DeliveryState.AWAITING,
                "awaits": awaits,
                "awaited": _written(kept),
                "retry_at": time.time() if is_told_first else wait.until,
                "result": wait.result,
            }
            change = sa.update(DELIVERY).where(
                DELIVERY.c.id == delivery, DELIVERY.c.state == DeliveryState.PENDING
            )
            connection.execute(change.values(values))

        await self._database.write(write)

    async def of(self, delivery: str) -> tuple[Awaited, ...]:
        """What is left of a delivery, also what is stopped; whoever stops some of it now is waited for."""
        query = _row(delivery)
        row = await self._database.write(lambda connection: connection.execute(query).one())
        return _read(row.awaited)

    async def checks_ended(self, repository: str, sha: str) -> int:
        """Those that waited for the checks of this commit go on; how many."""
        return await self._go_on(
            DELIVERY.c.repository == repository.lower(), DELIVERY.c.awaits.startswith(sha)
        )

    async def look_again(self, deployments: Collection[str]) -> int:
        """Those of which these would be deployments go on: what they wait for may be gone."""
        if not deployments:
            return 0
        return await self._go_on(sa.or_(*(_has(each) for each in deployments)))

    async def _go_on(self, *which: sa.ColumnElement[bool]) -> int:
        change = sa.update(DELIVERY).where(_WAITS, *which).values(GOES_ON)
        return await self._database.write(lambda connection: connection.execute(change).rowcount)


def stop(
    connection: sa.Connection,
    deployment: str,
    by: Actor,
    now: float,
    *,
    how: str = "",
    once: str | None = None,
) -> bool:
    """Note that it is wanted no more, and let its delivery go on to say so.

    False where it does not await checks. The first who said so stays. `how` says by what, where that
    was no command; `once` as in the audit.
    """
    query = sa.select(DELIVERY.c.seq, DELIVERY.c.awaited).where(_HAS_SOME, _has(deployment))
    row = connection.execute(query.with_for_update()).first()
    if row is None:
        return False
    before, whoever = _read(row.awaited), replace(by, name=by.acting(how))
    after = [
        replace(each, stopped_by=whoever) if each.id == deployment and not each.stopped_by else each
        for each in before
    ]
    its = DELIVERY.c.seq == row.seq
    connection.execute(sa.update(DELIVERY).where(its).values(awaited=_written(after)))
    connection.execute(sa.update(DELIVERY).where(its, _WAITS).values(GOES_ON))
    for each in set(after) - set(before):
        place = (each.request.repository, each.request.environment, deployment)
        entry = Entry(Action.CANCEL_REQUESTED, by, now, *place, facts={"how": how} if how else {})
        append(connection, entry, once=once)
    return True


def _has(deployment: str) -> sa.ColumnElement[bool]:
    return DELIVERY.c.awaited.contains(f'"id":{encode(deployment)}', autoescape=True)


def _row(delivery: str) -> sa.Select[tuple[str, str | None]]:
    its = sa.select(DELIVERY.c.repository, DELIVERY.c.awaited).where(DELIVERY.c.id == delivery)
    return its.with_for_update()


def _read(text: str | None) -> tuple[Awaited, ...]:
    return _AWAITED.validate_python(decode(text)) if text else ()


def _written(awaited: Iterable[Awaited]) -> str:
    return encode(_AWAITED.dump_python(tuple(awaited), mode="json"))
