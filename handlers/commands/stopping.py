"""Who may cancel: whoever asked, whoever the rules let act, and more where they say nothing."""

from bot.domain.deployment import Request
from bot.domain.gate import may_act
from bot.domain.gate_rules import EnvironmentRules, Rules
from bot.domain.reasons import GITHUB_PASSES, Code, Reason, StoppedError
from handlers.commands.errand import Errand
from handlers.commands.gathering import Wish, gather


async def objections_to_cancel(errand: Errand, wish: Wish, request: Request) -> tuple[Reason, ...]:
    """Why whoever asks may not cancel it; empty where they may.

    Where the rules are broken or have no such environment, who else may is not known: whoever has
    write permission may then, for to stop is safe, and within what the operator's settings say.

    Errors: what passes, such as github_unreachable.
    """
    if _asked_for(errand, request):
        return ()
    try:
        reasons = may_act(*await gather(errand, wish, content=False))
    except StoppedError as stopped:
        if stopped.reason.code in GITHUB_PASSES:
            raise
        reasons = (stopped.reason,)
    else:
        if {each.code for each in reasons} != {Code.ENVIRONMENT_UNKNOWN}:
            return reasons
    plain = Rules({request.environment: EnvironmentRules()})
    plain = errand.desk.deployer.narrow(plain, errand.address)
    lacking = may_act(*await gather(errand, wish, content=False, instead=plain))
    return (*reasons, *lacking) if lacking else ()


def _asked_for(errand: Errand, request: Request) -> bool:
    is_same = errand.actor.identity == request.actor.identity
    return is_same and not errand.person.is_bot
