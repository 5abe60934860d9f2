"""Who may act on an environment, and what may start it."""

from collections.abc import Iterator

from bot.domain.deployment import Trigger
from bot.domain.gate_case import Case, refusal, unknown
from bot.domain.gate_facts import NOT_LOOKED_UP, Facts, Sender, Unknown
from bot.domain.gate_terminal import AT_TERMINAL, kept_out
from bot.domain.github import Permission
from bot.domain.people import People
from bot.domain.reasons import Code, Reason

_BY_ITSELF = frozenset({Trigger.PUSH, Trigger.RELEASE})
"""What nobody can do without write permission, and bots do."""
_ON_CHECKS = frozenset({Trigger.CHECK, Trigger.RERUN})


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
    of_pull_request = facts.trigger in _ON_CHECKS and facts.pull_request is not None
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

    Whoever sits at a terminal counts as one with all of it; whoever pushed or published had write
    permission to do it. A fork's commit is never vouched for so.
    """
    facts, least = case.facts, case.rules.least_permission
    if not facts.is_fork:
        if facts.trigger in AT_TERMINAL:
            return
        if facts.trigger in _BY_ITSELF and least is Permission.WRITE:
            return
    yield from _has(case.environment, facts, least)


def deployer(case: Case) -> Iterator[Reason]:
    """Where an environment names its deployers, nobody else is one."""
    for people in case.rules.deployers:
        yield from misses(case, people, Code.NOT_A_DEPLOYER, "is not a deployer of")


def misses(case: Case, people: People, code: Code, not_so: str) -> Iterator[Reason]:
    """Why the sender is none of the people; nothing where they are.

    Their permission counts too where it is more than every deployer needs.
    """
    facts, sender = case.facts, case.facts.sender
    if facts.trigger in AT_TERMINAL:
        yield from kept_out(people, facts.asker, case.environment, code)
        return
    if people.least_permission > case.rules.least_permission:
        yield from _has(case.environment, facts, people.least_permission)
    yield from missing_from(people, sender, case.environment, code, not_so)


def missing_from(
    people: People, sender: Sender, environment: str, code: Code, not_so: str
) -> Iterator[Reason]:
    """Why the sender is in none of what is named; nothing where they are or nothing is named."""
    if not people.is_named or sender.login.lower() in people.users:
        return
    teams = {each: sender.teams.get(each, NOT_LOOKED_UP) for each in sorted(people.teams)}
    groups = {each: sender.groups.get(each, NOT_LOOKED_UP) for each in sorted(people.groups)}
    if any(each is True for each in (*teams.values(), *groups.values())):
        return
    unread = [
        *(
            unknown(f"whether {sender.login} is in {team}", each, code=Code.TEAM_UNKNOWN)
            for team, each in teams.items()
            if isinstance(each, Unknown)
        ),
        *(
            unknown(
                f"whether {sender.login} is in @{group} in Slack",
                each,
                code=Code.SLACK_GROUP_UNKNOWN,
            )
            for group, each in groups.items()
            if isinstance(each, Unknown)
        ),
    ]
    yield from unread
    if not unread:
        fact = f"{sender.login} {not_so} {environment}; they are: {people.named}"
        yield refusal(code, fact, "Ask one of them.")


def _has(environment: str, facts: Facts, least: Permission) -> Iterator[Reason]:
    place = facts.repository.full_name
    yield from has_permission(facts.sender, least, environment, place)


def has_permission(
    sender: Sender, least: Permission, environment: str, place: str
) -> Iterator[Reason]:
    """Why the sender has not enough permission in the repository; nothing where they have."""
    if isinstance(sender.permission, Unknown):
        what = f"the permission of {sender.login}"
        yield unknown(what, sender.permission, code=Code.PERMISSION_UNKNOWN)
    elif sender.permission < least:
        yield refusal(
            Code.PERMISSION_MISSING,
            f"{sender.login} has {sender.permission.label} permission in "
            f"{place}; {environment} needs {least.label}",
            f"Ask somebody with {least.label} permission.",
        )
