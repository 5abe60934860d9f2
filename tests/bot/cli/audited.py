"""The audit that commands at a terminal leave."""

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from bot.domain.audit import Row
from bot.domain.reasons import Code, StoppedError
from bot.store.audit import Audit
from bot.store.database import Database


async def made(file: Path) -> None:
    await (await Database.open(f"sqlite:///{file}")).close()


def rows(url: str) -> Sequence[Row]:
    async def read() -> Sequence[Row]:
        database = await Database.open(url)
        try:
            return await Audit(database).read()
        finally:
            await database.close()

    return asyncio.run(read())


def noted(file: Path) -> list[tuple[str, str, list[str]]]:
    bodies: list[dict[str, Any]] = [json.loads(row.body) for row in rows(f"sqlite:///{file}")]
    return [(each["action"], each["facts"]["line"], each.get("reasons", [])) for each in bodies]


def full(_audit: Audit, *_: object, **__: object) -> None:
    raise StoppedError(Code.DISK_FULL, "database or disk is full")


def meddled(file: Path, change: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'"):
            connection.execute(f"drop trigger {name}")
        connection.execute(change)
