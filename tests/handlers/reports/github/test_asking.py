"""Approvals: the check asks for them, and those who may are called once."""

import pytest

from bot.domain.deployment import (
    Outcome,
    Stage,
)
from bot.domain.progress import (
    ApprovalNeeded,
    Ended,
    StageFinished,
    StageStarted,
    Voted,
)
from bot.services.github import Conclusion
from handlers.reports.github.marks import Ration
from tests.handlers.reports.github.fake import CrashError
from tests.handlers.reports.github.world import SHA, World, done


@pytest.mark.parametrize(("one_by_one", "calls"), [(True, 11), (False, 5)])
async def test_an_approval_takes_four_calls_more_or_two(
    world: World, calls: int, *, one_by_one: bool
) -> None:
    world.github.writes_one_by_one = one_by_one
    world.ration = Ration()
    world.restart()
    await world.ask(has_our_comments=False)
    await world.happens(StageStarted(Stage.BUILD))
    await world.passes()
    needed = ApprovalNeeded("d1", SHA, "5e8c" * 16, "ada", 1, 9e9, (), False, 0)  # noqa: FBT003
    await world.happens(StageStarted(Stage.APPROVE), needed)
    await world.passes()
    await world.happens(Voted("grace", "github", approves=True))
    await world.happens(StageFinished(Stage.APPROVE, Ended.SUCCEEDED, 9.0))
    for stage in (Stage.UPDATE, Stage.VERIFY):
        await world.happens(*done(stage))
        await world.passes()
    (check,) = world.github.checks.values()
    assert check.reports[-1].status == "in_progress"
    await world.ends(Outcome.SUCCEEDED)
    await world.passes()
    assert len(world.github.calls) == calls, world.github.calls


async def test_the_check_asks_for_approval_and_goes_on_when_it_is_given(world: World) -> None:
    await world.runs()
    needed = ApprovalNeeded(
        "d1", SHA, "5e8c" * 16, "ada", 1, 9e9, ("edges: build",), reprocesses=False, running_jobs=0
    )
    await world.happens(StageFinished(Stage.BUILD, Ended.SUCCEEDED, 9.0))
    await world.happens(StageStarted(Stage.APPROVE), needed)
    await world.passes()
    (check,) = world.github.checks.values()
    (comment,) = world.github.comments.values()
    (deployment,) = world.github.deployments.values()
    assert check.reports[-1].status == "completed"
    assert [each.conclusion for each in check.reports] == [None, Conclusion.ACTION_REQUIRED]
    assert f"/pachops approve d1 {'5e8c' * 3}" in comment.body
    await world.happens(Voted("grace", "github", approves=True))
    await world.happens(StageFinished(Stage.APPROVE, Ended.SUCCEEDED, 9.0))
    await world.happens(StageStarted(Stage.UPDATE))
    await world.passes()
    assert [each.conclusion for each in check.reports][-1:] == [None]
    assert "/pachops approve" not in comment.body
    assert "`grace` approves" in comment.body
    assert deployment.states == []


BUILT = StageFinished(Stage.BUILD, Ended.SUCCEEDED, 9.0)


def asks(*named: str) -> ApprovalNeeded:
    return ApprovalNeeded(
        "d1", SHA, "5e8c" * 16, "ada", 1, 9e9, (), reprocesses=False, running_jobs=0, named=named
    )


async def test_those_whom_the_rules_name_are_called_once_in_a_comment_of_its_own(
    world: World,
) -> None:
    await world.runs()
    await world.happens(
        BUILT, StageStarted(Stage.APPROVE), asks("Ada", "grace", "acme/ml-platform")
    )
    await world.passes()
    world.restart()
    await world.happens(asks("Ada", "grace", "acme/ml-platform"))
    await world.happens(Voted("eve", "github", approves=True))
    await world.passes()
    progress, call = world.github.comments.values()
    assert call.body.startswith("@grace @acme/ml-platform: ")
    assert f"/pachops approve d1 {'5e8c' * 3}" in call.body
    assert call.edits == 0
    assert "@" not in progress.body


@pytest.mark.parametrize("one_by_one", [True, False])
async def test_a_crash_while_they_are_called_calls_nobody_twice(
    world: World, *, one_by_one: bool
) -> None:
    world.github.writes_one_by_one = one_by_one
    await world.runs()
    await world.happens(BUILT, StageStarted(Stage.APPROVE), asks("grace"))
    world.github.crash_after = "create_comment" if one_by_one else "write"
    with pytest.raises(CrashError):
        await world.passes()
    world.restart()
    await world.passes()
    await world.passes()
    assert [each.body[:6] for each in world.github.comments.values()].count("@grace") == 1


@pytest.mark.parametrize("named", [(), ("ada",), ("not a login", "../x", "a/b/c")])
async def test_where_nobody_else_is_named_nobody_is_called(
    world: World, named: tuple[str, ...]
) -> None:
    await world.runs()
    await world.happens(BUILT, StageStarted(Stage.APPROVE), asks(*named))
    await world.passes()
    assert len(world.github.comments) == 1
