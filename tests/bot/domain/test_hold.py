"""After a rollback by command nothing comes back by itself."""

from dataclasses import replace

import pytest

from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Outcome,
    Request,
    State,
    Trigger,
)
from bot.domain.hold import Hold, hold_of

ANN = Actor("ann", "github")


def made(
    number: int,
    kind: Kind,
    outcome: Outcome | None = Outcome.SUCCEEDED,
    trigger: Trigger = Trigger.COMMENT,
) -> Deployment:
    request = Request(kind, "r", "production", Commit("a" * 40, "main"), trigger, ANN)
    state = State.FINISHED if outcome else State.RUNNING
    return Deployment(f"{number:04}", request, state, outcome, created_at=float(number))


BACK = made(2, Kind.ROLLBACK)
HELD = Hold("0002", ANN, 2.0)


def test_nothing_holds_where_nothing_was_taken_back() -> None:
    assert hold_of([]) is None
    assert hold_of([made(1, Kind.DEPLOY)]) is None


@pytest.mark.parametrize("outcome", [None, Outcome.SUCCEEDED, Outcome.FAILED, Outcome.ROLLED_BACK])
def test_a_rollback_holds_from_when_it_is_asked_for(outcome: Outcome | None) -> None:
    found = hold_of([made(2, Kind.ROLLBACK, outcome), made(1, Kind.DEPLOY)])
    assert found == replace(HELD, has_ended=outcome is not None)


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.CANCELLED])
def test_one_that_did_not_happen_holds_nothing(outcome: Outcome) -> None:
    assert hold_of([made(2, Kind.ROLLBACK, outcome)]) is None


@pytest.mark.parametrize("trigger", [Trigger.COMMENT, Trigger.SLACK, Trigger.CLI, Trigger.CHECK])
def test_a_deployment_by_command_ends_it(trigger: Trigger) -> None:
    assert hold_of([made(3, Kind.DEPLOY, trigger=trigger), BACK]) is None


@pytest.mark.parametrize(
    "trigger", [Trigger.PUSH, Trigger.PULL_REQUEST, Trigger.RELEASE, Trigger.RERUN]
)
def test_one_that_came_by_itself_does_not(trigger: Trigger) -> None:
    assert hold_of([made(3, Kind.DEPLOY, trigger=trigger), BACK]) == HELD


@pytest.mark.parametrize("outcome", [None, Outcome.FAILED, Outcome.ROLLED_BACK, Outcome.CANCELLED])
def test_a_deployment_that_did_not_work_does_not_end_it(outcome: Outcome | None) -> None:
    assert hold_of([made(3, Kind.DEPLOY, outcome), BACK]) == HELD


def test_a_command_lets_it_go() -> None:
    assert hold_of([BACK], released=["0002"]) is None
    assert hold_of([replace(BACK, id="0003"), BACK], released=["0002"]) == replace(
        HELD, deployment="0003"
    )
