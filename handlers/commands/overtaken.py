"""What comes late, and would undo what was said after it."""

import asyncio
import json
from collections.abc import Iterable

from bot.domain.audit import Row
from bot.domain.command import Command
from bot.domain.deployment import GITHUB
from bot.domain.github import Permission
from bot.domain.lateness import CLOCKS_APART, Said, said, said_in, stands_against
from handlers.commands.errand import Errand, Person


async def overtaken_by(
    errand: Errand,
    command: Command,
    at: float,
    *,
    pull_request: int | None = None,
    is_exact: bool = False,
) -> Said | None:
    """What was said after the command, was carried out, and would be undone; None where nothing was.

    What was handled first does not count, but what was written first: after an outage all may come late.

    Args:
        errand: the delivery.
        command: what it asks for.
        at: when it was written, in seconds since the epoch.
        pull_request: where.
        is_exact: whether GitHub's clock says when.
    """
    late = said(command, errand.actor, at, pull_request, is_exact=is_exact)
    if late is None:
        return None
    rows = await errand.desk.deployer.audit.of_repository(
        errand.address, since=late.at - CLOCKS_APART
    )
    # After an outage there may be thousands.
    for each in await asyncio.to_thread(_later, late, rows):
        if not each.found_nothing or await _may(errand, each):
            return each
    return None


def _later(late: Said, rows: Iterable[Row]) -> list[Said]:
    """What stands against it, the last first."""
    found = (said_in(json.loads(row.body)) for row in rows)
    later = [each for each in found if each is not None and stands_against(late, each)]
    return sorted(later, key=lambda each: each.at)[::-1]


async def _may(errand: Errand, word: Said) -> bool:
    """Whether they may say it: where there was nothing to do, that was not asked."""
    if word.by.identity == errand.actor.identity:
        return True
    if (login := word.by.login) is None:
        return False
    found = await errand.of(Person(login, GITHUB)).permission(Permission.WRITE)
    return isinstance(found, Permission) and found >= Permission.WRITE
