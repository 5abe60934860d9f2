"""The gate against its specification, over generated rules and facts.

The specification is FORBIDDEN: what each code means, said once more and in another way than in
bot/domain/gate_*.py. A deployment is allowed exactly where nothing in it holds.
"""

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.calendar import Calendar, parse_period
from bot.domain.command import Deploy, parse
from bot.domain.deployment import Actor, Trigger
from bot.domain.gate import Allowed, Refused, Waiting, decide
from bot.domain.gate_facts import Content, Facts, Standing, Unknown
from bot.domain.gate_rules import Approvals, EnvironmentRules, Follow, Rules
from bot.domain.github import Check, CheckState, Permission, PullRequest, ReviewState
from bot.domain.hold import Hold
from bot.domain.lock import Lock
from bot.domain.people import People
from bot.domain.reasons import Code, Reason
from bot.domain.trust import Trust
from tests.bot.domain.gate_example import FACTS, FORK, HEAD, NOW, OLDER, PULL

# --- words of the specification


def pull_of(f: Facts) -> PullRequest | None:
    return f.pull_request if isinstance(f.pull_request, PullRequest) else None


def is_fork(f: Facts) -> bool:
    pull = pull_of(f)
    return pull is not None and (pull.head_repository or "").lower() != "acme/edges"


def source(f: Facts) -> PullRequest | None:
    """The pull request, where the commit is its; a name means the repository's own branch."""
    pull, ref = pull_of(f), f.command.ref
    if pull is None or ref is None:
        return pull
    if ref == f.content.branch:
        return pull if ref == pull.head_ref and not is_fork(f) else None
    return None if f.content.in_branches is True else pull


def sha(f: Facts) -> str | None:
    return f.content.sha if isinstance(f.content.sha, str) and len(f.content.sha) == 40 else None


def is_head(f: Facts) -> bool:
    pull = source(f)
    return pull is not None and sha(f) == pull.head_sha


def means_head(f: Facts) -> bool:
    """The command says "the head", by nothing or by the branch's name."""
    return source(f) is not None and f.command.ref in {None, f.content.branch}


def has_whole_sha(f: Facts) -> bool:
    return sha(f) is not None and (f.command.ref or "").lower() == sha(f)


def patterns(r: EnvironmentRules) -> set[str]:
    own = {"main", *r.push} if r.branches is None else set(r.branches)
    return own.intersection(*r.within)


def follows_its_base(r: EnvironmentRules) -> bool:
    """Something is asked for of which the base branch says what it is."""
    return r.review or r.fresh or r.checks == () or (r.checks is not None and r.every_check)


def places(f: Facts) -> list[bool | Unknown]:
    """Where the commit was looked for."""
    inside = [f.content.in_pull_request] if f.pull_request is not None else []
    return [*inside, f.content.in_branches]


def must_be_found(r: EnvironmentRules, f: Facts) -> bool:
    """The commit was not named by a branch and is not the head: where is it?"""
    if f.trigger is Trigger.PUSH or isinstance(f.pull_request, Unknown) or sha(f) is None:
        return False
    if f.trigger is Trigger.CLI and r.branches is None and not r.within:
        return False
    if source(f) is not None:
        return not is_head(f) and (not means_head(f) or f.trigger is Trigger.RELEASE)
    by_branch = f.content.branch is not None and f.command.ref in {None, f.content.branch}
    return not by_branch or f.trigger is Trigger.RELEASE


def must_be_allowed(r: EnvironmentRules, f: Facts) -> bool:
    """The commit was named by a branch."""
    named = f.content.branch is not None and f.command.ref in {None, f.content.branch}
    free = f.trigger in {Trigger.PUSH, Trigger.RELEASE} or (
        f.trigger is Trigger.CLI and r.branches is None and not r.within
    )
    known = sha(f) is not None and not isinstance(f.pull_request, Unknown)
    return named and not free and known and source(f) is None


def needs_permission(r: EnvironmentRules, f: Facts) -> bool:
    if is_fork(f):
        return True
    if f.trigger in {Trigger.PUSH, Trigger.RELEASE}:
        return least(r) > Permission.WRITE
    return not at_terminal(f)


def at_terminal(f: Facts) -> bool:
    """Somebody with all permission, in no team and no group; a workflow's actor has a login."""
    return f.trigger in {Trigger.CLI, Trigger.ACTION}


def deployers(r: EnvironmentRules) -> list[People]:
    """The repository's and the operator's: one must be of each."""
    return [People(r.users, r.teams, r.groups, r.permission, terminal=r.terminal), *r.also]


def forced(f: Facts) -> bool:
    return f.command.force is not None


def asked_about(r: EnvironmentRules, f: Facts) -> list[People]:
    """Those of whom the sender must be."""
    return [*deployers(r), *(r.force if may_be_forced(r, f) else ())]


def may_be_forced(r: EnvironmentRules, f: Facts) -> bool:
    return forced(f) and bool(r.force) and not by_itself(f)


def by_itself(f: Facts) -> bool:
    return f.trigger not in {Trigger.COMMENT, Trigger.CHECK, Trigger.SLACK, Trigger.CLI}


def is_one(people: People, f: Facts) -> bool:
    """Named, or nobody is."""
    inside = [f.sender.teams.get(t) for t in people.teams]
    inside += [f.sender.groups.get(g) for g in people.groups]
    nobody = not (people.users or people.teams or people.groups)
    named = f.sender.login in people.users and f.trigger is not Trigger.CLI
    return nobody or named or (people.terminal if at_terminal(f) else True in inside)


def unread_teams(people: People, f: Facts) -> bool:
    return not at_terminal(f) and any(
        not isinstance(f.sender.teams.get(each), bool) for each in people.teams
    )


def unread_groups(people: People, f: Facts) -> bool:
    return not at_terminal(f) and any(
        not isinstance(f.sender.groups.get(each), bool) for each in people.groups
    )


def outside(people: People, f: Facts) -> bool:
    """None of them, and everything that had to be known for that is."""
    return not is_one(people, f) and not unread_teams(people, f) and not unread_groups(people, f)


def least(r: EnvironmentRules) -> Permission:
    return max(Permission.WRITE, *(each.permission for each in deployers(r)))


def permissions(r: EnvironmentRules, f: Facts) -> list[Permission]:
    """The permissions that are asked for."""
    more = [each.permission for each in r.force if each.permission > least(r)]
    force = more if may_be_forced(r, f) and not at_terminal(f) else []
    return [*([least(r)] if needs_permission(r, f) else []), *force]


def frozen(r: EnvironmentRules, f: Facts) -> bool:
    return not forced(f) and f.now is not None and bool(r.calendar) and f.now.weekday() >= 5


def locks(f: Facts) -> list[Lock]:
    """Those that keep the sender out."""
    if isinstance(f.standing, Unknown) or forced(f):
        return []
    own = "cli:ann" if f.trigger is Trigger.CLI else "github:ann"
    return [
        each
        for each in f.standing.locks
        if each.environment in {None, "staging"}
        and f"{each.owner.surface}:{each.owner.name.lower()}" != own
        and (each.expires_at is None or f.now is None or each.expires_at > f.now.timestamp())
    ]


def needs_times(f: Facts) -> bool:
    by_head = is_head(f) and not has_whole_sha(f) and not is_fork(f)
    return by_head and f.trigger is not Trigger.PULL_REQUEST and not f.was_allowed


def checks_of(f: Facts) -> tuple[Check, ...] | Unknown | None:
    pull, found = pull_of(f), f.content.checks
    if found is None:
        return pull.checks if pull is not None and sha(f) == pull.head_sha else None
    its = source(f)
    if its is None or isinstance(found, Unknown):
        return found
    if its.required_checks is None:
        return None
    absent = sorted(its.required_checks - {each.name for each in found})
    return (*found, *(Check(each, CheckState.MISSING) for each in absent))


def states(r: EnvironmentRules, f: Facts) -> set[CheckState]:
    """How the checks that are required stand; none at all is as bad as a missing one."""
    found = checks_of(f)
    if r.checks is None or sha(f) is None or not isinstance(found, tuple) or forced(f):
        return set()
    every = not r.checks or r.every_check
    counted = {check.state for check in found if every or check.name in r.checks}
    absent = set(r.checks) - {check.name for check in found}
    return counted | ({CheckState.MISSING} if absent or not counted else set())


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def moved(f: Facts) -> bool:
    pull = source(f)
    if pull is None or sha(f) is None or has_whole_sha(f) or is_fork(f):
        return False
    if sha(f) != pull.head_sha:
        return means_head(f)
    there, asked = moment(pull.head_moved_at), moment(f.asked_at)
    return needs_times(f) and there is not None and asked is not None and there >= asked


def follows(r: EnvironmentRules, f: Facts) -> bool:
    by_button = f.trigger in {Trigger.CHECK, Trigger.RERUN} and f.pull_request is not None
    if f.trigger is Trigger.COMMENT or by_button:
        return r.pull_request is not Follow.NEVER
    return {
        Trigger.PUSH: f.content.branch in set(r.push).intersection(*r.within),
        Trigger.PULL_REQUEST: r.pull_request is Follow.ALWAYS,
        Trigger.RELEASE: r.release,
    }.get(f.trigger, True)


def something_needed_is_unknown(r: EnvironmentRules, f: Facts) -> bool:
    pull = source(f)
    return any(
        (
            isinstance(f.content.sha, Unknown),
            isinstance(f.pull_request, Unknown),
            isinstance(f.standing, Unknown) and not forced(f),
            bool(r.calendar) and f.now is None and not forced(f),
            must_be_found(r, f)
            and True not in places(f)
            and any(isinstance(each, Unknown) for each in places(f)),
            needs_times(f) and None in {f.asked_at, pull.head_moved_at if pull else None},
            r.checks is not None
            and sha(f) is not None
            and not isinstance(checks_of(f), tuple)
            and not forced(f),
            pull is not None and r.review and pull.review is None and not forced(f),
            pull is not None and r.fresh and pull.behind_by is None and not forced(f),
        )
    )


# --- the specification

Holds = Callable[[EnvironmentRules, Facts], bool]

FORBIDDEN: dict[Code, Holds] = {
    Code.NOT_ON_PULL_REQUEST: lambda _, f: f.trigger is Trigger.COMMENT and f.pull_request is None,
    Code.BOT_SENDER: lambda _, f: (
        f.sender.is_bot and f.trigger not in {Trigger.PUSH, Trigger.RELEASE}
    ),
    Code.NOT_FOLLOWED: lambda r, f: not follows(r, f),
    Code.PERMISSION_MISSING: lambda r, f: (
        isinstance(f.sender.permission, Permission)
        and any(f.sender.permission < each for each in permissions(r, f))
    ),
    Code.PERMISSION_UNKNOWN: lambda r, f: (
        isinstance(f.sender.permission, Unknown) and bool(permissions(r, f))
    ),
    Code.NOT_A_DEPLOYER: lambda r, f: any(outside(each, f) for each in deployers(r)),
    Code.TEAM_UNKNOWN: lambda r, f: any(
        not is_one(each, f) and unread_teams(each, f) for each in asked_about(r, f)
    ),
    Code.SLACK_GROUP_UNKNOWN: lambda r, f: any(
        not is_one(each, f) and unread_groups(each, f) for each in asked_about(r, f)
    ),
    Code.FORCE_NOT_ALLOWED: lambda r, f: (
        forced(f) and (by_itself(f) or not r.force or any(outside(each, f) for each in r.force))
    ),
    Code.ENVIRONMENT_FROZEN: lambda r, f: frozen(r, f) and bool(r.calendar.freezes),
    Code.OUTSIDE_HOURS: lambda r, f: frozen(r, f) and not r.calendar.freezes,
    Code.LOCKED: lambda _, f: bool(locks(f)),
    Code.HELD: lambda _, f: (
        isinstance(f.standing, Standing) and f.standing.hold is not None and by_itself(f)
    ),
    Code.PULL_REQUEST_MERGED: lambda _, f: (
        (pull := source(f)) is not None and pull.merged and not f.was_allowed
    ),
    Code.PULL_REQUEST_CLOSED: lambda _, f: (
        (pull := source(f)) is not None and not pull.open and not pull.merged
    ),
    Code.PULL_REQUEST_DRAFT: lambda r, f: (
        (pull := source(f)) is not None and pull.draft and not r.drafts
    ),
    Code.FORK_NOT_ALLOWED: lambda r, f: (
        source(f) is not None and is_fork(f) and not (r.forks and f.takes_forks)
    ),
    Code.FORK_NEEDS_SHA: lambda r, f: (
        source(f) is not None
        and is_fork(f)
        and r.forks
        and f.takes_forks
        and not (has_whole_sha(f) and f.trigger in {Trigger.COMMENT, Trigger.SLACK, Trigger.CLI})
    ),
    Code.REF_UNKNOWN: lambda _, f: (
        (not isinstance(f.content.sha, Unknown) and sha(f) is None)
        or (f.command.ref in {OLDER, OLDER[:7]} and sha(f) == HEAD)
        or (f.command.ref in {HEAD, HEAD.upper(), HEAD[:7]} and sha(f) == OLDER)
    ),
    Code.BRANCH_NOT_ALLOWED: lambda r, f: (
        must_be_allowed(r, f) and f.content.branch not in patterns(r)
    ),
    Code.COMMIT_ELSEWHERE: lambda r, f: must_be_found(r, f) and set(places(f)) == {False},
    Code.HEAD_MOVED: lambda _, f: moved(f),
    Code.NOT_THE_HEAD: lambda r, f: (
        (r.review or r.fresh)
        and source(f) is not None
        and sha(f) is not None
        and not is_head(f)
        and not forced(f)
    ),
    Code.BASE_NOT_ALLOWED: lambda r, f: (
        follows_its_base(r)
        and (pull := source(f)) is not None
        and pull.base_ref not in {"main", *patterns(r)}
        and not forced(f)
    ),
    Code.CHECKS_FAILED: lambda r, f: CheckState.FAILURE in states(r, f),
    Code.CHECKS_PENDING: lambda r, f: CheckState.PENDING in states(r, f),
    Code.CHECKS_MISSING: lambda r, f: CheckState.MISSING in states(r, f),
    Code.REVIEW_MISSING: lambda r, f: (
        r.review
        and (pull := source(f)) is not None
        and pull.review not in {ReviewState.APPROVED, None}
        and not forced(f)
    ),
    Code.BEHIND_BASE: lambda r, f: (
        r.fresh and (pull := source(f)) is not None and (pull.behind_by or 0) > 0 and not forced(f)
    ),
    Code.FACT_UNKNOWN: something_needed_is_unknown,
}


# --- generated rules and facts: something that is allowed, changed in a few places

BROKEN = Unknown("GET /somewhere", "502 Bad Gateway")
EARLIER, LATER = "2026-11-22T09:59:59Z", "2026-11-22T10:05:01Z"
SUNDAY, MONDAY = NOW, datetime(2026, 11, 23, 10, 6, tzinfo=UTC)
WEEKEND = Calendar(freezes=(parse_period("Sat - Sun UTC"),))
WEEKDAYS = Calendar(hours=((parse_period("Mon - Fri UTC"),),))
BOB, ANN_HERE, ANN_THERE = Actor("bob", "github"), Actor("Ann", "github"), Actor("ann", "cli")
LOCK = Lock("1", "acme/edges", "staging", BOB, "upgrading the cluster", 0.0)
HOLD = Hold("06gaaaa", BOB, 0.0)
STANDINGS = [
    BROKEN,
    Standing((LOCK,)),
    Standing((replace(LOCK, owner=ANN_HERE),)),
    Standing((replace(LOCK, owner=ANN_THERE, environment=None),)),
    Standing((replace(LOCK, environment="production"),)),
    Standing((replace(LOCK, expires_at=NOW.timestamp()),)),
    Standing((replace(LOCK, expires_at=NOW.timestamp() + 1, environment=None),)),
    Standing(hold=HOLD),
    Standing((LOCK,), HOLD),
]
WHO = [
    People(),
    People(users=frozenset({"ann"})),
    People(users=frozenset({"bob"})),
    People(teams=frozenset({"acme/ml"})),
    People(groups=frozenset({"oncall"})),
    People(teams=frozenset({"acme/ml"}), groups=frozenset({"oncall"})),
    People(users=frozenset({"bob"}), terminal=True),
    People(teams=frozenset({"acme/ml"}), terminal=True),
    People(permission=Permission.ADMIN),
]
BRANCHES = [(), ("main",), ("main", "sharper"), ("wild",)]
CHECKS = [
    tuple(Check(name, state) for name, state in zip(("test", "lint"), those, strict=False))
    for those in ((), *itertools.product(CheckState, CheckState), *itertools.product(CheckState))
]
REFS = [None, HEAD, HEAD.upper(), HEAD[:7], OLDER, OLDER[:7], "main", "sharper", "wild", "v1.4.0"]

STARTS = [
    (EnvironmentRules(), FACTS),
    (EnvironmentRules(checks=(), review=True, fresh=True), FACTS),
    (EnvironmentRules(checks=("test",), every_check=True, force=(People(),)), FACTS),
    (
        EnvironmentRules(forks=True),
        replace(FACTS, pull_request=FORK, command=Deploy("staging", HEAD)),
    ),
    (
        EnvironmentRules(),
        replace(
            FACTS,
            command=Deploy("staging", "main"),
            content=Content(OLDER, branch="main", checks=PULL.checks),
        ),
    ),
    (
        EnvironmentRules(),
        replace(
            FACTS,
            command=Deploy("staging", OLDER),
            content=Content(OLDER, in_pull_request=True, in_branches=False, checks=PULL.checks),
        ),
    ),
    (
        EnvironmentRules(),
        replace(
            FACTS,
            trigger=Trigger.CLI,
            pull_request=None,
            content=Content(HEAD, branch="wild", checks=PULL.checks),
        ),
    ),
    (
        EnvironmentRules(push=("main",)),
        replace(
            FACTS,
            trigger=Trigger.PUSH,
            pull_request=None,
            content=Content(HEAD, branch="main", checks=PULL.checks),
        ),
    ),
    (
        EnvironmentRules(release=True),
        replace(
            FACTS,
            trigger=Trigger.RELEASE,
            pull_request=None,
            content=Content(HEAD, in_branches=True, checks=PULL.checks),
        ),
    ),
]
CHANGES: dict[str, Sequence[object]] = {
    "rules.push": BRANCHES,
    "rules.pull_request": list(Follow),
    "rules.release": [True, False],
    "rules.branches": [None, *BRANCHES],
    "rules.users": [frozenset({"ann"}), frozenset({"bob"})],
    "rules.teams": [frozenset({"acme/ml"})],
    "rules.groups": [frozenset({"oncall"})],
    "rules.terminal": [True],
    "rules.permission": list(Permission),
    "rules.also": [(each,) for each in WHO],
    "rules.within": [((),), (("main",),), (("main", "sharper"), ("main",))],
    "rules.force": [*((each,) for each in WHO), (WHO[1], WHO[3])],
    "rules.every_check": [True],
    "rules.calendar": [WEEKEND, WEEKDAYS, WEEKDAYS.and_also(WEEKEND)],
    "rules.approvals": [Approvals(1), Approvals(2, (People(users=frozenset({"bob"})),))],
    "rules.checks": [None, (), ("test",), ("test", "lint"), ("test", "other")],
    "rules.review": [True],
    "rules.fresh": [True],
    "rules.forks": [True, False],
    "rules.drafts": [True],
    "facts.trigger": list(Trigger),
    "facts.asked_at": [None],
    "facts.was_allowed": [True],
    "facts.takes_forks": [False],
    "facts.pull_request": [None, BROKEN, PULL, FORK],
    "facts.command.environment": [None],
    "facts.command.ref": REFS,
    "facts.command.only": [("edges",)],
    "facts.command.force": ["the cluster is on fire"],
    "facts.standing": STANDINGS,
    "facts.now": [None, MONDAY],
    "facts.approved": [True],
    "facts.sender.is_bot": [True],
    "facts.sender.permission": [*Permission, BROKEN],
    "facts.sender.teams": [{"acme/ml": True}, {"acme/ml": False}, {"acme/ml": BROKEN}],
    "facts.sender.groups": [{"oncall": True}, {"oncall": False}, {"oncall": BROKEN}],
    "facts.content.sha": [HEAD, OLDER, None, HEAD[:12], BROKEN],
    "facts.content.branch": [None, "main", "sharper", "wild"],
    "facts.content.in_pull_request": [True, False, BROKEN],
    "facts.content.in_branches": [True, False, BROKEN],
    "facts.content.checks": [None, BROKEN, *CHECKS],
    "facts.pull_request.open": [False],
    "facts.pull_request.merged": [True],
    "facts.pull_request.head_repository": ["acme/edges", "ACME/Edges", "eve/edges", None],
    "facts.pull_request.head_ref": ["main", "sharper"],
    "facts.pull_request.base_ref": ["sharper", "wild"],
    "facts.pull_request.draft": [True],
    "facts.pull_request.review": [None, *ReviewState],
    "facts.pull_request.checks": [None, *CHECKS],
    "facts.pull_request.required_checks": [None, frozenset(), frozenset({"test", "e2e"})],
    "facts.pull_request.behind_by": [None, 1, 2],
    "facts.pull_request.head_moved_at": [None, EARLIER, FACTS.asked_at, LATER],
}


def changed(whole: Any, place: str, value: object) -> Any:
    """A copy with another value at a place; as it was where there is no such place."""
    name, _, rest = place.partition(".")
    if isinstance(whole, Unknown) or whole is None:
        return whole
    return replace(whole, **{name: changed(getattr(whole, name), rest, value) if rest else value})


@st.composite
def cases(draw: st.DrawFn) -> tuple[EnvironmentRules, Facts]:
    rules, facts = draw(st.sampled_from(STARTS))
    places = draw(st.lists(st.sampled_from(list(CHANGES)), max_size=6, unique=True))
    # A whole pull request before its parts.
    for place in sorted(places):
        kind, _, inner = place.partition(".")
        value = draw(st.sampled_from(CHANGES[place]))
        if kind == "rules":
            rules = changed(rules, inner, value)
        else:
            facts = changed(facts, inner, value)
    return rules, facts


@settings(max_examples=1500)
@given(cases())
def test_allowed_is_exactly_what_the_specification_does_not_forbid(
    case: tuple[EnvironmentRules, Facts],
) -> None:
    rules, facts = case
    decision = decide(Rules({"staging": rules}), facts)
    forbidden = {code for code, holds in FORBIDDEN.items() if holds(rules, facts)}
    if isinstance(decision, Refused):
        assert {reason.code for reason in decision.reasons} == forbidden
        return
    trust = Trust.UNTRUSTED if source(facts) is not None and is_fork(facts) else Trust.TRUSTED
    assert forbidden == set()
    assert (decision.environment, decision.sha) == ("staging", facts.content.sha)
    assert decision.build is trust
    others_decide = rules.approvals.needed and not facts.approved and not forced(facts)
    assert isinstance(decision, Waiting if others_decide else Allowed)


SKIPPED = {
    Code.BASE_NOT_ALLOWED,
    Code.CHECKS_FAILED,
    Code.CHECKS_PENDING,
    Code.CHECKS_MISSING,
    Code.REVIEW_MISSING,
    Code.BEHIND_BASE,
    Code.NOT_THE_HEAD,
    Code.ENVIRONMENT_FROZEN,
    Code.OUTSIDE_HOURS,
    Code.LOCKED,
}


@settings(max_examples=500)
@given(cases())
def test_force_skips_what_can_be_skipped_and_says_what_that_was(
    case: tuple[EnvironmentRules, Facts],
) -> None:
    rules, facts = case
    rules = replace(rules, force=rules.force or (People(),))
    decision = decide(Rules({"staging": rules}), changed(facts, "command.force", "fire"))
    if isinstance(decision, Refused):
        return
    unforced = changed(facts, "command.force", None)
    stood = {code for code, holds in FORBIDDEN.items() if holds(rules, unforced)}
    assert stood <= SKIPPED | {Code.FACT_UNKNOWN}
    assert isinstance(decision, Allowed)
    others_decide = rules.approvals.needed and not facts.approved
    waited = {Code.APPROVAL_MISSING} if others_decide else set()
    assert {reason.code for reason in decision.skipped} == stood | waited


# --- what a refusal says


def true_words(code: Code, rules: EnvironmentRules, f: Facts) -> list[str]:
    """What the fact of a refusal must contain, from the facts themselves."""
    pull = pull_of(f) or PULL
    here = sha(f) or ""
    permission = f.sender.permission
    label = permission.label if isinstance(permission, Permission) else ""
    failing = {
        Code.CHECKS_FAILED: CheckState.FAILURE,
        Code.CHECKS_PENDING: CheckState.PENDING,
    }
    checks = checks_of(f)
    names = [
        each.name
        for each in (checks if isinstance(checks, tuple) else ())
        if each.state is failing.get(code) and (not rules.checks or each.name in rules.checks)
    ]
    return {
        Code.BOT_SENDER: ["ann"],
        Code.NOT_FOLLOWED: ["staging"],
        Code.PERMISSION_MISSING: ["ann", label, "acme/edges"],
        Code.NOT_A_DEPLOYER: ["ann", "staging"],
        Code.PERMISSION_UNKNOWN: ["ann", BROKEN.why],
        Code.TEAM_UNKNOWN: ["ann", "acme/ml"],
        Code.SLACK_GROUP_UNKNOWN: ["ann", "@oncall in Slack"],
        Code.FORCE_NOT_ALLOWED: ["staging"],
        Code.ENVIRONMENT_FROZEN: ["staging is frozen: Sat - Sun UTC"],
        Code.OUTSIDE_HOURS: ["staging is deployed to only Mon - Fri UTC"],
        Code.LOCKED: ["staging", "upgrading the cluster", *{each.owner.name for each in locks(f)}],
        Code.HELD: ["staging", "bob", "06gaaaa"],
        Code.PULL_REQUEST_MERGED: [f"#12 was merged into {pull.base_ref}"],
        Code.PULL_REQUEST_CLOSED: ["#12 is closed"],
        Code.PULL_REQUEST_DRAFT: ["#12 is a draft"],
        Code.FORK_NOT_ALLOWED: ["#12", pull.head_repository or "gone"],
        Code.FORK_NEEDS_SHA: ["#12", pull.head_repository or "gone"],
        Code.BRANCH_NOT_ALLOWED: [f.content.branch or "", *patterns(rules)],
        Code.COMMIT_ELSEWHERE: [here, *patterns(rules)],
        Code.HEAD_MOVED: [pull.head_sha],
        Code.NOT_THE_HEAD: [here, pull.head_sha],
        Code.CHECKS_FAILED: [here, *names],
        Code.CHECKS_PENDING: [here, *names],
        Code.CHECKS_MISSING: [here],
        Code.BASE_NOT_ALLOWED: [f"#12 is to be merged into {pull.base_ref}", *patterns(rules)],
        Code.BEHIND_BASE: [f"#12 is {pull.behind_by} commit", pull.base_ref],
        Code.REVIEW_MISSING: ["#12"],
    }.get(code, [])


def commands_in(reason: Reason) -> list[str]:
    return re.findall(r"`/pachops ([^`]*)`", reason.next_step)


@settings(max_examples=500)
@given(cases())
def test_every_refusal_says_a_true_fact_and_a_command_that_can_be_typed(
    case: tuple[EnvironmentRules, Facts],
) -> None:
    rules, facts = case
    decision = decide(Rules({"staging": rules}), facts)
    for reason in decision.reasons if isinstance(decision, Refused) else ():
        for word in true_words(reason.code, rules, facts):
            assert word in reason.fact
        assert reason.next_step
        for line in commands_in(reason):
            command = parse(line)
            assert isinstance(command, Deploy)
            assert command.environment == "staging"
            assert command.only == facts.command.only


@settings(max_examples=500)
@given(cases())
def test_typing_the_command_of_a_moved_head_is_what_was_missing(
    case: tuple[EnvironmentRules, Facts],
) -> None:
    """A head that moved is all that a person has to confirm."""
    rules, facts = case
    if facts.trigger is Trigger.PUSH:
        return  # whether it is followed hangs on its branch, and nobody types it
    pull = pull_of(facts) or PULL
    before = decide(Rules({"staging": rules}), facts)
    if not isinstance(before, Refused) or [each.code for each in before.reasons] != [
        Code.HEAD_MOVED
    ]:
        return
    (line,) = commands_in(before.reasons[0])
    command = parse(line)
    assert isinstance(command, Deploy)
    content = Content(pull.head_sha)
    after = decide(
        Rules({"staging": replace(rules, checks=None)}),
        replace(facts, command=command, content=content),
    )
    assert isinstance(after, Allowed | Waiting)
    assert (after.sha, after.build) == (HEAD, Trust.TRUSTED)
