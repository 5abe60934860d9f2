"""A repository that has another name: what is kept under its address goes on under the new one."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.domain.audit import Action, Entry
from bot.domain.deployment import Actor
from bot.store.audit import append
from bot.store.deliveries import DeliveryState, lanes_of
from bot.store.deployments import WANTED
from bot.store.locks import rename_locks
from bot.store.tables import AUDIT, DELIVERY, DEPLOYMENT, FACT, LOCK_NOTICE, SUBSCRIPTION
from bot.store.values import encode


@dataclass(frozen=True)
class Named:
    """A repository as it is named."""

    address: str
    """By deployments and locks."""
    name: str
    """By channels: `owner/name`."""


def rename(
    connection: sa.Connection, before: Named, after: Named, by: Actor, now: float, *, once: str
) -> bool:
    """Move its locks, deployments and subscriptions; False where that was done before.

    The audit, which nobody changes, keeps the old name.
    """
    if connection.execute(sa.select(AUDIT.c.seq).where(AUDIT.c.once == once)).first():
        return False
    rename_locks(connection, before.address, after.address, by, now)
    _move_subscriptions(connection, before.name.lower(), after.name.lower())
    old, new = encode(before.address), encode(after.address)
    moved = DEPLOYMENT.c.repository == before.address
    # Before an update these are looked at again, under this address.
    facts_of = FACT.c.deployment.in_(sa.select(DEPLOYMENT.c.id).where(moved))
    _rewrite(connection, FACT.c.value, facts_of & (FACT.c.key == WANTED), old, new)
    _rewrite(connection, LOCK_NOTICE.c.lock, LOCK_NOTICE.c.sent_at.is_(None), old, new)
    # What was told before and is not done yet.
    told = DELIVERY.c.repository.in_(lanes_of(before.name))
    _rewrite(connection, DELIVERY.c.payload, told, old, new)
    # GitHub tells under the new name that the checks have ended.
    awaits = told & (DELIVERY.c.state == DeliveryState.AWAITING)
    connection.execute(sa.update(DELIVERY).where(awaits).values(repository=after.name.lower()))
    _rewrite(connection, DEPLOYMENT.c.request, moved, old, new)
    connection.execute(
        sa.update(DEPLOYMENT)
        .where(moved)
        .values(
            repository=after.address,
            target=sa.literal(f"{after.address}#").concat(DEPLOYMENT.c.environment),
        )
    )
    facts = {"before": before.address, "after": after.address}
    append(connection, Entry(Action.RENAMED, by, now, after.address, facts=facts), once=once)
    return True


def _move_subscriptions(connection: sa.Connection, before: str, after: str) -> None:
    """What a channel wishes under the new name already stays."""
    its, channel = SUBSCRIPTION.c.repository == before, SUBSCRIPTION.c.channel
    newer = sa.select(channel).where(SUBSCRIPTION.c.repository == after).scalar_subquery()
    connection.execute(sa.delete(SUBSCRIPTION).where(its, channel.in_(newer)))
    connection.execute(sa.update(SUBSCRIPTION).where(its).values(repository=after))


def _rewrite(
    connection: sa.Connection,
    text: sa.Column[Any],
    which: sa.ColumnElement[bool],
    old: str,
    new: str,
) -> None:
    """Put one JSON string in the place of another."""
    values = {text: sa.func.replace(text, old, new)}
    connection.execute(sa.update(text.table).where(which).values(values))
