"""The workers that share a PostgreSQL database: who lives."""

import os
import socket
from collections.abc import Iterable

import sqlalchemy as sa

from bot.store.tables import WORKER

DEAD_AFTER_SECONDS = 15.0
"""How long a worker may say nothing; it says something every second."""

_FORGOTTEN_AFTER = 100 * DEAD_AFTER_SECONDS

_NOW = sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double)
"""The database's clock: those of the workers' machines may differ."""


_PASSING = "passing-"


def new_worker_id(*, stays: bool = True) -> str:
    """A name that no other worker has or had.

    One that does not stay is a command's: it ends with its own deployment.
    """
    name = f"{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}"
    return name if stays else _PASSING + name


def who_stays(workers: Iterable[str]) -> frozenset[str]:
    """Those to whom a deployment can be left."""
    return frozenset(worker for worker in workers if not worker.startswith(_PASSING))


def beat(connection: sa.Connection, worker: str) -> None:
    """Say that it lives."""
    seen = sa.update(WORKER).where(WORKER.c.id == worker).values(seen_at=_NOW)
    if not connection.execute(seen).rowcount:
        connection.execute(sa.insert(WORKER).values(id=worker, seen_at=_NOW))


def leave(connection: sa.Connection, worker: str) -> None:
    """Say that it stops: what it ran is taken over at once."""
    connection.execute(sa.delete(WORKER).where(WORKER.c.id == worker))


def living(connection: sa.Connection) -> set[str]:
    """Those who said so lately. The long dead are forgotten."""
    connection.execute(sa.delete(WORKER).where(WORKER.c.seen_at < _NOW - _FORGOTTEN_AFTER))
    return seen(connection)


def seen(connection: sa.Connection) -> set[str]:
    """The same, for who only looks."""
    alive = sa.select(WORKER.c.id).where(WORKER.c.seen_at > _NOW - DEAD_AFTER_SECONDS)
    return set(connection.execute(alive).scalars())
