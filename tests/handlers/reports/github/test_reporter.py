"""The reports follow a deployment from its asking to its end."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.deployment import (
    Commit,
    Outcome,
    Stage,
)
from bot.domain.progress import (
    InLine,
    Planned,
    StageStarted,
    Supersedes,
)
from bot.domain.reasons import Code
from bot.redact import Redactor
from bot.services.github import Conclusion
from bot.store.database import Database
from handlers.reports.github.marks import WITHOUT_APP, Ration
from handlers.reports.github.origin import comment_marker
from handlers.reports.github.reporter import GitHubReports, Pace
from handlers.reports.view import FAILURES
from tests.handlers.reports.github.world import BROKEN, COMMAND, PULL_REQUEST, SHA, World, done
from tests.migrated import migrated


async def test_running_deployment_has_comment_check_and_deployment(world: World) -> None:
    await world.runs()
    (comment,) = world.github.comments.values()
    (check,) = world.github.checks.values()
    (deployment,) = world.github.deployments.values()
    assert comment.number == PULL_REQUEST
    assert "**Deploying**" in comment.body
    assert (check.sha, check.external_id, check.reports[-1].conclusion) == (SHA, "d1", None)
    # GitHub shows it as pending.
    assert (deployment.environment, deployment.states) == ("staging", [])


async def test_success_is_an_edit_and_a_rocket(world: World) -> None:
    await world.runs()
    await world.ends(Outcome.SUCCEEDED)
    await world.passes()
    (comment,) = world.github.comments.values()
    (check,) = world.github.checks.values()
    (deployment,) = world.github.deployments.values()
    assert "✅ **Deployed**" in comment.body
    assert check.reports[-1].conclusion is Conclusion.SUCCESS
    assert deployment.states == ["success"]
    assert world.github.reactions == {COMMAND: {"rocket"}}
    assert world.reports.is_idle


async def test_failure_is_a_comment_of_its_own_that_mentions_who_asked(world: World) -> None:
    await world.runs()
    await world.ends(Outcome.FAILED, BROKEN)
    await world.passes()
    progress, failure = world.bodies()
    (check,) = world.github.checks.values()
    assert "@ada" not in progress
    assert failure.startswith("@ada: ❌")
    assert [each.path for each in check.annotations] == ["a.json"]
    assert world.github.reactions == {}


async def test_cancelling_makes_no_new_comment(world: World) -> None:
    await world.runs()
    await world.ends(Outcome.CANCELLED)
    await world.passes()
    assert len(world.bodies()) == 1
    assert world.github.reactions == {}


@pytest.mark.parametrize(
    ("outcome", "together", "one_by_one"),
    [
        (Outcome.SUCCEEDED, 3, 7),
        (Outcome.FAILED, 3, 7),
        (Outcome.REFUSED, 3, 7),
        (Outcome.ROLLED_BACK, 3, 7),
        (Outcome.CANCELLED, 3, 6),
        (Outcome.SUPERSEDED, 3, 6),
    ],
)
@pytest.mark.parametrize("is_together", [True, False])
async def test_whole_deployment_takes_three_calls_or_seven_at_most(
    world: World, outcome: Outcome, together: int, one_by_one: int, *, is_together: bool
) -> None:
    world.github.writes_one_by_one = not is_together
    world.ration = Ration()
    world.restart()
    await world.ask(has_our_comments=False)
    await world.passes()
    await world.happens(StageStarted(Stage.BUILD))
    await world.passes()
    for stage in (Stage.BUILD, Stage.TEST, Stage.PUSH):
        await world.happens(*done(stage))
        await world.passes()
    # A line is at fault, so that there is something to annotate.
    await world.ends(outcome, BROKEN if outcome in FAILURES else None)
    await world.passes()
    assert len(world.github.calls) == (together if is_together else one_by_one), world.github.calls


async def test_with_a_token_no_check_is_tried(world: World) -> None:
    world.ration = WITHOUT_APP
    world.restart()
    await world.runs()
    await world.ends(Outcome.FAILED, BROKEN)
    await world.passes()
    assert not {"create_check", "find_check", "update_check"} & set(world.github.calls)
    assert world.bodies()[-1].startswith("@ada: ")


async def test_second_deployment_of_a_pull_request_edits_the_same_comment(world: World) -> None:
    await world.runs()
    await world.ends(Outcome.SUCCEEDED)
    await world.passes()
    world.github.calls.clear()
    await world.ask("d2")
    await world.happens(StageStarted(Stage.BUILD), to="d2")
    await world.passes()
    assert len(world.bodies()) == 1
    assert "`d2`" in world.bodies()[0]
    assert "find_comment" not in world.github.calls


async def test_comment_belongs_to_the_one_before_until_that_has_ended(world: World) -> None:
    await world.runs()
    world.github.down = Code.GITHUB_UNREACHABLE
    await world.ends(Outcome.SUCCEEDED)
    for _ in range(5):
        await world.passes()
    world.github.down = None
    await world.ask("d2")
    await world.happens(StageStarted(Stage.BUILD), to="d2")
    await world.passes(10)
    assert "`d1`" in world.bodies()[0]
    await world.passes(400)
    await world.passes()
    assert len(world.bodies()) == 1
    assert "`d2`" in world.bodies()[0]


async def test_waiting_deployment_is_pending(world: World) -> None:
    await world.ask()
    await world.passes()
    (deployment,) = world.github.deployments.values()
    assert deployment.states == []
    assert world.bodies() == []


async def test_comment_that_only_another_database_knew_is_edited(world: World) -> None:
    marker = comment_marker("staging")
    before = await world.github.create_comment(PULL_REQUEST, "of old", marker=marker)
    world.github.calls.clear()
    await world.runs()
    assert list(world.github.comments) == [before]
    assert world.github.calls == ["create_deployment", "find_comment", "write"]


async def test_where_none_of_our_comments_is_this_one_it_is_looked_for_once(world: World) -> None:
    await world.runs()
    assert len(world.bodies()) == 1
    assert world.github.calls == ["create_deployment", "find_comment", "write"]


async def test_a_comment_that_was_deleted_is_made_again(world: World) -> None:
    await world.runs()
    world.github.comments.clear()
    await world.ends(Outcome.SUCCEEDED)
    await world.passes()
    (comment,) = world.bodies()
    assert "✅ **Deployed**" in comment
    await world.ask("d2")
    await world.happens(StageStarted(Stage.BUILD), to="d2")
    await world.passes()
    assert len(world.bodies()) == 1


async def test_what_ends_at_once_is_told_of_once(world: World) -> None:
    await world.ask()
    await world.happens(*done(Stage.PLAN))
    await world.ends(Outcome.SUCCEEDED)
    await world.passes()
    (comment,) = world.github.comments.values()
    (deployment,) = world.github.deployments.values()
    assert comment.edits == 0
    assert deployment.states == ["success"]


async def test_nothing_new_makes_no_calls(world: World) -> None:
    await world.runs()
    before = len(world.github.calls)
    await world.passes()
    await world.passes()
    assert len(world.github.calls) == before


async def test_edits_keep_a_distance(world: World) -> None:
    await world.runs()
    await world.happens(*done(Stage.BUILD))
    await world.passes()
    before = len(world.github.calls)
    for stage in (Stage.TEST, Stage.PUSH, Stage.UPDATE):
        await world.happens(*done(stage))
        await world.passes(1)
    assert len(world.github.calls) == before


async def test_push_without_a_pull_request_has_no_comment(world: World) -> None:
    await world.ask(pull_request=None)
    await world.happens(StageStarted(Stage.BUILD))
    await world.passes()
    await world.ends(Outcome.FAILED, BROKEN)
    await world.passes()
    assert world.bodies() == []
    assert len(world.github.checks) == 1
    assert world.reports.is_idle


async def test_runs_until_it_is_cancelled(world: World, tmp_path: Path) -> None:
    database = await Database.open(migrated(tmp_path / "pachops.db"))
    pace = replace(Pace(), look=0.0, quiet=0.0)
    reports = GitHubReports(database, Redactor([]), lambda _origin: world.github, pace=pace)
    running = asyncio.create_task(reports.run())
    await world.ask()
    await world.happens(*done(Stage.PLAN))
    await world.ends(Outcome.SUCCEEDED)
    async with asyncio.timeout(20):
        await world.github.reacted.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await database.close()


async def test_who_is_before_it_is_said_while_it_waits(world: World) -> None:
    await world.ask()
    await world.happens(InLine(("d0",), 60.0, 45.0))
    await world.passes()
    (deployment,) = world.github.deployments.values()
    (check,) = world.github.checks.values()
    said = "waits for its turn: 1 deployment is before it, it begins in about 45s"
    assert deployment.states == []
    assert check.reports[-1].status == "queued"
    assert said in check.reports[-1].title
    assert said.partition(":")[2] in world.bodies()[0]
    await world.happens(StageStarted(Stage.BUILD), Supersedes("d0", SHA))
    await world.passes()
    (comment,) = world.github.comments.values()
    assert "It takes the place of d0" in comment.body


async def test_a_rollback_that_waits_has_a_check_once_its_commit_is_known(world: World) -> None:
    await world.ask(rollback=True)
    await world.happens(InLine(("d0",)))
    await world.passes()
    assert (world.github.checks, world.github.deployments) == ({}, {})
    assert "Rollback of **staging** **waits for its turn**" in world.bodies()[0]

    await world.deployments.goes_back_to("d1", Commit(SHA, "main", title="Good"))
    await world.happens(Planned((), ()), StageStarted(Stage.UPDATE))
    await world.passes()
    (check,) = world.github.checks.values()
    (deployment,) = world.github.deployments.values()
    assert (check.sha, deployment.sha) == (SHA, SHA)
    assert f"**Rolling back** **staging** to {SHA}" in world.bodies()[0]


async def test_a_rollback_that_never_began_is_told_of_in_its_comment(world: World) -> None:
    await world.ask(rollback=True)
    await world.ends(Outcome.CANCELLED)
    await world.passes()
    assert "Rollback of **staging** **was cancelled**" in world.bodies()[0]
    assert world.github.calls == ["find_comment", "create_comment"]
    assert world.reports.is_idle
