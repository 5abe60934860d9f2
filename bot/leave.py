"""Whether the rules let through what is asked for at a terminal, before anything comes of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.app import Bot
from bot.domain.deployment import Actor, Kind, Request
from bot.domain.gate_rules import EnvironmentRules
from bot.domain.gate_terminal import may_act, may_deploy, skipped_by_force
from bot.domain.progress import Progress, Warned
from bot.domain.reasons import Reason
from bot.domain.standing import stands_against
from bot.engine.run import stopped_for
from bot.stages.source import open_default


@dataclass(frozen=True)
class Leave:
    """That a request is let through."""

    rules: EnvironmentRules
    """By which."""
    skipped: tuple[Reason, ...] = ()
    """What stood in the way and is skipped by force."""


async def take_leave(bot: Bot, request: Request, show: Callable[[Progress], None]) -> Leave:
    """What lets it through.

    Errors: why it is not, other_address, and those of git. What else stands in the way is shown.
    """
    takes_back = request.kind is Kind.ROLLBACK
    await bot.addresses.check_goes_first(
        request.repository, request.environment, takes_back=takes_back
    )
    rules = await bot.rules_for(request, lambda text: show(Warned(text)))
    against = may_deploy(rules, request, datetime.now(UTC))
    for each in against[1:]:
        show(Warned(f"{each.title}: {each.fact}"))
    if against:
        raise stopped_for(*against)
    return Leave(rules, await _skipped(bot, request, rules))


async def _skipped(bot: Bot, request: Request, rules: EnvironmentRules) -> tuple[Reason, ...]:
    if request.force is None:
        return ()
    standing = await bot.standing(request.repository, request.environment)
    now = stands_against(request, standing, rules.calendar, time.time())
    return (*now, *skipped_by_force(rules, request))


async def take_leave_to_act(
    bot: Bot, repository: str, environment: str | None, who: Actor, *, everywhere: bool
) -> str | None:
    """The environment of the default branch that somebody may act on; None: all of them.

    Errors: why they may not, and those of git: then it is not known who may.
    """
    project = (await open_default(bot.git, repository)).project
    rules = bot.settings.narrow(project.rules(), repository).environments
    names = tuple(rules) if everywhere else (project.environment(environment)[0],)
    against = [reason for name in names for reason in may_act(rules[name], name, who)]
    if against:
        raise stopped_for(*against)
    return None if everywhere else names[0]
