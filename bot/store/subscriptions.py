"""Which channels hear of which repositories."""

import time
from dataclasses import dataclass

import sqlalchemy as sa

from bot.store.database import Database
from bot.store.tables import SUBSCRIPTION
from bot.store.values import decode, encode


@dataclass(frozen=True)
class Subscription:
    """A channel's wish to hear of a repository."""

    channel: str
    """Slack's id."""
    repository: str
    """`owner/name` in lower case."""
    environments: tuple[str, ...] = ()
    """Empty: all."""
    events: tuple[str, ...] = ()
    """Empty: the usual ones."""
    by: str = ""
    """Who asked for it, as Slack knows them."""

    def is_about(self, environment: str) -> bool:
        """Whether the channel hears of this environment."""
        return not self.environments or environment in self.environments


class Subscriptions:
    """Every subscription. Changes are on disk when a call returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, subscription: Subscription) -> None:
        """Subscribe, in place of what the channel heard of the repository before."""
        values = {
            "channel": subscription.channel,
            "repository": subscription.repository.lower(),
            "environments": encode(list(subscription.environments)),
            "events": encode(list(subscription.events)),
            "created_by": subscription.by,
            "created_at": time.time(),
        }

        def write(connection: sa.Connection) -> None:
            connection.execute(_delete(subscription.channel, subscription.repository))
            connection.execute(sa.insert(SUBSCRIPTION).values(values))

        await self._database.write(write)

    async def drop(self, channel: str, repository: str) -> bool:
        """Hear no more of it; False where the channel did not."""
        gone = _delete(channel, repository)
        return await self._database.write(lambda connection: connection.execute(gone).rowcount > 0)

    async def of_channel(self, channel: str) -> tuple[Subscription, ...]:
        """What a channel hears of, by name."""
        return await self._list(SUBSCRIPTION.c.channel == channel)

    async def of_repository(self, repository: str) -> tuple[Subscription, ...]:
        """Who hears of a repository."""
        return await self._list(SUBSCRIPTION.c.repository == repository.lower())

    async def all(self) -> tuple[Subscription, ...]:
        """Every one."""
        return await self._list(sa.true())

    async def _list(self, condition: sa.ColumnElement[bool]) -> tuple[Subscription, ...]:
        query = (
            sa.select(SUBSCRIPTION)
            .where(condition)
            .order_by(SUBSCRIPTION.c.repository, SUBSCRIPTION.c.channel)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return tuple(
            Subscription(
                row.channel,
                row.repository,
                tuple(decode(row.environments)),
                tuple(decode(row.events)),
                row.created_by,
            )
            for row in rows
        )


def _delete(channel: str, repository: str) -> sa.Delete:
    return sa.delete(SUBSCRIPTION).where(
        SUBSCRIPTION.c.channel == channel, SUBSCRIPTION.c.repository == repository.lower()
    )
