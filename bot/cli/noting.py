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


@asynccontextmanager
async def noted(audit: Audit, clean: Callable[[str], str]) -> AsyncIterator[None]:
    """Carry out a command in this. Errors: those of the database, beside the command's own."""
    line = clean(shlex.join(sys.argv[1:]))
    by = Actor(user(), "cli")
    await audit.append(Entry(Action.COMMAND, by, time.time(), facts={"line": line}))
    try:
        yield
    except StoppedError as stopped:
        from handlers.commands.noting import LINE, REASONS, reason_facts  # noqa: PLC0415 - heavy

        found = reason_facts(stopped.reason) | {"fact": clean(stopped.reason.fact)}
        facts = {LINE: line, REASONS: [found]}
        codes = (stopped.reason.code.value,)
        entry = Entry(Action.DECISION, by, time.time(), reasons=codes, facts=facts)
        await audit.append(entry)
        raise
