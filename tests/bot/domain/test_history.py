import pytest

from bot.domain.deployment import Actor, Commit, Deployment, Kind, Outcome, Request, Trigger
from bot.domain.history import Past, going_back, in_force, moved_on_by
from bot.domain.plan import Destination, PipelineStep, Preparation
from bot.domain.reasons import Code, StoppedError


def past(
    name: str,
    *changes: tuple[str, str | None],
    outcome: Outcome = Outcome.SUCCEEDED,
    undone: tuple[str, ...] | None = None,
    cluster: str = "default",
) -> Past:
    request = Request(
        kind=Kind.DEPLOY if undone is None else Kind.ROLLBACK,
        repository="/r",
        environment="staging",
        commit=Commit(sha=name * 40, ref="main"),
        trigger=Trigger.CLI,
        actor=Actor("ada", "cli"),
    )
    steps = tuple(
        PipelineStep("team", pipeline, 1, before, f"after {name}") for pipeline, before in changes
    )
    update = Preparation(Destination(cluster, "team", 600.0, 15.0, roll_back=True), steps)
    return Past(Deployment(name, request, outcome=outcome), update, undone or ())


A = past("a", ("edges", "spec 0"))
B = past("b", ("edges", "spec a"))
C = past("c", ("edges", "spec b"), ("montage", "old montage"))


def test_going_back_restores_what_the_last_good_deployment_replaced() -> None:
    back = going_back([A, B], 1)
    assert [(step.name, step.before) for step in back.steps] == [("edges", "spec a")]


def test_going_back_two_steps_restores_the_earlier_spec_of_each_pipeline() -> None:
    back = going_back([A, B, C], 2)
    assert {step.name: step.before for step in back.steps} == {
        "edges": "spec a",
        "montage": "old montage",
    }


def test_going_back_names_the_deployment_that_comes_back() -> None:
    assert going_back([A, B], 1).to == "a"


def test_going_back_from_the_first_deployment_returns_to_what_ran_before_pachops() -> None:
    back = going_back([A], 1)
    assert (back.to, back.steps[0].before) == (None, "spec 0")


def test_a_second_rollback_goes_further_back() -> None:
    once = past("r", ("edges", "spec b"), undone=("b",))
    assert going_back([A, B, once], 1).undone == ("a",)


def test_a_rollback_that_had_nothing_to_change_counts() -> None:
    once = past("r", undone=("b",))
    assert [each.deployment.id for each in in_force([A, B, once])] == ["a"]


def test_a_deployment_whose_update_is_not_in_place_is_not_in_force() -> None:
    failed = Past(past("f", outcome=Outcome.ROLLED_BACK).deployment, None)
    assert [each.deployment.id for each in in_force([A, failed])] == ["a"]


def test_a_failed_deployment_that_was_left_in_place_is_undone_with_the_next() -> None:
    left = past("l", ("edges", "spec a"), outcome=Outcome.FAILED)
    back = going_back([A, left, C], 1)
    assert (back.undone, back.to) == (("c", "l"), "a")
    assert {step.name: step.before for step in back.steps}["edges"] == "spec a"


def test_a_deployment_that_changed_nothing_is_not_a_step() -> None:
    assert [each.deployment.id for each in in_force([A, past("n")])] == ["a"]


@pytest.mark.parametrize(
    ("later", "by"),
    [
        ([], None),
        ([past("n"), Past(past("f", outcome=Outcome.ROLLED_BACK).deployment, None)], None),
        ([past("l", ("edges", "spec a"), outcome=Outcome.FAILED), past("n")], "l"),
        ([B, C], "c"),
        ([B, past("r", ("edges", "spec b"), undone=("b",))], None),
        ([B, past("r", ("edges", "spec b"), undone=("b", "a"))], "r"),
        ([past("r", ("edges", "spec 0"), undone=("a",)), past("n")], "r"),
    ],
    ids=[
        "nothing",
        "changed nothing",
        "left in place",
        "the newest",
        "taken back again",
        "taken back with it",
        "it was taken back itself",
    ],
)
def test_what_came_later_has_moved_on_where_something_else_is_in_force(
    later: list[Past], by: str | None
) -> None:
    found = moved_on_by(later)
    assert (found.id if found else None) == by


@pytest.mark.parametrize(
    ("history", "steps"),
    [
        ([], 1),
        ([A], 2),
        ([past("n", ("edges", None))], 1),
        ([A, past("x", ("edges", "s"), cluster="other")], 2),
    ],
    ids=["nothing", "too far", "all were created", "another cluster"],
)
def test_there_is_nothing_to_go_back_to(history: list[Past], steps: int) -> None:
    with pytest.raises(StoppedError) as stopped:
        going_back(history, steps)
    assert stopped.value.reason.code is Code.NOTHING_TO_ROLL_BACK
