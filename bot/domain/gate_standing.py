"""Whether now is the time: hours and freezes, locks, approvals, a rollback. And who may force."""

from collections.abc import Iterator
from dataclasses import replace

from bot.domain.gate_case import Case, closed_for, nobody_forces, refusal, unapproved, unknown
from bot.domain.gate_facts import NOT_LOOKED_UP, Standing, Unknown
from bot.domain.gate_sender import misses
from bot.domain.hold import Hold
from bot.domain.lock import Lock
from bot.domain.reasons import Code, Reason


def force(case: Case) -> Iterator[Reason]:
    """Only those whom the environment names skip what can be skipped."""
    facts = case.facts
    if facts.command.force is None:
        return
    if facts.is_by_itself or not case.rules.force:
        yield nobody_forces(case.environment)
        return
    for people in case.rules.force:
        yield from misses(case, people, Code.FORCE_NOT_ALLOWED, "may not force a deployment to")


def hours(case: Case) -> Iterator[Reason]:
    """No deployment in a freeze, and none outside the hours."""
    calendar, now = case.rules.calendar, case.facts.now
    if not calendar:
        return
    if now is None:
        yield unknown("the time", NOT_LOOKED_UP)
    elif (closed := calendar.closed_at(now)) is not None:
        yield closed_for(closed, case.environment)


def lock(case: Case) -> Iterator[Reason]:
    """Nobody deploys to what another has locked."""
    standing = case.facts.standing
    if isinstance(standing, Unknown):
        yield unknown(f"whether {case.environment} is locked", standing)
        return
    now = case.facts.now
    for each in standing.locks:
        is_over = now is not None and each.is_over(now.timestamp())
        if each.covers(case.environment) and not is_over and not each.is_of(case.facts.asker):
            yield locked(each, case.environment)


def approvals(case: Case) -> Iterator[Reason]:
    """Others must have approved it."""
    needed = case.rules.approvals.needed
    if needed and not case.facts.approved:
        yield unapproved(case.environment, needed)


def hold(case: Case) -> Iterator[Reason]:
    """After a rollback nothing but a command deploys."""
    standing = case.facts.standing
    if isinstance(standing, Standing) and standing.hold and case.facts.is_by_itself:
        step = (
            f"When what was wrong is mended, ask for it by command: {case.command(case.facts.sha)}."
        )
        yield replace(held(standing.hold, case.environment), next_step=step)


def locked(found: Lock, environment: str) -> Reason:
    """That somebody has locked the environment."""
    place = environment if found.environment else f"{environment} (with all environments)"
    why = f": {found.reason}" if found.reason else ""
    return refusal(Code.LOCKED, f"{place} is locked by {found.owner.name}{why}")


def held(found: Hold, environment: str) -> Reason:
    """That a rollback holds the environment."""
    fact = f"{environment} was rolled back by {found.by.name} (deployment {found.deployment})"
    return refusal(Code.HELD, f"{fact}, and takes commands only since then")
