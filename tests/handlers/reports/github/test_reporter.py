"""The reports follow a deployment, whatever GitHub and the bot's process do."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Outcome,
    Request,
    Stage,
    Trigger,
)
from bot.domain.progress import (
    ApprovalNeeded,
    Ended,
    InLine,
    Planned,
    Progress,
    StageFinished,
    StageStarted,
    Supersedes,
    Voted,
)
from bot.domain.reasons import MEANINGS, Code, Reason
from bot.redact import Redactor
from bot.services.github import Conclusion
from bot.store.database import Database
from bot.store.deployments import Deployments, insert
from bot.store.progress import ProgressLog
from handlers.reports.github.marks import WITHOUT_APP, Ration
from handlers.reports.github.origin import ORIGIN, Origin, comment_marker
from handlers.reports.github.reporter import GitHubReports, Pace
from handlers.reports.view import FAILURES
from tests.handlers.reports.github.fake import CrashError, FakeRepository
from tests.migrated import migrated

SHA = "3f9c2a1b7d4e5f60718293a4b5c6d7e8f9012345"
COMMAND = 7
PULL_REQUEST = 12
BROKEN = Reason(
    Code.SPEC_INVALID, "it is not JSON", MEANINGS[Code.SPEC_INVALID].next_step, "a.json:7: input"
)
MAKING = ["create_deployment", "create_comment", "create_check"]


class World:
    """One bot, one repository on GitHub and a clock that is put forward by hand."""

    def __init__(self, database: Database) -> None:
        self.github = FakeRepository()
        self.deployments = Deployments(database)
        self._database = database
        self._progress = ProgressLog(database)
        self.now = time.time()
        self.ration = Ration(calls=30)
        self.restart()

    def restart(self) -> None:
        self.reports = GitHubReports(
            self._database,
            Redactor([SecretStr("hunter2hunter2")]),
            lambda _origin: self.github,
            ration=self.ration,
            clock=lambda: self.now,
        )

    async def ask(
        self,
        identity: str = "d1",
        *,
        pull_request: int | None = PULL_REQUEST,
        has_our_comments: bool = True,
        rollback: bool = False,
    ) -> None:
        request = Request(
            Kind.DEPLOY,
            "https://github.com/acme/vision.git",
            "staging",
            Commit(SHA, "main"),
            Trigger.COMMENT,
            Actor("ada", "github"),
        )
        if rollback:
            unknown = Commit("", "an earlier deployment")
            request = replace(request, kind=Kind.ROLLBACK, commit=unknown)
        deployment = Deployment(identity, request)
        await self._database.write(lambda connection: insert(connection, deployment))
        command = COMMAND if pull_request else None
        origin = Origin(
            "acme", "vision", 1, pull_request, command, has_our_comments=has_our_comments
        )
        await self.deployments.save(identity, ORIGIN, origin.to_json())

    async def happens(self, *events: Progress, to: str = "d1") -> None:
        await self._progress.append(to, [(self.now, event) for event in events])

    async def passes(self, seconds: float = 60.0) -> None:
        """Time goes by, and the reports look."""
        await self.reports.look()
        self.now += seconds
        await self.reports.look()

    async def ends(self, outcome: Outcome, reason: Reason | None = None, of: str = "d1") -> None:
        await self.deployments.finish(of, outcome, reason)

    def bodies(self) -> list[str]:
        return [comment.body for comment in self.github.comments.values()]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = await Database.open(migrated(tmp_path / "pachops.db"))
    yield World(database)
    await database.close()


def _stage(stage: Stage) -> list[Progress]:
    return [StageStarted(stage), StageFinished(stage, Ended.SUCCEEDED, 1.0)]


async def _runs(world: World) -> None:
    await world.ask()
    await world.happens(StageStarted(Stage.BUILD))
    await world.passes()


async def test_running_deployment_has_comment_check_and_deployment(world: World) -> None:
    await _runs(world)
    (comment,) = world.github.comments.values()
    (check,) = world.github.checks.values()
    (deployment,) = world.github.deployments.values()
    assert comment.number == PULL_REQUEST
    assert "**Deploying**" in comment.body
    assert (check.sha, check.external_id, check.reports[-1].conclusion) == (SHA, "d1", None)
    # GitHub shows it as pending.
    assert (deployment.environment, deployment.states) == ("staging", [])


async def test_success_is_an_edit_and_a_rocket(world: World) -> None:
    await _runs(world)
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
    await _runs(world)
    await world.ends(Outcome.FAILED, BROKEN)
    await world.passes()
    progress, failure = world.bodies()
    (check,) = world.github.checks.values()
    assert "@ada" not in progress
    assert failure.startswith("@ada: ❌")
    assert [each.path for each in check.annotations] == ["a.json"]
    assert world.github.reactions == {}


async def test_cancelling_makes_no_new_comment(world: World) -> None:
    await _runs(world)
    await world.ends(Outcome.CANCELLED)
    await world.passes()
    assert len(world.bodies()) == 1
    assert world.github.reactions == {}


@pytest.mark.parametrize(
    ("outcome", "calls"),
    [
        (Outcome.SUCCEEDED, 7),
        (Outcome.FAILED, 7),
        (Outcome.REFUSED, 7),
        (Outcome.ROLLED_BACK, 7),
        (Outcome.CANCELLED, 6),
        (Outcome.SUPERSEDED, 6),
    ],
)
async def test_whole_deployment_takes_seven_calls_at_most(
    world: World, outcome: Outcome, calls: int
) -> None:
    world.ration = Ration()
    world.restart()
    await world.ask(has_our_comments=False)
    await world.passes()
    await world.happens(StageStarted(Stage.BUILD))
    await world.passes()
    for stage in (Stage.BUILD, Stage.TEST, Stage.PUSH):
        await world.happens(*_stage(stage))
        await world.passes()
    # A line is at fault, so that there is something to annotate.
    await world.ends(outcome, BROKEN if outcome in FAILURES else None)
    await world.passes()
    assert len(world.github.calls) == calls, world.github.calls


async def test_with_a_token_no_check_is_tried(world: World) -> None:
    world.ration = WITHOUT_APP
    world.restart()
    await _runs(world)
    await world.ends(Outcome.FAILED, BROKEN)
    await world.passes()
    assert not {"create_check", "find_check", "update_check"} & set(world.github.calls)
    assert world.bodies()[-1].startswith("@ada: ")


async def test_an_approval_takes_four_calls_more(world: World) -> None:
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
        await world.happens(*_stage(stage))
        await world.passes()
    (check,) = world.github.checks.values()
    assert check.reports[-1].status == "in_progress"
    await world.ends(Outcome.SUCCEEDED)
    await world.passes()
    assert len(world.github.calls) == 11, world.github.calls


async def test_second_deployment_of_a_pull_request_edits_the_same_comment(world: World) -> None:
    await _runs(world)
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
    await _runs(world)
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
    await _runs(world)
    assert list(world.github.comments) == [before]


@pytest.mark.parametrize("call", MAKING)
async def test_crash_doubles_nothing_where_nothing_of_ours_was_there(
    world: World, call: str
) -> None:
    world.github.crash_after = call
    await world.ask(has_our_comments=False)
    await world.happens(StageStarted(Stage.BUILD))
    with pytest.raises(CrashError):
        await world.passes()
    world.restart()
    await world.passes()
    made = (world.github.comments, world.github.checks, world.github.deployments)
    assert [len(each) for each in made] == [1, 1, 1]


async def test_what_ends_at_once_is_told_of_once(world: World) -> None:
    await world.ask()
    await world.happens(*_stage(Stage.PLAN))
    await world.ends(Outcome.SUCCEEDED)
    await world.passes()
    (comment,) = world.github.comments.values()
    (deployment,) = world.github.deployments.values()
    assert comment.edits == 0
    assert deployment.states == ["success"]


async def test_nothing_new_makes_no_calls(world: World) -> None:
    await _runs(world)
    before = len(world.github.calls)
    await world.passes()
    await world.passes()
    assert len(world.github.calls) == before


async def test_edits_keep_a_distance(world: World) -> None:
    await _runs(world)
    await world.happens(*_stage(Stage.BUILD))
    await world.passes()
    before = len(world.github.calls)
    for stage in (Stage.TEST, Stage.PUSH, Stage.UPDATE):
        await world.happens(*_stage(stage))
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


@pytest.mark.parametrize("call", [*MAKING, "deployment_status", "edit_comment", "update_check"])
async def test_crash_after_a_call_doubles_nothing(world: World, call: str) -> None:
    world.github.crash_after = call
    for act in (_runs(world), world.ends(Outcome.FAILED, BROKEN), world.passes()):
        try:
            await act
        except CrashError:
            world.restart()
            await world.passes()
    assert not world.github.crash_after
    assert len(world.github.deployments) == 1
    assert len(world.github.checks) == 1
    progress, failure = world.github.comments.values()
    (check,) = world.github.checks.values()
    assert [each.path for each in check.annotations] == ["a.json"]
    assert "failed" in progress.body
    assert failure.body.startswith("@ada")
    assert world.reports.is_idle


async def test_crash_after_the_reaction_doubles_nothing(world: World) -> None:
    await _runs(world)
    await world.ends(Outcome.SUCCEEDED)
    world.github.crash_after = "react"
    with pytest.raises(CrashError):
        await world.passes()
    world.restart()
    await world.passes()
    assert world.github.reactions == {COMMAND: {"rocket"}}
    assert len(world.bodies()) == 1
    assert world.reports.is_idle


async def test_crash_after_the_failure_was_told_does_not_tell_it_twice(world: World) -> None:
    await _runs(world)
    await world.ends(Outcome.FAILED, BROKEN)
    world.github.crash_after = "create_comment"
    with pytest.raises(CrashError):
        await world.passes()
    world.restart()
    await world.passes()
    assert len(world.bodies()) == 2


async def test_restart_says_nothing_again(world: World) -> None:
    await _runs(world)
    before = len(world.github.calls)
    world.restart()
    await world.passes()
    assert len(world.github.calls) == before


async def test_outage_until_after_the_end_is_made_up_for(world: World) -> None:
    world.github.down = Code.GITHUB_UNREACHABLE
    await _runs(world)
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
    await _runs(world)
    for _ in range(100):
        await world.passes(1)
    assert len(world.github.calls) < 12


async def test_outage_of_days_is_given_up(world: World) -> None:
    world.github.down = Code.GITHUB_UNREACHABLE
    await _runs(world)
    await world.ends(Outcome.SUCCEEDED)
    await world.passes(Pace().give_up + 10)
    assert world.reports.is_idle


async def test_what_github_refuses_does_not_stop_the_rest(world: World) -> None:
    world.github.refuses = {"create_check", "create_deployment"}
    await _runs(world)
    await world.ends(Outcome.SUCCEEDED)
    await world.passes()
    assert "✅" in world.bodies()[0]
    assert world.github.reactions == {COMMAND: {"rocket"}}
    assert world.reports.is_idle


async def test_what_github_refused_is_tried_again_at_the_end(world: World) -> None:
    world.github.refuses = {"create_check"}
    await _runs(world)
    world.github.refuses = set()
    await world.ends(Outcome.SUCCEEDED)
    await world.passes()
    (check,) = world.github.checks.values()
    assert check.reports[-1].conclusion is Conclusion.SUCCESS


async def test_a_login_that_was_not_taken_at_the_end_is_no_end_of_the_report(
    world: World,
) -> None:
    await _runs(world)
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
    await _runs(world)
    world.github.comments.clear()
    await world.ends(Outcome.SUCCEEDED)
    await world.passes()
    (body,) = world.bodies()
    assert "✅" in body


async def test_settled_deployment_is_not_looked_at_after_a_restart(world: World) -> None:
    await _runs(world)
    await world.ends(Outcome.SUCCEEDED)
    await world.passes()
    before = len(world.github.calls)
    world.restart()
    await world.passes()
    assert len(world.github.calls) == before


async def test_origin_that_cannot_be_read_does_not_silence_the_others(world: World) -> None:
    await world.ask("d0")
    await world.deployments.save("d0", ORIGIN, {"owner": ["?"]})
    await _runs(world)
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


async def test_runs_until_it_is_cancelled(world: World, tmp_path: Path) -> None:
    database = await Database.open(migrated(tmp_path / "pachops.db"))
    pace = replace(Pace(), look=0.0, quiet=0.0)
    reports = GitHubReports(database, Redactor([]), lambda _origin: world.github, pace=pace)
    running = asyncio.create_task(reports.run())
    await world.ask()
    await world.happens(*_stage(Stage.PLAN))
    await world.ends(Outcome.SUCCEEDED)
    async with asyncio.timeout(20):
        await world.github.reacted.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await database.close()


async def test_the_check_asks_for_approval_and_goes_on_when_it_is_given(world: World) -> None:
    await _runs(world)
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
    await _runs(world)
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


async def test_a_crash_while_they_are_called_calls_nobody_twice(world: World) -> None:
    await _runs(world)
    await world.happens(BUILT, StageStarted(Stage.APPROVE), asks("grace"))
    world.github.crash_after = "create_comment"
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
    await _runs(world)
    await world.happens(BUILT, StageStarted(Stage.APPROVE), asks(*named))
    await world.passes()
    assert len(world.github.comments) == 1


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
