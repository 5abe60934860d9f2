"""The SQLite database is copied and put back."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import make_url

from bot.cli.ending import explained
from bot.cli.noting import noted
from bot.cli.output import write
from bot.domain.reasons import Code, StoppedError
from bot.engine.claim import Claim
from bot.redact import Redactor
from bot.settings import load_settings
from bot.store.audit import Audit
from bot.store.backup import back_up
from bot.store.backup import restore as put_back
from bot.store.database import Database
from bot.store.schema import is_current
from handlers.reports import words

File = Annotated[str, typer.Argument(metavar="FILE")]


def backup(file: File) -> None:
    """Copy the SQLite database into a new FILE, also while a bot runs."""
    to = Path(file).absolute()

    async def work() -> None:
        database = _database_file("pg_dump")
        await back_up(database, to)
        await _note(database)

    with explained():
        asyncio.run(work())
    write(words.backed_up(file))


def restore(file: File) -> None:
    """Put a backup in the SQLite database's place; no bot may run."""
    made = Path(file).absolute()

    async def work() -> tuple[Path, Path | None]:
        database = _database_file("pg_restore")
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        claim = Claim(database)
        try:
            old = await put_back(made, database)
            await _note(database)
        finally:
            claim.release()
        return database, old

    with explained():
        database, old = asyncio.run(work())
    write(words.restored(str(database), str(old) if old else None))


async def _note(path: Path) -> None:
    """Put it into the audit, unless that is another version's: a backup migrates nothing."""
    database = Database.unprepared(f"sqlite:///{path}")
    try:
        if await database.read(is_current):
            async with noted(Audit(database), Redactor(load_settings(os.environ).secrets()).clean):
                pass
    finally:
        await database.close()


def _database_file(program: str) -> Path:
    url = make_url(load_settings(os.environ).database_url)
    if url.drivername != "sqlite" or not url.database:
        raise StoppedError(
            Code.BAD_COMMAND,
            "the database is PostgreSQL, which has its own way",
            next_step=f"Use `{program}`.",
        )
    return Path(url.database)
