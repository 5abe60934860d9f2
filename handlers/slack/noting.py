"""What goes into the audit of a command that ends in Slack: it is about Slack, or is refused there."""

import time
from collections.abc import Mapping, Sequence

from bot.domain.audit import Action, Entry
from bot.domain.cleaning import cleaned
from bot.domain.deployment import Actor
from bot.domain.reasons import Reason
from handlers.commands.noting import LINE, REASONS, reason_facts
from handlers.slack.caller import Caller
from handlers.slack.desk import Desk
from handlers.slack.errand import SURFACE


async def note(desk: Desk, caller: Caller, line: str) -> None:
    """That it was given; secrets in it are masked."""
    await _note(desk, caller, Action.COMMAND, {LINE: desk.deployer.clean(line)})


async def note_refused(desk: Desk, caller: Caller, line: str, reasons: Sequence[Reason]) -> None:
    """Likewise, and why it is refused: no repository's rules were asked."""
    await note(desk, caller, line)
    given = [reason_facts(each) for each in reasons]
    facts = cleaned({LINE: line, REASONS: given}, desk.deployer.clean)
    codes = tuple(each.code.value for each in reasons)
    await _note(desk, caller, Action.DECISION, facts, codes)


async def _note(
    desk: Desk,
    caller: Caller,
    action: Action,
    facts: Mapping[str, object],
    reasons: tuple[str, ...] = (),
) -> None:
    identity = await desk.identities.of_slack(caller.slack)
    login = identity.login if identity else None
    account = f"github:{login.lower()}" if login else None
    by = Actor(login or caller.user, SURFACE, account)
    entry = Entry(action, by, time.time(), reasons=reasons, facts=facts)
    await desk.deployer.audit.append(entry, once=f"{action.value}:{caller.delivery}")
