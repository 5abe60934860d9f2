"""What is asked of the lines of deployments."""

import time
from collections.abc import Sequence

import sqlalchemy as sa

from bot.domain.deployment import Deployment, Outcome, State
from bot.domain.queue import COUNTED, Place, place_of
from bot.store.database import Database
from bot.store.deployments import Deployments
from bot.store.tables import APPROVAL, DEPLOYMENT

_LONGEST_LINE = 1000


class Queue:
    """The line of every target."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._deployments = Deployments(database)

    async def unfinished(self, target: str) -> tuple[Deployment, ...]:
        """All of a target that wait or run, in the order asked."""
        found = await self._deployments.list(target=target, unfinished=True, limit=_LONGEST_LINE)
        return tuple(reversed(found))

    async def place(self, deployment: Deployment, now: float | None = None) -> Place:
        """Where it stands in its target's line."""
        target = deployment.request.target
        unfinished = await self.unfinished(target)
        past = await self.durations(target)
        return place_of(deployment, unfinished, past, time.time() if now is None else now)

    async def behind(self, deployment: Deployment) -> Sequence[Deployment]:
        """Those that wait for it, in the order asked; for the run that holds the target."""
        # Its repository may have got another name since it began.
        deployment = await self._deployments.get(deployment.id) or deployment
        unfinished = await self.unfinished(deployment.request.target)
        ids = [each.id for each in unfinished]
        if deployment.id not in ids:
            return ()
        behind = unfinished[ids.index(deployment.id) + 1 :]
        return [each for each in behind if each.state is State.WAITING]

    async def durations(self, target: str) -> tuple[float, ...]:
        """How long the last deployments that succeeded took, in seconds, approvals left out."""
        waited = sa.func.coalesce(APPROVAL.c.settled_at - APPROVAL.c.asked_at, 0.0)
        took = DEPLOYMENT.c.finished_at - DEPLOYMENT.c.started_at - waited
        query = (
            sa.select(took)
            .join(APPROVAL, APPROVAL.c.deployment == DEPLOYMENT.c.id, isouter=True)
            .where(
                DEPLOYMENT.c.target == target,
                DEPLOYMENT.c.outcome == Outcome.SUCCEEDED,
                DEPLOYMENT.c.started_at.is_not(None),
            )
            .order_by(DEPLOYMENT.c.seq.desc())
            .limit(COUNTED)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return tuple(max(0.0, row[0]) for row in rows)
