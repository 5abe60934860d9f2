"""The data folder and the database."""

import os
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import sqlalchemy as sa

from bot.doctor.finding import Check, fault, good, note, warning
from bot.domain.finding import Finding, Level
from bot.settings import Settings
from bot.store import schema
from bot.store.database import Database
from bot.store.deliveries import Deliveries
from bot.store.tables import WORKER
from bot.units import shown_size

_FOLDER = "data folder"
_DATABASE = "database"
LEAST_FREE = 1 << 30
"""Bytes."""
MOST_REPOSITORIES = 50


def checks(settings: Settings) -> Sequence[Check]:
    """Those of this file."""

    async def folder() -> Sequence[Finding]:
        return look_at_folder(settings.data_dir)

    async def database() -> Sequence[Finding]:
        return await look_at_database(settings.database_url)

    return [Check(_FOLDER, folder), Check(_DATABASE, database)]


def look_at_folder(folder: Path) -> Sequence[Finding]:
    """Whether it is ours alone, can be written to, and has room."""
    if not folder.exists():
        parent = next(each for each in folder.parents if each.exists())
        if os.access(parent, os.W_OK | os.X_OK):
            return [note(_FOLDER, f"{folder} is not there yet; it is made at the first start")]
        return [
            fault(
                _FOLDER,
                f"{folder} is not there, and {parent} cannot be written to",
                f"Make it: `install -d -m 700 -o {os.geteuid()} {folder}`, or set PACHOPS_DATA_DIR.",
            )
        ]
    found = []
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        step = f"Run `chown {os.geteuid()} {folder}` and `chmod 700 {folder}`."
        return [fault(_FOLDER, f"{folder} cannot be read and written", step)]
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        found.append(
            warning(
                _FOLDER,
                f"other users of this machine can look into {folder} (mode {mode:o})",
                f"Run `chmod 700 {folder}`.",
            )
        )
    room = os.statvfs(folder)
    free = room.f_bavail * room.f_frsize
    if free < LEAST_FREE:
        step = "Free some space, or move the folder (PACHOPS_DATA_DIR)."
        found.append(warning(_FOLDER, f"{shown_size(free)} are free at {folder}", step))
    return found or [good(_FOLDER, f"{folder}, {shown_size(free)} free")]


async def look_at_database(url: str) -> Sequence[Finding]:
    """Its version, and whether it can be written to. Nothing is made or migrated."""
    database = Database.unprepared(url)
    try:
        if database.path is not None and not _is_there(database.path):
            fact = f"{database.path} is not there yet; it is made at the first start"
            return [note(_DATABASE, fact)]
        version, detail = await database.read(_describe)
        if version == schema.CURRENT:
            await database.write(
                lambda connection: connection.execute(
                    sa.update(WORKER).where(sa.false()).values(seen_at=0.0)
                )
            )
    finally:
        await database.close()
    return [_of_version(version, detail), *_of_journal(detail)]


async def known_repositories(url: str) -> Sequence[str]:
    """Those on GitHub that told this database something lately."""
    async with _deliveries(url) as deliveries:
        return await deliveries.repositories(MOST_REPOSITORIES) if deliveries else []


async def known_deliveries(url: str, ids: Sequence[str]) -> frozenset[str]:
    """Those webhooks of GitHub that came, whatever GitHub heard of it."""
    async with _deliveries(url) as deliveries:
        return await deliveries.known(ids) if deliveries else frozenset()


@asynccontextmanager
async def _deliveries(url: str) -> AsyncIterator[Deliveries | None]:
    """None where there are none yet. Nothing is made or migrated."""
    database = Database.unprepared(url)
    try:
        if database.path is not None and not _is_there(database.path):
            yield None
            return
        version, _ = await database.read(_describe)
        yield Deliveries(database) if version == schema.CURRENT else None
    finally:
        await database.close()


def _is_there(path: Path) -> bool:
    return path.exists()


def _of_version(version: str | None, detail: str) -> Finding:
    if version == schema.CURRENT:
        return good(_DATABASE, f"{detail}, schema {version}, can be written to")
    if version is None:
        return note(_DATABASE, f"{detail}, empty; it is filled at the first start")
    if version < schema.CURRENT:
        fact = f"{detail}, schema {version}; the next start makes it {schema.CURRENT}"
        return note(_DATABASE, fact, "Back it up before you upgrade.")
    return fault(
        _DATABASE,
        f"its schema {version} is newer than this pachops, which knows {schema.CURRENT}",
        "Upgrade pachops, or give this one its own PACHOPS_DATABASE_URL.",
    )


def _of_journal(detail: str) -> Sequence[Finding]:
    if not detail.startswith("SQLite") or "WAL" in detail:
        return []
    step = "Put it on a local disk: network file systems cannot keep its write-ahead log."
    return [Finding(Level.WARNING, _DATABASE, f"{detail}: readers wait for writers", step)]


def _describe(connection: sa.Connection) -> tuple[str | None, str]:
    schema.refuse_other_encodings(connection)
    version = schema.version(connection)
    if connection.dialect.name == "sqlite":
        mode = str(connection.exec_driver_sql("PRAGMA journal_mode").scalar()).upper()
        return version, f"SQLite, journal {mode}"
    server = connection.exec_driver_sql("show server_version").scalar()
    return version, f"PostgreSQL {server}"
