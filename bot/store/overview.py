"""The deployments as lists: what runs where, and which there were."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from bot.domain.deployment import Deployment, Outcome, State
from bot.domain.gate_facts import Standing as Against
from bot.store.database import Database
from bot.store.deployment_row import deployment_of
from bot.store.deployments import Deployments, rolled_back_targets
from bot.store.locks import all_locks
from bot.store.tables import DEPLOYMENT


class Standing(StrEnum):
    """How a deployment stands, for a filter."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """Also one that was rolled back or refused."""
    CANCELLED = "cancelled"
    """Also one whose place a newer one took."""


_OUTCOMES = {
    Standing.SUCCEEDED: (Outcome.SUCCEEDED,),
    Standing.FAILED: (Outcome.FAILED, Outcome.ROLLED_BACK, Outcome.REFUSED),
    Standing.CANCELLED: (Outcome.CANCELLED, Outcome.SUPERSEDED),
}


_SEARCHED = (
    ("commit", "sha"),
    ("commit", "ref"),
    ("commit", "branch"),
    ("commit", "title"),
    ("commit", "author"),
    ("actor", "name"),
    ("release",),
)
"""Fields of a request."""


@dataclass(frozen=True)
class Filter:
    """Which deployments are wanted; None: any."""

    repositories: Collection[str] | None = None
    environment: str | None = None
    repository: str | None = None
    standing: Standing | None = None
    text: str = ""
    """In the repository, the environment, the commit, who asked, or the id."""


@dataclass(frozen=True)
class Place:
    """A target, and how it stands."""

    repository: str
    environment: str
    current: Deployment | None
    """The last that succeeded: what runs there."""
    latest: Deployment
    """The last that was asked for."""


class Overview:
    """Lists of what there is."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._deployments = Deployments(database)

    async def repositories(self) -> tuple[str, ...]:
        """All that were ever deployed, in the order of their names."""
        return await self._names(DEPLOYMENT.c.repository, None)

    async def environments(self, repositories: Collection[str] | None) -> tuple[str, ...]:
        """All that these repositories were deployed to."""
        return await self._names(DEPLOYMENT.c.environment, repositories)

    async def deployments(
        self, wanted: Filter, *, before: str | None = None, limit: int
    ) -> tuple[Deployment, ...]:
        """The newest that fit, the newest first; `before`: only those older than this id."""
        query = sa.select(DEPLOYMENT).order_by(DEPLOYMENT.c.seq.desc()).limit(limit)
        query = query.where(*_conditions(wanted))
        if wanted.text:
            query = query.where(self._contains(wanted.text))
        if before:
            than = sa.select(DEPLOYMENT.c.seq).where(DEPLOYMENT.c.id == before).scalar_subquery()
            query = query.where(DEPLOYMENT.c.seq < than)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return tuple(map(deployment_of, rows))

    async def places(self, repositories: Collection[str] | None) -> tuple[Place, ...]:
        """Every target, in the order of environment and repository."""
        allowed = _conditions(Filter(repositories))
        succeeded = DEPLOYMENT.c.outcome == Outcome.SUCCEEDED
        rows = await self._database.read(
            lambda connection: (
                connection.execute(_newest(*allowed)).all(),
                connection.execute(_newest(succeeded, *allowed)).all(),
            )
        )
        latest, current = ({row.target: deployment_of(row) for row in each} for each in rows)
        places = (
            Place(each.request.repository, each.request.environment, current.get(target), each)
            for target, each in latest.items()
        )
        return tuple(sorted(places, key=lambda place: (place.environment, place.repository)))

    def _contains(self, text: str) -> sa.ColumnElement[bool]:
        """Whether one of the fields does that a person sees, not the JSON that they are in."""
        stored = DEPLOYMENT.c.request
        json = sa.type_coerce(stored, sa.JSON) if self._database.path else sa.cast(stored, sa.JSON)
        fields = (json[path].as_string() for path in _SEARCHED)
        columns = (DEPLOYMENT.c.id, DEPLOYMENT.c.repository, DEPLOYMENT.c.environment)
        return sa.or_(*(each.icontains(text, autoescape=True) for each in (*columns, *fields)))

    async def kept(self, places: Collection[Place], now: float) -> dict[str, Against]:
        """The locks and the rollback that keep deployments away, for each target that has some."""
        locks, rolled_back = await self._database.read(
            lambda connection: (all_locks(connection, now), rolled_back_targets(connection))
        )
        found = {}
        for each in places:
            request = each.latest.request
            mine = (lock for lock in locks if lock.repository == request.repository)
            covering = tuple(lock for lock in mine if lock.covers(request.environment))
            is_back = request.target in rolled_back
            hold = await self._deployments.hold(request.target) if is_back else None
            if covering or hold:
                found[request.target] = Against(covering, hold)
        return found

    async def _names(
        self, column: sa.ColumnElement[Any], repositories: Collection[str] | None
    ) -> tuple[str, ...]:
        query = sa.select(column).distinct().order_by(column)
        query = query.where(*_conditions(Filter(repositories)))
        rows = await self._database.read(lambda connection: connection.execute(query).scalars())
        return tuple(rows)


def _newest(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    last = sa.select(sa.func.max(DEPLOYMENT.c.seq)).where(*conditions)
    return sa.select(DEPLOYMENT).where(DEPLOYMENT.c.seq.in_(last.group_by(DEPLOYMENT.c.target)))


def _conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.repositories is not None:
        conditions.append(DEPLOYMENT.c.repository.in_(wanted.repositories))
    if wanted.environment:
        conditions.append(DEPLOYMENT.c.environment == wanted.environment)
    if wanted.repository:
        conditions.append(DEPLOYMENT.c.repository == wanted.repository)
    if wanted.standing in {Standing.WAITING, Standing.RUNNING}:
        conditions.append(DEPLOYMENT.c.state == State(wanted.standing.value))
    elif wanted.standing:
        conditions.append(DEPLOYMENT.c.outcome.in_(_OUTCOMES[wanted.standing]))
    return conditions
