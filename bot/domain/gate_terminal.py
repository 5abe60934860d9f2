"""Who may what at a terminal, where nobody is asked for a login.

Whoever sits there has the bot's own secrets, and so counts as somebody with admin permission who is
in no team and no Slack group and has no login. A list that names only such lets them through where it
also says `terminal: true`. A workflow's step counts as a terminal, but its actor has a login, which
its environment says: lists of users believe that.
"""

from collections.abc import Iterator
from datetime import datetime
from types import MappingProxyType

from bot.domain.deployment import Actor, Kind, Request, Trigger
from bot.domain.gate_case import closed_for, nobody_forces, refusal, unapproved
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


def may_deploy(
    rules: EnvironmentRules, request: Request, now: datetime | None = None
) -> tuple[Reason, ...]:
    """Why a terminal's request, to deploy or to roll back, is refused; empty where it is not.

    Hours and freezes are looked at where it is said what time it is.
    """
    return tuple(_against(rules, request, now))


def may_act(rules: EnvironmentRules, environment: str, who: Actor) -> tuple[Reason, ...]:
    """Why a terminal may not act on the environment, without a commit; empty where it may."""
    return tuple(
        reason
        for people in rules.deployers
        for reason in kept_out(people, who, environment, Code.NOT_A_DEPLOYER)
    )


def skipped_by_force(rules: EnvironmentRules, request: Request) -> tuple[Reason, ...]:
    """What a terminal's forced request goes past, beside hours, freezes and locks."""
    if request.force is None:
        return ()
    needed = rules.approvals.needed
    approvals = (unapproved(request.environment, needed),) if needed else ()
    return (*_requires(rules, request), *approvals)


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


def _against(rules: EnvironmentRules, request: Request, now: datetime | None) -> Iterator[Reason]:
    who, environment = request.actor, request.environment
    yield from may_act(rules, environment, who)
    if request.kind is Kind.DEPLOY:
        yield from _branch(rules, request)
    if request.force is not None:
        if not rules.force:
            yield nobody_forces(environment)
        for people in rules.force:
            yield from kept_out(people, who, environment, Code.FORCE_NOT_ALLOWED)
        return
    yield from _requires(rules, request)
    if request.kind is Kind.DEPLOY and now is not None:
        closed = rules.calendar.closed_at(now) if rules.calendar else None
        yield from () if closed is None else (closed_for(closed, environment),)


def _requires(rules: EnvironmentRules, request: Request) -> Iterator[Reason]:
    """Of checks and reviews only a server hears; a workflow has its own way to wait for them."""
    required = rules.checks is not None or rules.review or rules.fresh
    if not required or request.kind is not Kind.DEPLOY or request.trigger is not Trigger.CLI:
        return
    fact = f"what {request.environment} requires of checks and reviews is not known at a terminal"
    step = (
        "Ask for it on GitHub or in Slack; in an emergency those who may force it may do so here."
    )
    yield refusal(Code.FACT_UNKNOWN, fact, step)


def _branch(rules: EnvironmentRules, request: Request) -> Iterator[Reason]:
    """Branches that are named; of an environment that names none a terminal takes any commit."""
    if rules.branches is None and not rules.within:
        return
    branch, environment = request.commit.branch, request.environment
    if request.release is not None or (branch is None and request.trigger is Trigger.ACTION):
        # A tag, and the commit of a workflow's event, are no branch: which they are part of git
        # alone does not say.
        return
    if branch is not None and rules.allows_branch(branch, branch if rules.branches is None else ""):
        return
    own = rules.branches if rules.branches is not None else rules.within[0]
    allowed = ", ".join(own) or "none"
    what = branch or request.commit.ref
    fact = f"{environment} does not take {what} at a terminal; it takes: {allowed}"
    yield refusal(Code.BRANCH_NOT_ALLOWED, fact, "Name one of those branches in its place.")
