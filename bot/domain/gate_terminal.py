"""Who may what at a terminal, where nobody is asked for a login.

Whoever sits there has the bot's own secrets, and so counts as somebody with admin permission who is
in no team and no Slack group and has no login. A list that names only such lets them through where it
also says `terminal: true`. A workflow's step counts as a terminal, but its actor has a login.
"""

from collections.abc import Iterator
from types import MappingProxyType

from bot.domain.deployment import Actor, Request, Trigger
from bot.domain.gate_case import nobody_forces, refusal
from bot.domain.gate_rules import EnvironmentRules
from bot.domain.people import People
from bot.domain.reasons import Code, Reason

AT_TERMINAL = frozenset({Trigger.CLI, Trigger.ACTION})

_LISTS = MappingProxyType(
    {
        Code.NOT_A_DEPLOYER: ("deployers", "is not a deployer of"),
        Code.FORCE_NOT_ALLOWED: ("force", "may not force a deployment to"),
        Code.NOT_AN_APPROVER: ("approvals: who", "is not an approver of"),
    }
)


def may_deploy(rules: EnvironmentRules, request: Request) -> tuple[Reason, ...]:
    """Why a terminal's request, to deploy or to roll back, is refused; empty where it is not."""
    return tuple(_against(rules, request))


def may_vote(rules: EnvironmentRules, environment: str, who: Actor) -> tuple[Reason, ...]:
    """Why a vote at a terminal does not count; empty where it does."""
    return tuple(
        reason
        for people in rules.approvals.who
        for reason in kept_out(people, who, environment, Code.NOT_AN_APPROVER)
    )


def kept_out(people: People, who: Actor, environment: str, code: Code) -> Iterator[Reason]:
    """Why somebody at a terminal is none of the people; nothing where they are."""
    login = who.login
    has_name = login is not None and login.lower() in people.users
    if not people.is_named or people.terminal or has_name:
        return
    key, not_so = _LISTS[code]
    yield refusal(
        code,
        f"{who.name} {not_so} {environment} at a terminal; they are: {people.named}",
        f"Ask one of them, or let terminals in: add `terminal: true` to environments: "
        f"{environment}: {key} in .pachops.yml, or in the operator's rules if it is they who name "
        "them.",
    )


def _against(rules: EnvironmentRules, request: Request) -> Iterator[Reason]:
    who, environment = request.actor, request.environment
    for people in rules.deployers:
        yield from kept_out(people, who, environment, Code.NOT_A_DEPLOYER)
    if request.force is None:
        return
    if not rules.force:
        yield nobody_forces(environment)
    for people in rules.force:
        yield from kept_out(people, who, environment, Code.FORCE_NOT_ALLOWED)
