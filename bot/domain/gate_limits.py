"""What an operator takes away from the rules of repositories; there is nothing that it can add."""

from dataclasses import dataclass, replace

from bot.domain.calendar import ALWAYS, Calendar
from bot.domain.gate_rules import NO_APPROVALS, Approvals, EnvironmentRules, Follow
from bot.domain.people import EVERYBODY, People

_LESS = (Follow.NEVER, Follow.COMMAND, Follow.ALWAYS)


@dataclass(frozen=True)
class Limits:
    """Bounds on an environment's rules; the defaults leave them as they are."""

    push: bool = True
    """Whether pushes may be deployed by themselves."""
    pull_request: Follow = Follow.ALWAYS
    """The most that a pull request may start."""
    release: bool = True
    prereleases: bool = True
    branches: tuple[str, ...] | None = None
    """A branch must match one of these too."""
    deployers: People = EVERYBODY
    """A deployer must be one of these too."""
    checks: tuple[str, ...] | None = None
    """Checks that must have succeeded too; empty: all of them."""
    review: bool = False
    fresh: bool = False
    forks: bool = True
    drafts: bool = True
    approvals: Approvals = NO_APPROVALS
    """The least number, who must be among those who count, the latest deadline."""
    calendar: Calendar = ALWAYS
    force: People | None = EVERYBODY
    """Who forces a deployment must be one of these too; None: nobody may."""


def narrow(rules: EnvironmentRules, limits: Limits) -> EnvironmentRules:
    """The rules within the limits: whatever they allow, the rules allow too."""
    more = (limits.deployers,) if limits.deployers != EVERYBODY else ()
    within = (limits.branches,) if limits.branches is not None else ()
    return replace(
        rules,
        push=rules.push if limits.push else (),
        pull_request=min(rules.pull_request, limits.pull_request, key=_LESS.index),
        release=rules.release and limits.release,
        prereleases=rules.prereleases and limits.prereleases,
        within=(*rules.within, *within),
        also=(*rules.also, *more),
        checks=_both(rules.checks, limits.checks),
        every_check=rules.every_check
        or (bool(rules.checks) and limits.checks == ())
        or (bool(limits.checks) and rules.checks == ()),
        review=rules.review or limits.review,
        fresh=rules.fresh or limits.fresh,
        forks=rules.forks and limits.forks,
        drafts=rules.drafts and limits.drafts,
        approvals=_approvals(rules.approvals, limits.approvals),
        calendar=rules.calendar.and_also(limits.calendar),
        force=_force(rules.force, limits.force),
    )


def _both(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if one is None or other is None:
        return other if one is None else one
    return tuple(dict.fromkeys((*one, *other)))


def _approvals(one: Approvals, other: Approvals) -> Approvals:
    return Approvals(
        max(one.needed, other.needed),
        tuple(dict.fromkeys((*one.who, *other.who))),
        min(one.deadline, other.deadline),
    )


def _force(own: tuple[People, ...], limit: People | None) -> tuple[People, ...]:
    if not own or limit is None:
        return ()
    return own if limit == EVERYBODY else (*own, limit)
