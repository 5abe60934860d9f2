"""Who may approve: another person, of those whom the rules name, for exactly what they saw."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.approval import ApprovalRequest, Proposal
from bot.domain.deployment import Actor
from bot.domain.gate_approver import Ballot, may_approve
from bot.domain.gate_facts import Sender, Unknown
from bot.domain.gate_rules import Approvals, EnvironmentRules, Rules
from bot.domain.github import Permission
from bot.domain.people import People
from bot.domain.reasons import Code
from tests.bot.domain.gate_example import HEAD, OLDER

REQUEST = ApprovalRequest(
    "06gaaaa", Proposal(HEAD, ("r/edges@sha256:1",), ()), Actor("ann", "github"), 1, 0.0, 60.0
)
BOB = Sender("bob", is_bot=False, permission=Permission.WRITE)


def codes(who: tuple[People, ...] = (), sender: Sender = BOB, **ballot: Any) -> list[Code]:
    rules = Rules({"production": EnvironmentRules(approvals=Approvals(1, who))})
    cast = Ballot("production", "acme/edges", sender, Actor(sender.login, "github"))
    return [each.code for each in may_approve(rules, REQUEST, replace(cast, **ballot))]


def test_somebody_else_with_write_permission_approves() -> None:
    assert codes() == []


@pytest.mark.parametrize("name", ["ann", "Ann"])
def test_who_asked_never_approves(name: str) -> None:
    assert codes(sender=replace(BOB, login=name)) == [Code.APPROVER_ASKED]


def test_who_asked_does_not_approve_from_another_account_that_is_theirs() -> None:
    assert codes(actor=Actor("a.smith", "slack", "github:ann")) == [Code.APPROVER_ASKED]


@pytest.mark.parametrize("actor", [Actor("bob", "github"), Actor("b.jones", "slack", "github:bob")])
def test_whoever_a_workflow_names_does_not_approve_what_it_asked_for(actor: Actor) -> None:
    rules = Rules({"production": EnvironmentRules(approvals=Approvals(1))})
    asked = replace(REQUEST, asked_by=Actor("Bob", "action", "github:bob"))
    cast = Ballot("production", "acme/edges", BOB, actor)
    assert [each.code for each in may_approve(rules, asked, cast)] == [Code.APPROVER_ASKED]


def test_an_account_of_the_same_name_elsewhere_may_be_theirs() -> None:
    assert codes(actor=Actor("ANN", "cli")) == [Code.APPROVER_ASKED]


def test_a_bot_never_approves() -> None:
    assert codes(sender=replace(BOB, is_bot=True)) == [Code.BOT_SENDER]


@pytest.mark.parametrize(
    ("permission", "code"),
    [
        (Permission.TRIAGE, Code.PERMISSION_MISSING),
        (Unknown("GET /permission", "timed out"), Code.PERMISSION_UNKNOWN),
    ],
)
def test_who_approves_needs_permission(permission: Permission | Unknown, code: Code) -> None:
    assert codes(sender=replace(BOB, permission=permission)) == [code]


def test_only_those_who_are_named_approve() -> None:
    carl, leads = People(users=frozenset({"carl"})), People(teams=frozenset({"acme/leads"}))
    assert codes((carl,)) == [Code.NOT_AN_APPROVER]
    assert codes((leads,)) == [Code.TEAM_UNKNOWN]
    member = replace(BOB, teams={"acme/leads": True})
    assert codes((leads,), member) == []
    assert codes((leads, carl), member) == [Code.NOT_AN_APPROVER]


def test_an_approval_is_for_one_commit_and_one_plan() -> None:
    digest = REQUEST.proposal.digest
    assert codes(sha=HEAD, digest=digest) == []
    assert codes(sha=OLDER, digest=digest) == [Code.APPROVAL_OUTDATED]
    assert codes(sha=HEAD, digest="f" * 64) == [Code.APPROVAL_OUTDATED]


def test_an_environment_that_is_gone_takes_no_approval() -> None:
    cast = Ballot("production", "acme/edges", BOB, Actor("bob", "github"))
    assert [each.code for each in may_approve(Rules(), REQUEST, cast)] == [Code.ENVIRONMENT_UNKNOWN]
