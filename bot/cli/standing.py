"""What stands until it is told to stop: the bot that listens, and a worker."""

import asyncio
import os
import sys
from functools import partial
from typing import Annotated

import typer

from bot.cli.ending import STATUS, explained
from bot.cli.following import open_session
from bot.cli.log import settings_of_a_server
from bot.cli.noting import noted_by
from bot.cli.output import tell, write
from bot.domain.reasons import Kind
from bot.settings import load_settings
from handlers.reports import words
from handlers.reports.plain import PlainLines


def serve() -> None:
    """Listen to GitHub and run what is asked for, until SIGTERM or Ctrl-C."""
    with explained():
        settings_of_a_server()
        from bot.serve import serve as run  # noqa: PLC0415 - heavy

        asyncio.run(run(partial(load_settings, os.environ), tell, noted_by))


def worker(
    *,
    drain: Annotated[
        bool, typer.Option("--drain", help="Finish what is there, then end; always so on SQLite.")
    ] = False,
) -> None:
    """Run deployments of a shared PostgreSQL database, until SIGTERM or Ctrl-C."""
    if drain or not _is_shared():
        _drain()
        return
    with explained():
        settings = settings_of_a_server()
        from bot.worker import work  # noqa: PLC0415 - heavy

        asyncio.run(work(settings, noted=noted_by))


def _is_shared() -> bool:
    with explained():
        return not load_settings(os.environ).database_url.startswith("sqlite")


def _drain() -> None:
    reporter = PlainLines(sys.stdout)
    with explained():
        left = asyncio.run(open_session(reporter).work(noted_by))
    reporter.close()
    write(words.left(left))
    if left:
        raise typer.Exit(STATUS[Kind.CANCELLED])
