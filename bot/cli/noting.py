"""What is typed at a terminal goes into the audit, and so does its refusal, for `why`."""

import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from bot.account import user
from bot.domain.audit import Action, Entry
from bot.domain.deployment import Actor
from bot.domain.reasons import Code, StoppedError
from bot.redact import Redactor
from bot.settings import Settings
from bot.store.audit import Audit
from bot.store.database import Database
from bot.store.schema import CURRENT, version
from handlers.commands.noting import check_readable, refusal_at_terminal, typed_line
from handlers.reports import words
from handlers.reports.stream import standard_error
from handlers.reports.text import one_line

if TYPE_CHECKING:
    # It takes seconds to import.
    from bot.app import Bot

Append = Callable[[Entry], Awaitable[object]]
Clean = Callable[[str], str]
A_LITTLE = 2.0
"""Seconds that what goes on without its row waits for others who write."""


@asynccontextmanager
async def noted(append: Append, clean: Clean) -> AsyncIterator[None]:
    """Carry out a command in this. Errors: those of `append`, beside the command's own."""
    line, by = typed_line(sys.argv[1:], clean), Actor(user(), "cli")
    await append(Entry(Action.COMMAND, by, time.time(), facts={"line": line}))
    try:
        check_readable(sys.argv[1:])
        yield
    except StoppedError as stopped:
        # The reason itself counts more than that it was written down.
        with suppress(StoppedError):
            await append(refusal_at_terminal(line, by, stopped, clean))
        raise


def noted_by(bot: "Bot") -> AbstractAsyncContextManager[None]:
    """The same, on the bot's own database."""
    return noted(bot.audit.append, bot.redactor.clean)


def noted_if_it_can(
    settings: Settings, appender: Callable[[str], Append]
) -> AbstractAsyncContextManager[None]:
    """The same by a database of which only the settings are known, or without a row."""
    append = if_it_can(appender(settings.database_url))
    return noted(append, Redactor(settings.secrets()).clean)


def if_it_can(append: Append) -> Append:
    """The same, but where nothing can be written that is said once, and no more is tried.

    For what changes nothing: whoever looks why a disk is full is answered.
    """
    failed: list[StoppedError] = []

    async def tried(entry: Entry) -> None:
        if failed:
            return
        try:
            await append(entry)
        except StoppedError as stopped:
            failed.append(stopped)
            warning = words.not_in_audit(stopped.reason.title, stopped.reason.fact)
            standard_error().write(one_line(warning) + "\n")

    return tried


def on(url: str) -> Append:
    """Appends to the database, which is made or migrated first, for what needs it for nothing else."""

    async def append(entry: Entry) -> None:
        database = await Database.open(url, busy_timeout=A_LITTLE)
        try:
            await Audit(database).append(entry)
        finally:
            await database.close()

    return append


def where_there_is_one(url: str) -> Append:
    """Appends to the database if it is there: nothing is made or migrated.

    Errors, of the append: also DATABASE_UNUSABLE, where it is of another version.
    """

    async def append(entry: Entry) -> None:
        database = Database.unprepared(url, busy_timeout=A_LITTLE)
        try:
            if database.path is not None and not database.path.exists():
                return
            found = await database.read(version)
            if found not in {None, CURRENT}:
                fact = f"it has the schema {found}, and this pachops {CURRENT}"
                raise StoppedError(Code.DATABASE_UNUSABLE, fact)
            if found is not None:
                await Audit(database).append(entry)
        finally:
            await database.close()

    return append
