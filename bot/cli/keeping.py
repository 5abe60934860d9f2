"""The SQLite database is copied and put back."""

import asyncio
import os
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import make_url

from bot.cli.ending import explained
from bot.cli.noting import noted_if_it_can, where_there_is_one
from bot.cli.output import write
from bot.domain.reasons import Code, StoppedError
from bot.engine.claim import Claim
from bot.settings import load_settings
from bot.store.backup import back_up
from bot.store.backup import restore as put_back
from handlers.reports import words

File = Annotated[str, typer.Argument(metavar="FILE")]


def backup(file: File) -> None:
    """Copy the SQLite database into a new FILE, also while a bot runs."""
    to = Path(file).absolute()

    async def work() -> None:
        async with _noted():
            database = _database_file("pg_dump")
            await back_up(database, to)

    with explained():
        asyncio.run(work())
    write(words.backed_up(file))


def restore(file: File) -> None:
    """Put a backup in the SQLite database's place; no bot may run."""
    made = Path(file).absolute()

    async def work() -> tuple[Path, Path | None]:
        async with _noted():
            database = _database_file("pg_restore")
            database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            claim = Claim(database)
            try:
                old = await put_back(made, database)
            finally:
                claim.release()
        async with _noted():
            # Also in what was put back: its audit goes on from here.
            return database, old

    with explained():
        database, old = asyncio.run(work())
    write(words.restored(str(database), str(old) if old else None))


def _noted() -> AbstractAsyncContextManager[None]:
    """Where it can be: what is full or broken is what one copies, or puts a copy in the place of."""
    return noted_if_it_can(load_settings(os.environ), where_there_is_one)


def _database_file(program: str) -> Path:
    url = make_url(load_settings(os.environ).database_url)
    if url.drivername != "sqlite" or not url.database:
        raise StoppedError(
            Code.BAD_COMMAND,
            "the database is PostgreSQL, which has its own way",
            next_step=f"Use `{program}`.",
        )
    return Path(url.database)
