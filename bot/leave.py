"""Whether the rules let a terminal's request through, before there is a deployment."""

from collections.abc import Callable
from datetime import UTC, datetime

from bot.app import Bot
from bot.domain.deployment import Request
from bot.domain.gate_rules import EnvironmentRules
from bot.domain.gate_terminal import may_deploy
from bot.domain.progress import Progress, Warned
from bot.engine.run import stopped_for


async def take_leave(
    bot: Bot, request: Request, show: Callable[[Progress], None]
) -> EnvironmentRules:
    """The rules that let it through.

    Errors: why they do not, and those of git. What else stands in the way is shown.
    """
    rules = await bot.rules_for(request, lambda text: show(Warned(text)))
    against = may_deploy(rules, request, datetime.now(UTC))
    for each in against[1:]:
        show(Warned(f"{each.title}: {each.fact}"))
    if against:
        raise stopped_for(*against)
    return rules
