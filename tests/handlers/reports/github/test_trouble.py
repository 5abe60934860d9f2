"""Whatever GitHub and the bot's process do, nothing is said twice and nothing is left out."""

import sqlite3

import pytest

from bot.domain.deployment import (
    Outcome,
    Stage,
)
from bot.domain.progress import (
    StageStarted,
)
from bot.domain.reasons import Code
from bot.services.github import (
    CheckUpdate,
    CommentEdit,
    Conclusion,
    NewCheck,
    NewComment,
    NewStatus,
    Order,
    React,
)
from bot.store.progress import ProgressLog
from handlers.reports.github.origin import ORIGIN
from handlers.reports.github.reporter import Pace
from tests.handlers.reports.github.fake import CrashError
from tests.handlers.reports.github.world import BROKEN, COMMAND, World

MAKING = ["create_deployment", "create_comment", "create_check"]


@pytest.mark.parametrize(
    ("call", "one_by_one"), [*((each, True) for each in MAKING), ("write", False)]
)
async def test_crash_doubles_nothing_where_nothing_of_ours_was_there(
    world: World, call: str, *, one_by_one: bool
) -> None:
    world.github.writes_one_by_one = one_by_one
    world.github.crash_after = call
    await world.ask(has_our_comments=False)
    await world.happens(StageStarted(Stage.BUILD))
    with pytest.raises(CrashError):
        await world.passes()
    world.restart()
    await world.passes()
    assert not world.github.crash_after
    made = (world.github.comments, world.github.checks, world.github.deployments)
    assert [len(each) for each in made] == [1, 1, 1]


ENDING = ["deployment_status", "edit_comment", "update_check", "create_comment"]


@pytest.mark.parametrize(
    ("call", "one_by_one"),
    [*((each, True) for each in (*MAKING, *ENDING)), ("write", False)],
)
async def test_crash_after_a_call_doubles_nothing(
    world: World, call: str, *, one_by_one: bool
) -> None:
    world.github.writes_one_by_one = one_by_one
    world.github.crash_after = call
    for act in (world.runs(), world.ends(Outcome.FAILED, BROKEN), world.passes()):
        try:
            await act
        except CrashError:
            world.restart()
            await world.passes()
    assert not world.github.crash_after
    assert len(world.github.deployments) == 1
    assert len(world.github.checks) == 1
    (deployment,) = world.github.deployments.values()
    assert deployment.states == ["failure"]
    progress, failure = world.github.comments.values()
    (check,) = world.github.checks.values()
    assert [each.path for each in check.annotations] == ["a.json"]
    assert "failed" in progress.body
    assert failure.body.startswith("@ada")
    assert world.reports.is_idle


@pytest.mark.parametrize("one_by_one", [True, False])
async def test_crash_after_the_reaction_doubles_nothing(world: World, *, one_by_one: bool) -> None:
    world.github.writes_one_by_one = one_by_one
    await world.runs()
    await world.ends(Outcome.SUCCEEDED)
    world.github.crash_after = "react" if one_by_one else "write"
    with pytest.raises(CrashError):
        await world.passes()
    world.restart()
    await world.passes()
    assert world.github.reactions == {COMMAND: {"rocket"}}
    assert len(world.bodies()) == 1
    assert world.reports.is_idle


@pytest.mark.parametrize("one_by_one", [True, False])
async def test_crash_after_the_failure_was_told_does_not_tell_it_twice(
    world: World, *, one_by_one: bool
) -> None:
    world.github.writes_one_by_one = one_by_one
    await world.runs()
    await world.ends(Outcome.FAILED, BROKEN)
    world.github.crash_after = "create_comment" if one_by_one else "write"
    with pytest.raises(CrashError):
        await world.passes()
    world.restart()
    await world.passes()
    assert len(world.bodies()) == 2


@pytest.mark.parametrize("left", [CommentEdit, CheckUpdate, NewCheck, NewStatus, React, NewComment])
@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.FAILED])
async def test_what_a_call_for_several_leaves_is_said_by_itself(
    world: World, left: type[Order], outcome: Outcome
) -> None:
    world.github.leaves = {left}
    await world.runs()
    await world.ends(outcome, BROKEN if outcome is Outcome.FAILED else None)
    await world.passes()
    (check,) = world.github.checks.values()
    (deployment,) = world.github.deployments.values()
    assert len(deployment.states) == 1
    assert check.reports[-1].conclusion is not None
    assert len(world.bodies()) == (2 if outcome is Outcome.FAILED else 1)
    assert "**Deploying**" not in world.bodies()[0]
    assert bool(world.github.reactions) is (outcome is Outcome.SUCCEEDED)
    assert world.reports.is_idle


@pytest.mark.parametrize("odd", [NewStatus, NewComment, NewCheck, CheckUpdate])
async def test_what_is_done_without_being_shown_is_not_done_twice(
    world: World, odd: type[Order]
) -> None:
    world.github.hides = {odd}
    await world.runs()
    await world.ends(Outcome.FAILED, BROKEN)
    await world.passes()
    (deployment,) = world.github.deployments.values()
    (check,) = world.github.checks.values()
    assert deployment.states == ["failure"]
    assert len(check.annotations) == 1
    assert len(world.bodies()) == 2
    assert world.reports.is_idle


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.FAILED])
async def test_where_no_call_for_several_is_answered_each_is_said_by_itself(
    world: World, outcome: Outcome
) -> None:
    """As where the way to GraphQL is closed."""
    world.github.down_for = {"write"}
    await world.runs()
    await world.ends(outcome)
    for _ in range(3):
        await world.passes(60)
    (deployment,) = world.github.deployments.values()
    (check,) = world.github.checks.values()
    assert len(deployment.states) == 1
    assert check.reports[-1].conclusion is not None
    assert len(world.bodies()) == (2 if outcome is Outcome.FAILED else 1)
    assert world.github.calls.count("write") == 1
    assert world.reports.is_idle


async def test_an_outage_at_the_end_doubles_nothing(world: World) -> None:
    await world.runs()
    await world.ends(Outcome.FAILED, BROKEN)
    world.github.down = Code.GITHUB_UNREACHABLE
    await world.passes()
    world.github.down = None
    await world.passes(400)
    (deployment,) = world.github.deployments.values()
    assert deployment.states == ["failure"]
    assert len(world.bodies()) == 2
    assert world.reports.is_idle


async def test_restart_says_nothing_again(world: World) -> None:
    await world.runs()
    before = len(world.github.calls)
    world.restart()
    await world.passes()
    assert len(world.github.calls) == before


async def test_outage_until_after_the_end_is_made_up_for(world: World) -> None:
    world.github.down = Code.GITHUB_UNREACHABLE
    await world.runs()
    await world.ends(Outcome.SUCCEEDED)
    await world.passes()
    world.github.down = None
    await world.passes(400)
    (comment,) = world.github.comments.values()
    (deployment,) = world.github.deployments.values()
    assert "✅" in comment.body
    assert deployment.states == ["success"]
    assert world.reports.is_idle


async def test_outage_is_not_met_with_a_storm(world: World) -> None:
    world.github.down = Code.GITHUB_UNREACHABLE
    await world.runs()
    for _ in range(100):
        await world.passes(1)
    assert len(world.github.calls) < 12


async def test_outage_of_days_is_given_up(world: World) -> None:
    world.github.down = Code.GITHUB_UNREACHABLE
    await world.runs()
    await world.ends(Outcome.SUCCEEDED)
    await world.passes(Pace().give_up + 10)
    assert world.reports.is_idle


async def test_what_github_refuses_does_not_stop_the_rest(world: World) -> None:
    world.github.refuses = {"create_check", "create_deployment"}
    await world.runs()
    await world.ends(Outcome.SUCCEEDED)
    await world.passes()
    assert "✅" in world.bodies()[0]
    assert world.github.reactions == {COMMAND: {"rocket"}}
    assert world.reports.is_idle


async def test_what_github_refused_is_tried_again_at_the_end(world: World) -> None:
    world.github.refuses = {"create_check"}
    await world.runs()
    world.github.refuses = set()
    await world.ends(Outcome.SUCCEEDED)
    await world.passes()
    (check,) = world.github.checks.values()
    assert check.reports[-1].conclusion is Conclusion.SUCCESS


async def test_a_login_that_was_not_taken_at_the_end_is_no_end_of_the_report(
    world: World,
) -> None:
    await world.runs()
    world.github.down = Code.GITHUB_LOGIN_REFUSED
    await world.ends(Outcome.SUCCEEDED)
    for _ in range(20):
        await world.passes(300)
    assert not world.reports.is_idle
    world.github.down = None
    await world.passes(300)
    assert "✅" in world.bodies()[0]
    assert world.reports.is_idle


async def test_comment_that_somebody_deleted_is_made_again(world: World) -> None:
    await world.runs()
    world.github.comments.clear()
    await world.ends(Outcome.SUCCEEDED)
    await world.passes()
    (body,) = world.bodies()
    assert "✅" in body


async def test_settled_deployment_is_not_looked_at_after_a_restart(world: World) -> None:
    await world.runs()
    await world.ends(Outcome.SUCCEEDED)
    await world.passes()
    before = len(world.github.calls)
    world.restart()
    await world.passes()
    assert len(world.github.calls) == before


async def test_origin_that_cannot_be_read_does_not_silence_the_others(world: World) -> None:
    await world.ask("d0")
    await world.deployments.save("d0", ORIGIN, {"owner": ["?"]})
    await world.runs()
    assert len(world.bodies()) == 1


async def test_database_that_fails_is_asked_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ask()
    await world.happens(StageStarted(Stage.BUILD))
    await world.reports.look()
    with monkeypatch.context() as patch:
        patch.setattr(ProgressLog, "read", _fails)
        await world.passes()
    assert world.bodies() == []
    await world.passes()
    assert len(world.bodies()) == 1


async def _fails(*_: object) -> None:
    raise sqlite3.OperationalError
