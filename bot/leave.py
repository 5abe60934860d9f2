"""Whether the rules let through what is asked for at a terminal, before anything comes of it."""

from collections.abc import Callable
from datetime import UTC, datetime

from bot.app import Bot
from bot.domain.deployment import Actor, Request
from bot.domain.gate_rules import EnvironmentRules
from bot.domain.gate_terminal import may_act, may_deploy
from bot.domain.progress import Progress, Warned
from bot.engine.run import stopped_for
from bot.stages.source import open_default


async def take_leave(
    bot: Bot, request: Request, show: Callable[[Progress], None]
) -> EnvironmentRules:
    """The rules that let it through.

    Errors: why they do not, other_address, and those of git. What else stands in the way is shown.
    """
    await bot.addresses.check_goes_first(request.repository, request.environment)
    rules = await bot.rules_for(request, lambda text: show(Warned(text)))
    against = may_deploy(rules, request, datetime.now(UTC))
    for each in against[1:]:
        show(Warned(f"{each.title}: {each.fact}"))
    if against:
        raise stopped_for(*against)
    return rules


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
