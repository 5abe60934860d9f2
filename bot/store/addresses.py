"""Under which addresses repositories are kept."""

from dataclasses import dataclass

import sqlalchemy as sa

from bot.store.locks import all_locks
from bot.store.tables import DEPLOYMENT


@dataclass(frozen=True)
class Kept:
    """An environment that something is kept of: deployments or a lock."""

    address: str
    environment: str | None
    """None: a lock of all of them."""
    is_lock: bool = False


def kept(connection: sa.Connection, now: float) -> tuple[Kept, ...]:
    """All that there are; what was deployed last comes first, what is only locked comes last."""
    deployed = [
        Kept(row.repository, row.environment)
        for row in connection.execute(_LAST.order_by(DEPLOYMENT.c.seq.desc()))
    ]
    locked = [
        Kept(each.repository, each.environment, is_lock=True) for each in all_locks(connection, now)
    ]
    return (*deployed, *locked)


def _last_of_each_target() -> sa.Select[tuple[str, str]]:
    """From one target to the next in the index, so that it costs nothing to have deployed often."""
    one = DEPLOYMENT.alias()
    walk = sa.select(sa.func.min(one.c.target).label("target")).cte("walk", recursive=True)
    following = sa.select(sa.func.min(one.c.target)).where(one.c.target > walk.c.target)
    walk = walk.union_all(
        sa.select(following.correlate(walk).scalar_subquery()).where(walk.c.target.is_not(None))
    )
    last = sa.select(sa.func.max(one.c.seq)).where(one.c.target == walk.c.target)
    return (
        sa.select(DEPLOYMENT.c.repository, DEPLOYMENT.c.environment)
        .select_from(walk)
        .join(DEPLOYMENT, DEPLOYMENT.c.seq == last.correlate(walk).scalar_subquery())
    )


_LAST = _last_of_each_target()
