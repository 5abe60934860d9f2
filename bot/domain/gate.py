"""The gate: whether a command or an event may start a deployment. Facts in, decision out.

It is asked when a command is read, and again with fresh facts and the same commit before the
update. Every rule is looked at, so that a person is told all that stands in the way at once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bot.domain import gate_content, gate_sender
from bot.domain.command import render
from bot.domain.command_words import nearest
from bot.domain.gate_case import Case, refusal
from bot.domain.gate_facts import Facts
from bot.domain.gate_rules import Rules
from bot.domain.reasons import Code, Reason
from bot.domain.trust import Trust


@dataclass(frozen=True)
class Allowed:
    """The deployment may start."""

    environment: str
    sha: str
    """All 40 digits."""
    build: Trust


@dataclass(frozen=True)
class Refused:
    """It may not, for all of these reasons, in the order of the rules."""

    reasons: tuple[Reason, ...]


Decision = Allowed | Refused

_Rule = Callable[[Case], Iterator[Reason]]

_ANYWHERE = (gate_sender.place, gate_sender.person)
_SENDER: tuple[_Rule, ...] = (
    gate_sender.trigger,
    gate_sender.permission,
    gate_sender.deployer,
)
_CONTENT: tuple[_Rule, ...] = (
    gate_content.commit,
    gate_content.pull_request,
    gate_content.state,
    gate_content.draft,
    gate_content.fork,
    gate_content.origin,
    gate_content.head,
    gate_content.newest,
    gate_content.checks,
    gate_content.review,
    gate_content.fresh,
)


def decide(rules: Rules, facts: Facts) -> Decision:
    """Whether the deployment that is asked for may start."""
    case, reasons = _apply(rules, facts, (*_SENDER, *_CONTENT))
    if reasons or case is None or facts.sha is None:
        return Refused(reasons)
    from_fork = facts.is_fork and not facts.is_of_a_branch
    return Allowed(case.environment, facts.sha, Trust.UNTRUSTED if from_fork else Trust.TRUSTED)


def may_act(rules: Rules, facts: Facts) -> tuple[Reason, ...]:
    """Why the sender may not act on the environment without a new commit; empty where they may.

    For commands such as rollback and cancel. The facts' commit is not looked at.
    """
    return _apply(rules, facts, _SENDER)[1]


def _apply(
    rules: Rules, facts: Facts, applied: tuple[_Rule, ...]
) -> tuple[Case | None, tuple[Reason, ...]]:
    reasons = [reason for rule in _ANYWHERE for reason in rule(facts)]
    name = _environment(rules, facts)
    if name is None:
        return None, (*reasons, _unknown_environment(rules, facts))
    case = Case(name, rules.environments[name], facts)
    reasons += [reason for rule in applied for reason in rule(case)]
    return case, tuple(reasons)


def _environment(rules: Rules, facts: Facts) -> str | None:
    asked = facts.command.environment
    if asked is None and len(rules.environments) == 1:
        return next(iter(rules.environments))
    return asked if asked in rules.environments else None


def _unknown_environment(rules: Rules, facts: Facts) -> Reason:
    asked, known = facts.command.environment, ", ".join(rules.environments)
    if asked is None:
        fact = f"there are several environments and none was named: {known}"
        example = _command(facts, next(iter(rules.environments), "NAME"), facts.command.ref)
        return refusal(Code.ENVIRONMENT_UNKNOWN, fact, f"Say which, such as {example}.")
    fact = f"there is no environment {asked}; there are: {known}"
    ref = facts.command.ref
    meant = nearest(asked, rules.environments)
    if ref in rules.environments:
        meant, ref = ref, asked
    elif meant is None and ref is None and len(rules.environments) == 1:
        meant, ref = next(iter(rules.environments)), asked
    step = f"Did you mean {_command(facts, meant, ref)}?" if meant else "Name one of them."
    return refusal(Code.ENVIRONMENT_UNKNOWN, fact, step)


def _command(facts: Facts, environment: str, ref: str | None) -> str:
    return f"`{facts.word} {render(replace(facts.command, environment=environment, ref=ref))}`"
