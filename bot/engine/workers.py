"""The workers that share a PostgreSQL database: who lives."""

import os
import socket
import time

import sqlalchemy as sa

from bot.store.tables import WORKER

DEAD_AFTER_SECONDS = 30.0
"""How long a worker may say nothing; it says something every second."""

_FORGOTTEN_AFTER = 100 * DEAD_AFTER_SECONDS


def new_worker_id() -> str:
    """A name that no other worker has or had."""
    return f"{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}"


def beat(connection: sa.Connection, worker: str) -> None:
    """Say that it lives."""
    now = time.time()
    seen = sa.update(WORKER).where(WORKER.c.id == worker).values(seen_at=now)
    if not connection.execute(seen).rowcount:
        connection.execute(sa.insert(WORKER).values(id=worker, seen_at=now))


def leave(connection: sa.Connection, worker: str) -> None:
    """Say that it stops: what it ran is taken over at once."""
    connection.execute(sa.delete(WORKER).where(WORKER.c.id == worker))


def living(connection: sa.Connection) -> set[str]:
    """Those who said so lately. The long dead are forgotten."""
    now = time.time()
    connection.execute(sa.delete(WORKER).where(WORKER.c.seen_at < now - _FORGOTTEN_AFTER))
    alive = sa.select(WORKER.c.id).where(WORKER.c.seen_at > now - DEAD_AFTER_SECONDS)
    return set(connection.execute(alive).scalars())
