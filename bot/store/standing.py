"""What people have said of a target until they take it back."""

import sqlalchemy as sa

from bot.domain.gate_facts import Standing
from bot.domain.lock import Lock
from bot.store.database import Database
from bot.store.deployments import Deployments, was_rolled_back
from bot.store.locks import locks_of


async def standing_of(
    database: Database, repository: str, environment: str, now: float
) -> Standing:
    """The locks that the environment is under, and whether a rollback holds it."""
    target = f"{repository}#{environment}"

    def read(connection: sa.Connection) -> tuple[tuple[Lock, ...], bool]:
        return locks_of(connection, repository, now), was_rolled_back(connection, target)

    found, rolled_back = await database.read(read)
    locks = tuple(each for each in found if each.covers(environment))
    return Standing(locks, await Deployments(database).hold(target) if rolled_back else None)
