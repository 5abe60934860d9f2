"""No limit of an operator allows anything that the repository's rules do not."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.approval import ApprovalRequest, Proposal
from bot.domain.calendar import Calendar
from bot.domain.deployment import Actor, Trigger
from bot.domain.gate import Refused, Waiting, decide, may_act, may_roll_back
from bot.domain.gate_approver import Ballot, may_approve
from bot.domain.gate_facts import Facts
from bot.domain.gate_limits import Limits, narrow
from bot.domain.gate_rules import Approvals, EnvironmentRules, Follow, Rules
from bot.domain.people import People
from tests.bot.domain.gate_example import HEAD
from tests.bot.domain.test_gate_specification import WEEKDAYS, WEEKEND, WHO, cases

APPROVALS = st.builds(
    Approvals,
    st.integers(0, 3),
    st.lists(st.sampled_from(WHO), max_size=2).map(tuple),
    st.sampled_from([60.0, 86_400.0]),
)
BRANCHES = st.sampled_from([(), ("main",), ("sharper",), ("*",)])
LIMITS = st.builds(
    Limits,
    push=st.booleans(),
    pull_request=st.sampled_from(Follow),
    release=st.booleans(),
    prereleases=st.booleans(),
    branches=st.none() | BRANCHES,
    deployers=st.sampled_from(WHO),
    checks=st.sampled_from([None, (), ("test",), ("other",)]),
    review=st.booleans(),
    fresh=st.booleans(),
    forks=st.booleans(),
    drafts=st.booleans(),
    approvals=APPROVALS,
    calendar=st.sampled_from([Calendar(), WEEKEND, WEEKDAYS]),
    force=st.none() | st.sampled_from(WHO),
)


def one(rules: EnvironmentRules) -> Rules:
    return Rules({"staging": rules})


@settings(max_examples=500)
@given(cases(), LIMITS)
def test_what_the_limits_allow_the_rules_allow(
    case: tuple[EnvironmentRules, Facts], limits: Limits
) -> None:
    rules, facts = case
    limited = narrow(rules, limits)
    after, before = decide(one(limited), facts), decide(one(rules), facts)
    if not isinstance(after, Refused):
        assert not isinstance(before, Refused)
        assert after.build is before.build
    if isinstance(before, Waiting) and isinstance(after, Waiting):
        assert after.approvals.needed >= before.approvals.needed
        assert after.approvals.deadline <= before.approvals.deadline
        assert set(after.approvals.who) >= set(before.approvals.who)
    if isinstance(before, Waiting) and facts.command.force is None:
        assert isinstance(after, Waiting | Refused)


@settings(max_examples=300)
@given(cases(), LIMITS)
def test_who_may_act_under_limits_may_act_without(
    case: tuple[EnvironmentRules, Facts], limits: Limits
) -> None:
    rules, facts = case
    limited = narrow(rules, limits)
    for may in (may_act, may_roll_back):
        if not may(one(limited), facts):
            assert not may(one(rules), facts)


@settings(max_examples=300)
@given(cases(), LIMITS, st.sampled_from(["ann", "bob"]))
def test_who_may_approve_under_limits_may_approve_without(
    case: tuple[EnvironmentRules, Facts], limits: Limits, asked_by: str
) -> None:
    rules, facts = case
    request = ApprovalRequest(
        "06gaaaa", Proposal(HEAD, (), ()), Actor(asked_by, "github"), 1, 0.0, 1.0
    )
    ballot = Ballot("staging", "acme/edges", facts.sender, Actor("ann", "github"))
    if not may_approve(one(narrow(rules, limits)), request, ballot):
        assert not may_approve(one(rules), request, ballot)


@given(cases(), LIMITS)
def test_no_event_follows_that_did_not(
    case: tuple[EnvironmentRules, Facts], limits: Limits
) -> None:
    rules, _ = case
    limited = narrow(rules, limits)
    for trigger in Trigger:
        for branch in ("main", "sharper", "wild"):
            if limited.follows(trigger, branch):
                assert rules.follows(trigger, branch)
            if limited.allows_branch(branch, "main"):
                assert rules.allows_branch(branch, "main")


@given(cases())
def test_limits_that_say_nothing_leave_the_rules_as_they_are(
    case: tuple[EnvironmentRules, Facts],
) -> None:
    rules, _ = case
    assert narrow(rules, Limits()) == rules


def test_an_operator_cannot_name_who_forces_where_the_repository_names_nobody() -> None:
    limits = Limits(force=People(users=frozenset({"ann"})))
    assert narrow(EnvironmentRules(), limits).force == ()


def test_a_named_force_is_narrowed_to_both() -> None:
    rules = EnvironmentRules(force=(People(users=frozenset({"ann"})),))
    limits = Limits(force=People(teams=frozenset({"acme/ml"})))
    assert narrow(rules, limits).force == (*rules.force, limits.force)


def test_an_approval_needs_both_numbers_and_both_people() -> None:
    bob, ml = People(users=frozenset({"bob"})), People(teams=frozenset({"acme/ml"}))
    rules = replace(EnvironmentRules(), approvals=Approvals(1, (bob,), 7200.0))
    limits = Limits(approvals=Approvals(2, (ml,)))
    assert narrow(rules, limits).approvals == Approvals(2, (bob, ml), 7200.0)
