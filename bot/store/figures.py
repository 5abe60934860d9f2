"""What the metrics are taken from: the queue, and what ended lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.domain.deployment import Kind, Outcome, State
from bot.domain.dora import Ended
from bot.domain.progress import EVENT_NAMES
from bot.store.database import Database
from bot.store.tables import DEPLOYMENT, FACT, PROGRESS
from bot.store.values import decode


@dataclass(frozen=True)
class Queue:
    """What waits and runs now."""

    waiting: int
    running: int
    oldest: float | None
    """When the first that waits was asked for, in seconds since the epoch."""


@dataclass(frozen=True)
class StageTime:
    """How long a stage took."""

    stage: str
    ended: str
    seconds: float


@dataclass(frozen=True)
class Tally:
    """A deployment that ended, as it is counted."""

    deployment: str
    environment: str
    outcome: str
    created_at: float
    started_at: float | None
    finished_at: float
    stages: tuple[StageTime, ...]


class FigureStore:
    """Questions for the metrics; each is quick however much there is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def queue(self) -> Queue:
        """The queue now."""
        query = (
            sa.select(
                DEPLOYMENT.c.state,
                sa.func.count().label("number"),
                sa.func.min(DEPLOYMENT.c.created_at).label("oldest"),
            )
            .where(DEPLOYMENT.c.state.in_([State.WAITING, State.RUNNING]))
            .group_by(DEPLOYMENT.c.state)
        )
        rows = await self._read(query)
        found = {row.state: row for row in rows}
        waiting, running = found.get(State.WAITING), found.get(State.RUNNING)
        return Queue(
            waiting.number if waiting else 0,
            running.number if running else 0,
            waiting.oldest if waiting else None,
        )

    async def tallies(self, since: float, limit: int = 1000) -> tuple[Tally, ...]:
        """What ended after this moment, the first first."""
        query = (
            sa.select(DEPLOYMENT)
            .where(DEPLOYMENT.c.finished_at > since)
            .order_by(DEPLOYMENT.c.finished_at)
            .limit(limit)
        )
        rows = await self._read(query)
        stages: dict[str, list[StageTime]] = {row.id: [] for row in rows}
        for row in await self._told(list(stages), "stage_finished"):
            event = decode(row.event)
            stages[row.deployment].append(
                StageTime(event["stage"], event["ended"], float(event["seconds"]))
            )
        return tuple(
            Tally(
                deployment=row.id,
                environment=row.environment,
                outcome=row.outcome or Outcome.FAILED,
                created_at=row.created_at,
                started_at=row.started_at,
                finished_at=row.finished_at,
                stages=tuple(stages[row.id]),
            )
            for row in rows
        )

    async def ended(self, since: float) -> tuple[Ended, ...]:
        """What ended after this moment, as DORA's figures are taken from it."""
        rows = await self._read(
            sa.select(DEPLOYMENT).where(
                DEPLOYMENT.c.finished_at > since, DEPLOYMENT.c.outcome.is_not(None)
            )
        )
        ids = [row.id for row in rows]
        updated: dict[str, float] = {}
        for row in await self._told(ids, "stage_started", stage="update"):
            updated.setdefault(row.deployment, row.at)
        facts = await self._facts(ids, ("committed_at", "undone"))
        return tuple(
            Ended(
                deployment=row.id,
                target=row.target,
                environment=row.environment,
                kind=Kind(decode(row.request)["kind"]),
                outcome=Outcome(row.outcome),
                finished_at=row.finished_at,
                updated_at=updated.get(row.id),
                committed_at=_moment(facts.get((row.id, "committed_at"))),
                undone=tuple(facts.get((row.id, "undone")) or ()),
            )
            for row in rows
        )

    async def _told(
        self, ids: Sequence[str], name: str, *, stage: str | None = None
    ) -> list[sa.Row[Any]]:
        """The events of this name, in their order."""
        if name not in EVENT_NAMES.values():
            raise ValueError(name)
        start = f'{{"event":"{name}"' + (f',"stage":"{stage}"' if stage else "")
        found: list[sa.Row[Any]] = []
        for part in _parts(ids):
            query = (
                sa.select(PROGRESS.c.deployment, PROGRESS.c.at, PROGRESS.c.event)
                .where(
                    PROGRESS.c.deployment.in_(part),
                    PROGRESS.c.size == sa.literal_column("0"),
                    PROGRESS.c.event.startswith(start, autoescape=True),
                )
                .order_by(PROGRESS.c.deployment, PROGRESS.c.seq)
            )
            found += await self._read(query)
        return found

    async def _facts(self, ids: Sequence[str], keys: Sequence[str]) -> dict[tuple[str, str], Any]:
        found: dict[tuple[str, str], Any] = {}
        for part in _parts(ids):
            query = sa.select(FACT).where(FACT.c.deployment.in_(part), FACT.c.key.in_(keys))
            for row in await self._read(query):
                found[row.deployment, row.key] = decode(row.value)
        return found

    async def _read(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        return await self._database.read(lambda connection: connection.execute(query).all())


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    # SQLite takes 32,766 values in a statement at most.
    return [ids[start : start + 500] for start in range(0, len(ids), 500)]


def _moment(text: object) -> float | None:
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
