"""Who may act on an environment, and what may start it."""

from collections.abc import Iterator

from bot.domain.deployment import Trigger
from bot.domain.gate_case import Case, refusal, unknown
from bot.domain.gate_facts import NOT_LOOKED_UP, Facts, Unknown
from bot.domain.github import Permission
from bot.domain.reasons import Code, Reason

_BY_ITSELF = frozenset({Trigger.PUSH, Trigger.RELEASE})
"""What nobody can do without write permission, and bots do."""


def place(facts: Facts) -> Iterator[Reason]:
    """A comment counts on a pull request only."""
    if facts.trigger is Trigger.COMMENT and facts.pull_request is None:
        yield refusal(Code.NOT_ON_PULL_REQUEST, "the comment is on an issue")


def person(facts: Facts) -> Iterator[Reason]:
    """A bot gives no commands; what it pushes or publishes counts as anybody's."""
    if facts.sender.is_bot and facts.trigger not in _BY_ITSELF:
        yield refusal(Code.BOT_SENDER, f"{facts.sender.login} is a bot")


def trigger(case: Case) -> Iterator[Reason]:
    """The environment must follow what happened."""
    facts, name = case.facts, case.environment
    of_pull_request = facts.trigger is Trigger.CHECK and facts.pull_request is not None
    asked = Trigger.COMMENT if of_pull_request else facts.trigger
    if case.rules.follows(asked, facts.content.branch):
        return
    key = f"environments: {name}: on"
    if facts.trigger is Trigger.PUSH:
        branch = facts.content.branch
        fact = f"{name} does not follow pushes to {branch}"
        step = f"Add {branch} to {key}: push in .pachops.yml on the default branch."
    elif facts.trigger is Trigger.RELEASE:
        fact = f"{name} does not follow releases"
        step = f"Write {key}: {{release: published}} in .pachops.yml on the default branch."
    elif facts.trigger is Trigger.PULL_REQUEST:
        fact = f"{name} does not deploy pull requests by itself"
        step = f"Ask for it: {case.command()}."
    else:
        fact = f"{name} takes no commands from pull requests ({key}: pull_request: never)"
        step = "Deploy it the way its rules say, from a push or a release."
    yield refusal(Code.NOT_FOLLOWED, fact, step)


def permission(case: Case) -> Iterator[Reason]:
    """Everybody needs the environment's least permission.

    Whoever runs the command line holds the bot's own secrets, and is not asked for more; whoever
    pushed or published had write permission to do it. A fork's commit is never vouched for so.
    """
    facts, least = case.facts, case.rules.least_permission
    if not facts.is_fork:
        if facts.trigger is Trigger.CLI:
            return
        if facts.trigger in _BY_ITSELF and least is Permission.WRITE:
            return
    sender = facts.sender
    if isinstance(sender.permission, Unknown):
        yield unknown(f"the permission of {sender.login}", sender.permission)
    elif sender.permission < least:
        yield refusal(
            Code.PERMISSION_MISSING,
            f"{sender.login} has {sender.permission.label} permission in "
            f"{facts.repository.full_name}; {case.environment} needs {least.label}",
            f"Ask somebody with {least.label} permission.",
        )


def deployer(case: Case) -> Iterator[Reason]:
    """Where an environment names its deployers, nobody else is one."""
    facts, rules = case.facts, case.rules
    if facts.trigger is Trigger.CLI or not (rules.users or rules.teams):
        return
    sender = facts.sender
    member = {team: sender.teams.get(team, NOT_LOOKED_UP) for team in sorted(rules.teams)}
    if sender.login.lower() in rules.users or any(each is True for each in member.values()):
        return
    missing = [(team, each) for team, each in member.items() if isinstance(each, Unknown)]
    for team, each in missing:
        yield unknown(f"whether {sender.login} is in {team}", each)
    if not missing:
        named = ", ".join([*sorted(rules.users), *sorted(rules.teams)])
        yield refusal(
            Code.NOT_A_DEPLOYER,
            f"{sender.login} is not a deployer of {case.environment}; they are: {named}",
            "Ask one of them.",
        )
