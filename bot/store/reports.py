"""What the surfaces have said of the deployments: where each report is, and which are owed."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.domain.deployment import State
from bot.store.database import Database
from bot.store.tables import DEPLOYMENT, FACT
from bot.store.values import decode


@dataclass(frozen=True)
class Owed:
    """A deployment of which a surface has not said the end."""

    number: int
    """Its place in the order asked."""
    deployment: str
    origin: Any
    """JSON: what the surface noted when it was asked for."""
    has_ended: bool = False


class Reports:
    """The reports of one surface.

    A surface keeps what it needs as facts of the deployment (`Deployments.save`): `origin`
    when it is asked for, and `settled` once nothing is left to say.
    """

    def __init__(self, database: Database, *, origin: str, settled: str) -> None:
        self._database = database
        self._origin = origin
        self._settled = settled

    async def owed(self, after: int = 0, without: Collection[str] = ()) -> tuple[Owed, ...]:
        """Those with a number above `after` that the surface has still to speak of, oldest first."""
        said = FACT.alias()
        settled = sa.exists().where(
            said.c.deployment == DEPLOYMENT.c.id, said.c.key == self._settled
        )
        query = (
            sa.select(DEPLOYMENT.c.seq, DEPLOYMENT.c.id, DEPLOYMENT.c.state, FACT.c.value)
            .join(FACT, (FACT.c.deployment == DEPLOYMENT.c.id) & (FACT.c.key == self._origin))
            .where(DEPLOYMENT.c.seq > after, ~settled)
            .order_by(DEPLOYMENT.c.seq)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return tuple(
            Owed(row.seq, row.id, decode(row.value), row.state == State.FINISHED)
            for row in rows
            if row.id not in without
        )

    async def newest_number(self) -> int:
        """The number of the newest deployment; 0 where there is none."""
        query = sa.select(sa.func.max(DEPLOYMENT.c.seq))
        found = await self._database.read(lambda connection: connection.execute(query).scalar())
        return found or 0

    async def last_events(self, deployments: Collection[str]) -> dict[str, int]:
        """The number of the newest event of each of these."""
        query = sa.select(DEPLOYMENT.c.id, DEPLOYMENT.c.last_event).where(
            DEPLOYMENT.c.id.in_(deployments)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {row.id: row.last_event for row in rows}

    async def latest(self, target: str, key: str) -> Any:  # noqa: ANN401 - JSON
        """The newest fact under this key of any deployment of the target; None without one."""
        query = (
            sa.select(FACT.c.value)
            .join(DEPLOYMENT, FACT.c.deployment == DEPLOYMENT.c.id)
            .where(DEPLOYMENT.c.target == target, FACT.c.key == key)
            .order_by(DEPLOYMENT.c.seq.desc())
            .limit(1)
        )
        text = await self._database.read(lambda connection: connection.execute(query).scalar())
        return None if text is None else decode(text)
