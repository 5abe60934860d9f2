"""What nobody needs any more, taken out of the tables in small transactions."""

import time
from collections.abc import Callable, Sequence
from functools import partial

import sqlalchemy as sa

from bot.domain.deployment import Outcome, State
from bot.domain.progress import Warned
from bot.store.database import Database
from bot.store.deliveries import DeliveryState
from bot.store.deployments import IS_ROLLBACK
from bot.store.progress import append_event
from bot.store.tables import DELIVERY, DEPLOYMENT, FACT, PROGRESS

_REMOVED = Warned("The lines that its builds and tests wrote were removed: they are old.")

BATCH = 200
"""Deployments in one transaction: others write meanwhile."""
_AT_ONCE = 20_000


class OldRows:
    """Deletes by age; times are seconds since the epoch."""

    def __init__(self, database: Database, *, standing: str) -> None:
        """`standing` is the fact of a deployment whose update is in place."""
        self._database = database
        self._standing = standing

    async def forget_deployments(self, before: float, *, keep: int) -> int:
        """Those that ended before then, with all that is kept of them; how many.

        Of each target the newest `keep` stay, the newest `keep` whose update is in place, which
        status and rollback need, and rollbacks that nothing succeeded after: one may hold.
        """
        newest = _ranked(sa.select(DEPLOYMENT.c.id, _place_in_target()), keep)
        standing = _ranked(
            sa.select(DEPLOYMENT.c.id, _place_in_target())
            .join(FACT, FACT.c.deployment == DEPLOYMENT.c.id)
            .where(FACT.c.key == self._standing, FACT.c.value == "true"),
            keep,
        )
        # With what ended its hold forgotten, a rollback would hold again.
        later = DEPLOYMENT.alias()
        succeeded = sa.exists().where(
            later.c.target == DEPLOYMENT.c.target,
            later.c.seq > DEPLOYMENT.c.seq,
            later.c.outcome == Outcome.SUCCEEDED,
        )
        back = sa.select(DEPLOYMENT.c.id).where(IS_ROLLBACK, ~succeeded)
        old = (
            sa.select(DEPLOYMENT.c.id)
            .where(DEPLOYMENT.c.state == State.FINISHED, DEPLOYMENT.c.finished_at < before)
            .where(*(DEPLOYMENT.c.id.not_in(kept) for kept in (newest, standing, back)))
            .limit(_AT_ONCE)
        )
        # Asked once: to rank all of them costs more than to delete some.
        ids = await self._database.read(lambda connection: connection.execute(old).scalars().all())
        for start in range(0, len(ids), BATCH):
            some = sa.delete(DEPLOYMENT).where(DEPLOYMENT.c.id.in_(ids[start : start + BATCH]))
            await self._database.write(partial(_execute, change=some))
        return len(ids)

    async def forget_logs(self, before: float) -> int:
        """The log lines of those that ended before then; of how many.

        Stages, steps and the end stay.
        """
        old = (
            sa.select(DEPLOYMENT.c.id)
            .where(DEPLOYMENT.c.state == State.FINISHED, DEPLOYMENT.c.finished_at < before)
            .where(DEPLOYMENT.c.log_size > 0)
            .limit(BATCH)
        )
        count = 0
        while ids := await self._database.read(
            lambda connection: connection.execute(old).scalars().all()
        ):
            await self._database.write(partial(_drop_logs, ids=ids))
            count += len(ids)
        return count

    async def forget_deliveries(self, before: float) -> int:
        """Those that came before then and do not wait; how many."""
        old = (
            sa.select(DELIVERY.c.seq)
            .where(DELIVERY.c.received_at < before, DELIVERY.c.state != DeliveryState.PENDING)
            .limit(BATCH)
        )
        return await self._until_done(
            lambda: sa.delete(DELIVERY).where(DELIVERY.c.seq.in_(old.scalar_subquery()))
        )

    async def _until_done(self, change: Callable[[], sa.Delete]) -> int:
        count = 0
        while done := await self._database.write(
            lambda connection: connection.execute(change()).rowcount
        ):
            count += done
        return count


def _execute(connection: sa.Connection, change: sa.Delete) -> None:
    connection.execute(change)


def _place_in_target() -> sa.Label[int]:
    order = sa.func.row_number().over(
        partition_by=DEPLOYMENT.c.target, order_by=DEPLOYMENT.c.seq.desc()
    )
    return order.label("place")


def _ranked(query: sa.Select[tuple[str, int]], keep: int) -> sa.Select[tuple[str]]:
    ranked = query.subquery()
    return sa.select(ranked.c.id).where(ranked.c.place <= keep)


def _drop_logs(connection: sa.Connection, ids: Sequence[str]) -> None:
    connection.execute(
        sa.delete(PROGRESS).where(PROGRESS.c.deployment.in_(ids), PROGRESS.c.size > 0)
    )
    connection.execute(
        sa.update(DEPLOYMENT).where(DEPLOYMENT.c.id.in_(ids)).values(log_size=0, log_cut=True)
    )
    for each in ids:
        append_event(connection, each, time.time(), _REMOVED)
