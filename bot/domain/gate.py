"""The gate: whether a command or an event may start a deployment. Facts in, decision out.

It is asked when a command is read, and again with fresh facts and the same commit before the
update. Every rule is looked at, so that a person is told all that stands in the way at once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bot.domain import gate_content, gate_sender, gate_standing
from bot.domain.command import render
from bot.domain.command_words import nearest
from bot.domain.gate_case import Case, refusal
from bot.domain.gate_facts import Facts
from bot.domain.gate_rules import Approvals, Rules
from bot.domain.reasons import Code, Reason
from bot.domain.trust import Trust


@dataclass(frozen=True)
class Allowed:
    """The deployment may start."""

    environment: str
    sha: str
    """All 40 digits."""
    build: Trust
    skipped: tuple[Reason, ...] = ()
    """What stood in the way and was skipped by force."""


@dataclass(frozen=True)
class Waiting:
    """It may start, and updates nothing until others have approved what it is about to do."""

    environment: str
    sha: str
    """All 40 digits."""
    build: Trust
    approvals: Approvals


@dataclass(frozen=True)
class Refused:
    """It may not, for all of these reasons, in the order of the rules."""

    reasons: tuple[Reason, ...]


Decision = Allowed | Waiting | Refused

_Rule = Callable[[Case], Iterator[Reason]]

_ANYWHERE = (gate_sender.place, gate_sender.person)
_SENDER: tuple[_Rule, ...] = (
    gate_sender.trigger,
    gate_sender.permission,
    gate_sender.deployer,
    gate_standing.force,
)
_NOW: tuple[_Rule, ...] = (gate_standing.hours, gate_standing.lock)
_CONTENT: tuple[_Rule, ...] = (
    gate_standing.hold,
    gate_content.commit,
    gate_content.pull_request,
    gate_content.state,
    gate_content.draft,
    gate_content.consent,
    gate_content.fork,
    gate_content.origin,
    gate_content.head,
)
_QUALITY: tuple[_Rule, ...] = (
    gate_content.newest,
    gate_content.base,
    gate_content.checks,
    gate_content.review,
    gate_content.fresh,
)
_SKIPPED_BY_FORCE = (*_NOW, *_QUALITY, gate_standing.approvals)
"""Never: who somebody is, which commit it is, the line of its target, the audit."""


def decide(rules: Rules, facts: Facts) -> Decision:
    """Whether the deployment that is asked for may start."""
    forced = facts.command.force is not None
    always = (*_SENDER, *_CONTENT) if forced else (*_SENDER, *_NOW, *_CONTENT, *_QUALITY)
    case, reasons = _apply(rules, facts, always)
    if reasons or case is None or facts.sha is None:
        return Refused(reasons)
    from_fork = facts.is_fork and not facts.is_of_a_branch
    build = Trust.UNTRUSTED if from_fork else Trust.TRUSTED
    if forced:
        skipped = tuple(reason for rule in _SKIPPED_BY_FORCE for reason in rule(case))
        return Allowed(case.environment, facts.sha, build, skipped)
    if case.rules.approvals.needed and not facts.approved:
        return Waiting(case.environment, facts.sha, build, case.rules.approvals)
    return Allowed(case.environment, facts.sha, build)


def may_act(rules: Rules, facts: Facts) -> tuple[Reason, ...]:
    """Why the sender may not act on the environment without a new commit; empty where they may.

    For commands such as rollback and cancel. The facts' commit is not looked at.
    """
    return _apply(rules, facts, _SENDER)[1]


def may_roll_back(rules: Rules, facts: Facts) -> tuple[Reason, ...]:
    """Why the sender may not take the environment back: the same, and another's lock.

    Hours, freezes and approvals are for what is new.
    """
    return _apply(rules, facts, (*_SENDER, gate_standing.lock))[1]


def may_plan(rules: Rules, facts: Facts) -> tuple[Reason, ...]:
    """As `may_act`, for a plan of the pull request's head.

    Nothing of a plan is built or run, so that a fork's commit needs consent, and no SHA.
    """
    return _apply(rules, facts, (*_SENDER, gate_content.consent))[1]


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
    if facts.spoken is not None:
        return f"`{facts.word} {render(replace(facts.spoken, environment=environment))}`"
    return f"`{facts.word} {render(replace(facts.command, environment=environment, ref=ref))}`"
