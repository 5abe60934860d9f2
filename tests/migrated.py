"""SQLite databases that have the schema: to migrate takes longer than most tests."""

import functools
import tempfile
from pathlib import Path

import sqlalchemy as sa

from bot.store import schema


def migrated(path: Path) -> str:
    """The URL of the one at this path, made where there is none."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(_empty())
    return f"sqlite:///{path}"


@functools.cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        engine = sa.create_engine(f"sqlite:///{path}")
        with engine.begin() as connection:
            schema.upgrade(connection)
        engine.dispose()
        return path.read_bytes()
