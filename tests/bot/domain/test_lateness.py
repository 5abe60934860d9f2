"""What stands against a command that comes late."""

from typing import Any

import pytest

from bot.domain.audit import Action
from bot.domain.command import Command, parse
from bot.domain.command_form import Mistake
from bot.domain.deployment import Actor
from bot.domain.lateness import (
    CLOCKS_APART,
    EVENTS_LATE,
    SENT,
    WRITTEN,
    Said,
    said,
    said_in,
    stands_against,
)
from bot.domain.reasons import Code

ADA, GRACE = Actor("ada", "github"), Actor("grace", "github")
WHEN = 1_000_000.0


def command(line: str) -> Command:
    found = parse(line)
    assert not isinstance(found, Mistake)
    return found


def late(line: str, pull_request: int | None = 1) -> Said:
    found = said(command(line), ADA, WHEN, pull_request, is_exact=True)
    assert found is not None
    return found


def decision(
    line: str,
    *reasons: Code,
    environment: str | None = "staging",
    pull_request: int | None = 1,
    **facts: Any,
) -> dict[str, Any]:
    """A row of the audit, as of a comment that was written a second later and handled long after."""
    told = {"line": line, "pull_request": pull_request, WRITTEN: WHEN + 1} | facts
    return {
        "action": Action.DECISION.value,
        "actor": {"name": "grace", "surface": "github"},
        "at": WHEN + 3600,
        "environment": environment,
        "reasons": [each.value for each in reasons],
        "facts": {name: value for name, value in told.items() if value is not None},
    }


def later(line: str, *reasons: Code, **more: Any) -> Said:
    found = said_in(decision(line, *reasons, **more))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("deploy staging", "deploy staging"),
        ("deploy staging", "rollback staging"),
        ("deploy staging", "cancel"),
        ("deploy", "deploy staging"),
        ("rollback staging", "rollback staging"),
        ("rollback staging", "deploy staging"),
        ("rollback staging", "cancel"),
        ("rollback staging", "resume staging"),
        ("resume staging", "rollback staging"),
        ("cancel", "deploy staging"),
        ("lock staging", "unlock staging"),
        ("lock --all", "unlock staging"),
        ("unlock staging", "lock staging --for 2h a reason"),
        ("unlock staging --of ada", "lock staging"),
    ],
)
def test_it_does_not_undo_what_was_said_after_it(line: str, after: str) -> None:
    assert stands_against(late(line), later(after))


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("deploy staging", "lock staging"),
        ("deploy staging", "resume staging"),
        ("lock staging", "deploy staging"),
        ("resume staging", "deploy staging"),
        ("unlock staging", "deploy staging"),
    ],
)
def test_what_was_said_of_something_else_does_not_matter(line: str, after: str) -> None:
    assert not stands_against(late(line), later(after))


def test_another_environment_does_not_matter() -> None:
    assert not stands_against(late("deploy staging"), later("deploy x", environment="production"))


@pytest.mark.parametrize("line", ["lock --all", "lock"])
def test_all_of_them_are_also_this_one(line: str) -> None:
    assert stands_against(late(line), later("unlock staging"))
    assert stands_against(late("unlock staging"), later(line, environment=None))


def test_another_pull_requests_deployment_counts_and_its_cancel_does_not() -> None:
    assert stands_against(late("deploy staging"), later("deploy staging", pull_request=2))
    assert not stands_against(late("deploy staging"), later("cancel", pull_request=2))
    assert not stands_against(late("cancel"), later("deploy staging", pull_request=2))
    assert stands_against(late("deploy staging"), later("cancel", pull_request=None))


@pytest.mark.parametrize(
    "line", ["cancel 06h8k2m4", "approve", "reject 06h8k2m4", "status", "plan"]
)
def test_what_is_about_one_deployment_or_only_tells_is_never_late(line: str) -> None:
    assert said(command(line), ADA, WHEN, 1, is_exact=True) is None


def test_what_counts_is_when_it_was_written() -> None:
    same = later("deploy staging", **{WRITTEN: WHEN})
    earlier = later("deploy staging", **{WRITTEN: WHEN - 1})
    assert not stands_against(late("deploy staging"), same)
    assert not stands_against(late("deploy staging"), earlier)


@pytest.mark.parametrize(("seconds", "counts"), [(CLOCKS_APART, False), (CLOCKS_APART + 1, True)])
def test_two_clocks_are_not_one(seconds: float, *, counts: bool) -> None:
    event = later("deploy staging", **{WRITTEN: None, SENT: WHEN + seconds})
    assert stands_against(late("deploy staging"), event) is counts
    button = said(command("deploy staging"), ADA, WHEN, None, is_exact=False)
    assert button is not None
    assert stands_against(button, later("deploy x", **{WRITTEN: WHEN + seconds})) is counts


@pytest.mark.parametrize(("seconds", "counts"), [(EVENTS_LATE, False), (EVENTS_LATE + 1, True)])
def test_a_push_may_be_told_of_some_minutes_late(seconds: float, *, counts: bool) -> None:
    told = {WRITTEN: None, SENT: WHEN + seconds}
    event = later("deploy staging", on={"trigger": "push"}, **told)
    assert stands_against(late("deploy staging"), event) is counts


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (" --only edges", " --only montage", False),
        (" --only edges", " --only montage --only edges", True),
        (" --only edges", "", True),
        ("", " --only edges", True),
    ],
)
def test_other_pipelines_are_something_else(one: str, other: str, *, meet: bool) -> None:
    assert stands_against(late(f"deploy staging{one}"), later(f"deploy staging{other}")) is meet


def test_what_was_told_before_there_was_a_fact_for_it_counts_from_its_row() -> None:
    assert later("deploy staging", **{WRITTEN: None}).at == WHEN + 3600


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("deploy staging", Code.LOCKED),
        ("cancel", Code.PERMISSION_MISSING),
        ("cancel 06h8k2m4", Code.DEPLOYMENT_UNKNOWN),
        ("unlock staging", Code.LOCKED),
        ("lock staging", Code.COMMAND_OUTDATED),
    ],
)
def test_what_was_refused_was_not_carried_out(line: str, code: Code) -> None:
    assert said_in(decision(line, code)) is None


@pytest.mark.parametrize(
    ("line", "code"), [("cancel", Code.DEPLOYMENT_UNKNOWN), ("unlock staging", Code.NOT_LOCKED)]
)
def test_what_was_so_already_was(line: str, code: Code) -> None:
    assert later(line, code).found_nothing


@pytest.mark.parametrize("line", ["approve 06h8k2m4", "status", "push to main", "", "plan staging"])
def test_all_else_in_the_audit_says_nothing(line: str) -> None:
    assert said_in(decision(line)) is None
    assert said_in(decision("deploy staging") | {"action": Action.COMMAND.value}) is None


@pytest.mark.parametrize(
    ("action", "facts", "what"),
    [
        (Action.SUBMITTED, {"kind": "deploy"}, "deploy"),
        (Action.SUBMITTED, {"kind": "rollback"}, "rollback"),
        (Action.CANCEL_REQUESTED, {}, "cancel"),
        (Action.LOCKED, {}, "lock"),
        (Action.LOCK_RENEWED, {}, "lock"),
        (Action.LOCK_TAKEN_OVER, {}, "lock"),
        (Action.UNLOCKED, {}, "unlock"),
        (Action.HOLD_RELEASED, {}, "resume"),
    ],
)
def test_at_a_terminal_what_was_done_says_it(
    action: Action, facts: dict[str, str], what: str
) -> None:
    row = decision("deploy . --to staging") | {"actor": {"name": "joan", "surface": "cli"}}
    assert said_in(row) is None
    found = said_in(row | {"action": action.value, "facts": facts, "environment": "*"})
    assert found == Said(what, Actor("joan", "cli"), WHEN + 3600)


def test_it_is_told_without_what_is_private() -> None:
    assert later("lock staging a customer's name").shown == "`lock staging`"
    assert later("deploy staging", on={"trigger": "push"}).shown == "a push"
