"""A repository that has another name: what is kept under its address goes on under the new one."""

from typing import Any

import sqlalchemy as sa

from bot.domain.audit import Action, Entry
from bot.domain.deployment import Actor
from bot.store.audit import append
from bot.store.deliveries import SLACK_EVENT, DeliveryState, lanes_of
from bot.store.known_names import hand_on
from bot.store.locks import rename_locks
from bot.store.names import OWNER, Named, moved_place
from bot.store.tables import AUDIT, DELIVERY, DEPLOYMENT, FACT, LOCK, LOCK_NOTICE, SUBSCRIPTION
from bot.store.values import decode, encode


def rename(
    connection: sa.Connection, before: Named, after: Named, by: Actor, now: float, *, once: str
) -> bool:
    """Move its locks, deployments and subscriptions.

    False where that was done before, or where another repository has its old name by now. The audit,
    which nobody changes, keeps that name.
    """
    if connection.execute(sa.select(AUDIT.c.seq).where(AUDIT.c.once == once)).first():
        return False
    number = before.number
    if number is not None and not hand_on(connection, number, before.name, after.name):
        return False
    rename_locks(connection, before.address, after.address, by, now)
    _move_subscriptions(connection, before.name.lower(), after.name.lower())
    old, new = encode(before.address), encode(after.address)
    moved = DEPLOYMENT.c.repository == before.address
    # Where it was asked for: what is looked at again, reported and voted on is there.
    its = FACT.c.deployment.in_(sa.select(DEPLOYMENT.c.id).where(moved))
    _move_places(connection, FACT.c.value, its, before, after)
    _rewrite(connection, LOCK_NOTICE.c.lock, LOCK_NOTICE.c.sent_at.is_(None), old, new)
    told = _told_of(connection, before)
    _move_places(connection, DELIVERY.c.payload, told, before, after)
    # GitHub tells under the new name that the checks have ended.
    awaits = told & (DELIVERY.c.state == DeliveryState.AWAITING)
    _rewrite(connection, DELIVERY.c.awaited, told, old, new)
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


def names_of(connection: sa.Connection, place: str, owner: str) -> frozenset[str]:
    """The repositories of an account of which something is kept, as it writes them.

    Args:
        connection: reads.
        place: what the addresses of all of them begin with.
        owner: its name.
    """
    addresses = [
        address
        for table in (DEPLOYMENT, LOCK)
        for address in connection.execute(
            sa.select(table.c.repository)
            .where(table.c.repository.startswith(place, autoescape=True))
            .distinct()
        ).scalars()
    ]
    found = {
        each.removeprefix(place).removesuffix(".git")
        for each in addresses
        if each.startswith(place)
    }
    waiting = sa.select(DELIVERY.c.payload).where(
        DELIVERY.c.repository.startswith(f"{owner.lower()}/", autoescape=True),
        ~DELIVERY.c.event.startswith(SLACK_EVENT, autoescape=True),
        DELIVERY.c.state.in_([DeliveryState.PENDING, DeliveryState.AWAITING]),
    )
    told = (decode(text) for text in connection.execute(waiting).scalars() if text)
    found |= {each["repository"]["full_name"].partition("/")[2] for each in told}
    heard = sa.select(SUBSCRIPTION.c.repository).where(
        SUBSCRIPTION.c.repository.startswith(f"{owner.lower()}/", autoescape=True)
    )
    known = {each.lower() for each in found}
    # They have it in lower case, which no address is made of where it is known better.
    listened = {each.partition("/")[2] for each in connection.execute(heard).scalars()}
    return frozenset(found | (listened - known))


def _told_of(connection: sa.Connection, repository: Named) -> sa.ColumnElement[bool]:
    """What was told of it and is not done yet, and nothing of another that has its name by now."""
    under_it = DELIVERY.c.repository.in_(lanes_of(repository.name)) & DELIVERY.c.payload.is_not(
        None
    )
    if repository.number is None:
        return under_it
    rows = connection.execute(sa.select(DELIVERY.c.seq, DELIVERY.c.payload).where(under_it)).all()
    its = [row.seq for row in rows if _number_in(row.payload) in {None, repository.number}]
    return DELIVERY.c.seq.in_(its)


def _number_in(payload: str) -> int | None:
    match decode(payload):
        case {"repository": {"id": int(number)}}:
            return number
    return None


def _move_subscriptions(connection: sa.Connection, before: str, after: str) -> None:
    """What a channel wishes under the new name already stays."""
    if before == after:
        # Of another case alone: each wish would give way to itself.
        return
    its, channel = SUBSCRIPTION.c.repository == before, SUBSCRIPTION.c.channel
    newer = sa.select(channel).where(SUBSCRIPTION.c.repository == after).scalar_subquery()
    connection.execute(sa.delete(SUBSCRIPTION).where(its, channel.in_(newer)))
    connection.execute(sa.update(SUBSCRIPTION).where(its).values(repository=after))


def _move_places(
    connection: sa.Connection,
    text: sa.Column[Any],
    which: sa.ColumnElement[bool],
    before: Named,
    after: Named,
) -> None:
    """Give the repository its new name wherever JSON has it."""
    keys = list(text.table.primary_key)
    found = connection.execute(
        sa.select(text, *keys).where(which, text.contains(f'"{OWNER}"'))
    ).all()
    for value, *key in found:
        as_it_was = decode(value)
        moved = moved_place(as_it_was, before, after)
        if moved != as_it_was:
            this = (column == part for column, part in zip(keys, key, strict=True))
            connection.execute(sa.update(text.table).where(*this).values({text: encode(moved)}))


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
