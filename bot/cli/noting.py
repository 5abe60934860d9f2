"""What is typed at a terminal goes into the audit, and so does its refusal, for `why`."""

import shlex
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot.cli.output import user
from bot.domain.audit import Action, Entry
from bot.domain.deployment import Actor
from bot.domain.reasons import StoppedError
from bot.store.audit import Audit
from handlers.commands.noting import refusal_at_terminal


@asynccontextmanager
async def noted(audit: Audit, clean: Callable[[str], str]) -> AsyncIterator[None]:
    """Carry out a command in this. Errors: those of the database, beside the command's own."""
    line = clean(shlex.join(sys.argv[1:]))
    by = Actor(user(), "cli")
    await audit.append(Entry(Action.COMMAND, by, time.time(), facts={"line": line}))
    try:
        yield
    except StoppedError as stopped:
        await audit.append(refusal_at_terminal(line, by, stopped, clean))
        raise
