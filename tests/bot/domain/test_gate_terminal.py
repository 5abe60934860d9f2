"""Who may what at a terminal: all permission, and no team, no Slack group, no login."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.deployment import Actor, Commit, Kind, Request, Trigger
from bot.domain.gate import Refused, decide
from bot.domain.gate_facts import Content, Standing
from bot.domain.gate_limits import Limits, narrow
from bot.domain.gate_rules import Approvals, EnvironmentRules, Rules
from bot.domain.gate_terminal import may_deploy, may_vote
from bot.domain.github import Permission
from bot.domain.people import People
from bot.domain.reasons import Code, Reason
from tests.bot.domain.gate_example import FACTS, HEAD
from tests.bot.domain.test_gate_specification import WHO

ADA = Actor("ada", "cli")
BOB = People(users=frozenset({"bob"}))
LEADS = People(teams=frozenset({"acme/leads"}))
NAMED = [BOB, LEADS, People(groups=frozenset({"oncall"}))]
OPEN = [People(), *(People(permission=each) for each in Permission)]


def deployed_by(people: People) -> EnvironmentRules:
    return EnvironmentRules(
        users=people.users,
        teams=people.teams,
        groups=people.groups,
        permission=people.permission,
        terminal=people.terminal,
    )


def asked(**changes: Any) -> Request:
    commit = Commit(HEAD, "main")
    request = Request(Kind.DEPLOY, "/edges", "production", commit, Trigger.CLI, ADA)
    return replace(request, **changes)


def codes(rules: EnvironmentRules, **changes: Any) -> list[Code]:
    return [each.code for each in may_deploy(rules, asked(**changes))]


def only(reasons: tuple[Reason, ...]) -> Reason:
    (reason,) = reasons
    return reason


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("people", OPEN)
def test_a_permission_lets_the_terminal_through(people: People, kind: Kind) -> None:
    assert codes(deployed_by(people), kind=kind) == []


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("people", NAMED)
def test_who_is_named_is_not_at_a_terminal_unless_that_is_said(people: People, kind: Kind) -> None:
    assert codes(deployed_by(people), kind=kind) == [Code.NOT_A_DEPLOYER]
    assert codes(deployed_by(replace(people, terminal=True)), kind=kind) == []


def test_the_list_and_what_lets_the_terminal_in_are_said() -> None:
    reason = only(may_deploy(deployed_by(LEADS), asked()))
    assert reason.fact == (
        "ada is not a deployer of production at a terminal; they are: acme/leads"
    )
    assert "environments: production: deployers" in reason.next_step
    assert "`terminal: true`" in reason.next_step


def test_a_name_on_this_machine_is_no_login_and_that_of_a_workflow_is() -> None:
    rules = deployed_by(BOB)
    assert codes(rules, actor=Actor("bob", "cli")) == [Code.NOT_A_DEPLOYER]
    step: dict[str, Any] = {"trigger": Trigger.ACTION}
    assert codes(rules, actor=Actor("Bob", "github"), **step) == []
    assert codes(rules, actor=Actor("eve", "github"), **step) == [Code.NOT_A_DEPLOYER]
    assert codes(deployed_by(LEADS), actor=Actor("bob", "github"), **step) == [Code.NOT_A_DEPLOYER]


def test_nobody_forces_unless_the_environment_says_who() -> None:
    reason = only(may_deploy(EnvironmentRules(), asked(force="fire")))
    assert reason.code is Code.FORCE_NOT_ALLOWED
    assert reason.fact == "production lets nobody force a deployment"
    assert "environments: production: force" in reason.next_step


@pytest.mark.parametrize("people", NAMED)
def test_who_may_force_is_not_at_a_terminal_unless_that_is_said(people: People) -> None:
    rules = EnvironmentRules(force=(people,))
    assert codes(rules, force="fire") == [Code.FORCE_NOT_ALLOWED]
    assert codes(rules) == []
    assert codes(replace(rules, force=(replace(people, terminal=True),)), force="fire") == []
    assert codes(EnvironmentRules(force=(People(),)), force="fire") == []


def test_all_that_stands_in_the_way_is_said() -> None:
    rules = replace(deployed_by(LEADS), force=(BOB,))
    assert codes(rules, force="fire") == [Code.NOT_A_DEPLOYER, Code.FORCE_NOT_ALLOWED]


def test_the_operator_only_takes_away() -> None:
    may = replace(deployed_by(replace(LEADS, terminal=True)), force=(People(),))
    assert codes(may, force="fire") == []
    for limits in (Limits(deployers=BOB), Limits(force=BOB), Limits(force=None)):
        assert len(codes(narrow(may, limits), force="fire")) == 1
    theirs = Limits(deployers=replace(BOB, terminal=True))
    assert codes(narrow(may, theirs)) == []
    assert codes(narrow(deployed_by(LEADS), theirs)) == [Code.NOT_A_DEPLOYER]


def votes(*who: People) -> list[Code]:
    rules = EnvironmentRules(approvals=Approvals(1, who))
    return [each.code for each in may_vote(rules, "production", ADA)]


def test_a_vote_counts_where_nobody_is_named_or_the_terminal_is_let_in() -> None:
    assert votes() == votes(People(permission=Permission.ADMIN)) == []
    assert votes(LEADS) == [Code.NOT_AN_APPROVER]
    assert votes(replace(LEADS, terminal=True)) == []
    assert votes(replace(LEADS, terminal=True), BOB) == [Code.NOT_AN_APPROVER]


@given(
    st.sampled_from(WHO),
    st.lists(st.sampled_from(WHO), max_size=2),
    st.none() | st.just("fire"),
    st.sampled_from(["ann", "bob"]),
    st.sampled_from([Trigger.CLI, Trigger.ACTION]),
)
def test_the_gate_says_the_same(
    people: People, force: list[People], reason: str | None, name: str, trigger: Trigger
) -> None:
    rules = replace(deployed_by(people), force=tuple(force))
    by = Actor(name, "cli" if trigger is Trigger.CLI else "github")
    command = replace(FACTS.command, environment="production", force=reason)
    facts = replace(
        FACTS,
        trigger=trigger,
        command=command,
        sender=replace(FACTS.sender, login=name),
        pull_request=None,
        content=Content(HEAD, branch="main"),
        standing=Standing(),
    )
    decision = decide(Rules({"production": rules}), facts)
    against = decision.reasons if isinstance(decision, Refused) else ()
    # A workflow's step has no way to force.
    if trigger is Trigger.CLI or reason is None:
        assert against == may_deploy(rules, asked(trigger=trigger, actor=by, force=reason))
