"""What each deployment said of itself, in order."""

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from bot.domain.deployment import State
from bot.domain.progress import Finished, Log, Progress, Warned
from bot.domain.progress_json import from_json, to_json
from bot.domain.reasons import Code, StoppedError
from bot.store.database import Database
from bot.store.log import told
from bot.store.tables import DEPLOYMENT, PROGRESS
from bot.store.values import decode, encode

_OF_A_NEWER_VERSION = Warned("A newer pachops said something here that this one does not know.")
_CUT = Warned("The log is long: lines from its middle are left out.")


class ProgressLog:
    """The progress of every deployment.

    A deployment's log lines are kept up to `log_limit` characters. Beyond that the middle
    goes: how it began and how it ended are what people look for.
    """

    def __init__(self, database: Database, *, log_limit: int = 100_000_000) -> None:
        self._database = database
        self._log_limit = log_limit

    async def append(self, deployment_id: str, events: Sequence[tuple[float, Progress]]) -> None:
        """Add events with their times (seconds since the epoch), all or none.

        `Finished` is left out: it is written when the deployment is finished, exactly once.

        Raises:
            StoppedError: DEPLOYMENT_UNKNOWN.
        """
        kept = [(at, event) for at, event in events if not isinstance(event, Finished)]
        if not kept:
            return

        def add(connection: sa.Connection) -> None:
            size, cut = _add(connection, deployment_id, kept)
            if size > self._log_limit:
                _cut_middle(connection, deployment_id, self._log_limit)
                if not cut:
                    _add(connection, deployment_id, [(kept[-1][0], _CUT)])

        await self._database.write(add)

    async def read(
        self,
        deployment_id: str,
        after: int = 0,
        limit: int = 1000,
    ) -> Sequence[tuple[int, float, Progress]]:
        """The next events after number `after`, each with its number and time.

        Numbers rise; where the log was cut, some are missing.
        """
        query = (
            sa.select(PROGRESS.c.seq, PROGRESS.c.at, PROGRESS.c.event)
            .where(PROGRESS.c.deployment == deployment_id, PROGRESS.c.seq > after)
            .order_by(PROGRESS.c.seq)
            .limit(limit)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [(row.seq, row.at, _event(row.event)) for row in rows]

    async def told(
        self, deployment_id: str, after: int = 0
    ) -> Sequence[tuple[int, float, Progress]]:
        """As `read`, all events but the lines of its log, however long that is."""
        query = told(deployment_id).where(PROGRESS.c.seq > after)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [(row.seq, row.at, _event(row.event)) for row in rows]


def _event(text: str) -> Progress:
    try:
        return from_json(decode(text))
    except ValueError:
        # During an upgrade, processes of two versions write here.
        return _OF_A_NEWER_VERSION


def append_finished(
    connection: sa.Connection,
    deployment_id: str,
    at: float,
    finished: Finished,
    *,
    sha: str,
) -> None:
    """The end of a deployment's progress, in the transaction that finishes it."""
    _add(connection, deployment_id, [(at, replace(finished, sha=sha))])


def append_event(connection: sa.Connection, deployment_id: str, at: float, event: Progress) -> None:
    """One event, in the caller's transaction."""
    _add(connection, deployment_id, [(at, event)])


def _add(
    connection: sa.Connection,
    deployment_id: str,
    events: Sequence[tuple[float, Progress]],
) -> tuple[int, bool]:
    """How much log the deployment has now, and whether some was left out before."""
    # With its newline: an empty line has a size too, and nothing but log has one.
    sizes = [len(event.text) + 1 if isinstance(event, Log) else 0 for _, event in events]
    # The row is also the lock that keeps two writers from taking the same numbers.
    count = (
        sa.update(DEPLOYMENT)
        .where(DEPLOYMENT.c.id == deployment_id)
        .values(
            last_event=DEPLOYMENT.c.last_event + len(events),
            log_size=DEPLOYMENT.c.log_size + sum(sizes),
        )
        .returning(
            DEPLOYMENT.c.last_event,
            DEPLOYMENT.c.log_size,
            DEPLOYMENT.c.log_cut,
            DEPLOYMENT.c.state,
        )
    )
    row = connection.execute(count).first()
    if row is None:
        raise StoppedError(
            Code.DEPLOYMENT_UNKNOWN, "its progress has no place to go", where=deployment_id
        )
    first = row.last_event - len(events) + 1
    if row.state == State.FINISHED and not isinstance(events[-1][1], Finished):
        # A batch that was on its way when the deployment finished: its end stays the end.
        first -= 1
        connection.execute(
            sa.update(PROGRESS)
            .where(PROGRESS.c.deployment == deployment_id, PROGRESS.c.seq == first)
            .values(seq=row.last_event)
        )
    connection.execute(
        sa.insert(PROGRESS),
        [
            {
                "deployment": deployment_id,
                "seq": first + index,
                "at": at,
                "event": encode(to_json(event)),
                "size": size,
            }
            for index, ((at, event), size) in enumerate(zip(events, sizes, strict=True))
        ],
    )
    return row.log_size, row.log_cut


def _cut_middle(connection: sa.Connection, deployment_id: str, limit: int) -> None:
    """Keep the first quarter and the last half of `limit`."""
    mine = PROGRESS.c.deployment == deployment_id
    size_so_far = sa.func.sum(PROGRESS.c.size).over(order_by=PROGRESS.c.seq).label("so_far")
    running = sa.select(PROGRESS.c.seq, PROGRESS.c.size, size_so_far).where(mine).subquery()
    size = sa.func.coalesce(
        sa.select(sa.func.sum(PROGRESS.c.size)).where(mine).scalar_subquery(), 0
    )
    middle = (
        sa.select(running.c.seq)
        .where(running.c.size > 0, running.c.so_far > limit // 4)
        .where(running.c.so_far <= size - limit // 2)
    )
    connection.execute(sa.delete(PROGRESS).where(mine, PROGRESS.c.seq.in_(middle)))
    connection.execute(
        sa.update(DEPLOYMENT)
        .where(DEPLOYMENT.c.id == deployment_id)
        .values(log_size=size, log_cut=True)
    )
