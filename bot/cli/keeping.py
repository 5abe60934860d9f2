"""The SQLite database is copied and put back."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import make_url

from bot.cli.ending import explained
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
    with explained():
        asyncio.run(back_up(_database_file("pg_dump"), Path(file).absolute()))
    write(words.backed_up(file))


def restore(file: File) -> None:
    """Put a backup in the SQLite database's place; no bot may run."""
    with explained():
        database = _database_file("pg_restore")
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        claim = Claim(database)
        try:
            old = asyncio.run(put_back(Path(file).absolute(), database))
        finally:
            claim.release()
    write(words.restored(str(database), str(old) if old else None))


def _database_file(program: str) -> Path:
    url = make_url(load_settings(os.environ).database_url)
    if url.drivername != "sqlite" or not url.database:
        raise StoppedError(
            Code.BAD_COMMAND,
            "the database is PostgreSQL, which has its own way",
            next_step=f"Use `{program}`.",
        )
    return Path(url.database)
