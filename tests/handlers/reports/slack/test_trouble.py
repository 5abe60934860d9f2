"""Whatever Slack and the bot's process do, nothing is said twice and nothing is left out."""

import sqlite3

import pytest

from bot.domain.deployment import Outcome, Stage
from bot.domain.progress import Ended, Log, StageFinished, StageStarted
from bot.services.slack import Slack
from bot.store.deployments import Deployments
from bot.store.progress import ProgressLog
from handlers.reports.slack.follower import Follower
from handlers.reports.slack.origin import ORIGIN
from handlers.reports.slack.reporter import Pace
from tests.handlers.reports.slack.world import BROKEN, World, done
from tests.standins.slack.faults import Fault, broken, dropped, lost_answer, refused
from tests.standins.slack.world import notifies


class CrashError(BaseException):
    """The bot's process ends here."""


@pytest.mark.parametrize(
    "call", ["chat.postMessage", "chat.update", "files.completeUploadExternal", "upload"]
)
@pytest.mark.parametrize("fault", [lost_answer(), broken(after=True), dropped()])
async def test_lost_answers_double_nothing(world: World, call: str, fault: object) -> None:
    assert isinstance(fault, type(dropped()))
    world.slack.fail(call, fault, times=4)
    await world.ask()
    await world.happens(StageStarted(Stage.BUILD))
    await world.passes()
    await world.happens(
        Log(Stage.BUILD, "edges", "broken"), StageFinished(Stage.BUILD, Ended.FAILED, 1.0)
    )
    await world.ends(Outcome.FAILED, BROKEN)
    for _ in range(4):
        await world.passes(60)
    assert "failed" in world.message().shown
    log, end = sorted(world.thread(), key=lambda each: not each.files)
    assert (len(log.files), end.broadcast) == (1, True)
    assert world.reports.is_idle


@pytest.mark.parametrize("method", ["post", "update", "share", "upload"])
async def test_crash_after_a_call_doubles_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    real = getattr(Slack, method)
    crashed = False

    async def crashes(self: Slack, *args: object, **named: object) -> object:
        nonlocal crashed
        done = await real(self, *args, **named)
        if not crashed:
            crashed = True
            raise CrashError
        return done

    monkeypatch.setattr(Slack, method, crashes)
    await world.ask()
    await world.happens(StageStarted(Stage.BUILD))
    for _ in range(3):
        try:
            await world.passes()
        except CrashError:
            world.restart()
        await world.happens(Log(Stage.BUILD, "edges", "broken"))
        await world.ends(Outcome.FAILED, BROKEN)
    await world.passes()
    assert crashed
    assert "failed" in world.message().shown
    assert len(world.thread()) == 2
    assert world.reports.is_idle


async def test_restart_says_nothing_again(world: World) -> None:
    await world.runs()
    before = len(world.slack.calls)
    world.restart()
    await world.passes()
    assert len(world.slack.calls) == before


async def test_settled_deployment_is_not_looked_at_after_a_restart(world: World) -> None:
    await world.runs()
    await world.ends()
    await world.passes()
    before = len(world.slack.calls)
    world.restart()
    await world.passes()
    assert world.reports.is_idle
    assert len(world.slack.calls) == before


async def test_after_an_outage_only_the_end_is_said(world: World) -> None:
    world.slack.breaks(lambda: broken(503))
    await world.ask()
    for stage in (Stage.BUILD, Stage.TEST, Stage.PUSH):
        await world.happens(*done(stage))
        await world.passes(60)
    await world.ends()
    await world.passes(600)
    world.slack.breaks(None)
    await world.passes(600)
    await world.passes()
    assert all("*Deployed*" in version for version in world.message().history)
    assert len(world.thread()) == 1
    assert world.reports.is_idle


async def test_outage_is_not_met_with_a_storm(world: World) -> None:
    world.slack.breaks(dropped)
    for number in range(10):
        await world.ask(f"d{number}")
    for _ in range(100):
        await world.passes(1)
    assert len(world.slack.calls) < 60


async def test_outage_of_days_is_given_up(world: World) -> None:
    await world.runs()
    world.slack.breaks(dropped)
    await world.ends()
    await world.passes()
    world.time.passes(Pace().give_up + 100)
    await world.passes()
    assert world.reports.is_idle


async def test_what_slack_refuses_does_not_stop_the_rest(world: World) -> None:
    world.slack.fail("files.getUploadURLExternal", refused("missing_scope", needed="files:write"))
    await world.runs()
    await world.happens(Log(Stage.BUILD, "edges", "broken"))
    await world.ends(Outcome.FAILED, BROKEN)
    await world.passes()
    (end,) = world.thread()
    assert end.broadcast
    assert world.reports.is_idle


@pytest.mark.parametrize("call", ["upload", "files.getUploadURLExternal"])
async def test_files_that_are_out_of_reach_hold_up_nothing_else(
    world: World, call: str, caplog: pytest.LogCaptureFixture
) -> None:
    world.slack.fail(call, dropped(), times=1000)
    await fails_with_a_log(world)
    (end,) = world.thread()
    assert end.broadcast
    await world.ask("d2")
    await world.ends(of="d2")
    await world.passes()
    assert len(world.slack.own_messages(world.ml)) == 4
    await world.passes(3600)
    assert 5 < world.slack.called(call) < 50
    assert len([each for each in caplog.records if each.levelname == "WARNING"]) == 1
    assert not world.reports.is_idle


async def test_a_log_that_files_did_not_take_is_shown_when_they_do(world: World) -> None:
    world.slack.fail("upload", dropped(), times=3)
    await fails_with_a_log(world)
    await world.passes(60)
    assert [len(each.files) for each in world.thread()] == [0, 1]
    assert world.reports.is_idle


@pytest.mark.parametrize("first", [dropped(), broken(503)])
async def test_a_log_that_was_begun_with_another_token_is_shown(world: World, first: Fault) -> None:
    world.slack.fail("files.completeUploadExternal", first)
    world.slack.fail("files.completeUploadExternal", refused("token_revoked"), times=3)
    await fails_with_a_log(world)
    for _ in range(3):
        await world.passes(60)
    assert [len(each.files) for each in world.thread()] == [0, 1]
    assert world.reports.is_idle


async def fails_with_a_log(world: World) -> None:
    await world.runs()
    await world.happens(
        Log(Stage.BUILD, "edges", "broken"), StageFinished(Stage.BUILD, Ended.FAILED, 1.0)
    )
    await world.ends(Outcome.FAILED, BROKEN)
    await world.passes()


@pytest.mark.parametrize("error", ["edit_window_closed", "cant_update_message"])
async def test_below_a_message_that_cannot_be_changed_the_end_is_told(
    world: World, error: str
) -> None:
    team = world.slack.channel("team")
    world.slack.fail("chat.update", refused(error), times=100)
    await world.ask(channels=[team.id])
    await world.happens(StageStarted(Stage.BUILD))
    await world.passes()
    await world.happens(*done(Stage.BUILD))
    await world.passes()
    assert world.thread() == world.thread(team) == []
    await world.ends()
    await world.passes(20)
    ends = [*world.thread(), *world.thread(team)]
    assert ["*Deployed*" in each.shown for each in ends] == [True, True]
    assert [notifies(each.shown) for each in ends] == [{world.ann.id}, set()]
    assert world.reports.is_idle


@pytest.mark.parametrize("error", ["token_revoked", "invalid_auth", "account_inactive"])
async def test_a_token_that_slack_does_not_take_is_an_outage(world: World, error: str) -> None:
    await world.runs()
    world.slack.breaks(lambda: refused(error))
    await world.ends()
    await world.passes(60)
    world.slack.breaks(None)
    await world.passes(300)
    assert "*Deployed*" in world.message().shown
    assert len(world.thread()) == 1


async def test_whoever_left_slack_is_mentioned_without_harm(world: World) -> None:
    await world.runs()
    world.ann.deleted = True
    await world.ends()
    await world.passes()
    assert "*Deployed*" in world.message().shown
    assert world.reports.is_idle


async def test_refused_before_the_end_is_tried_again_at_the_end(world: World) -> None:
    world.slack.fail("chat.postMessage", refused("restricted_action"))
    await world.ask()
    await world.passes()
    await world.ends()
    await world.passes()
    assert "*Deployed*" in world.message().shown


async def test_message_that_somebody_deleted_is_written_again(world: World) -> None:
    (await world.runs()).deleted = True
    await world.ends()
    await world.passes(10)
    assert "*Deployed*" in world.message().shown


async def test_message_that_is_deleted_again_and_again_is_left_alone(world: World) -> None:
    await world.runs()
    for number in range(10):
        for message in world.slack.own_messages(world.ml):
            message.deleted = True
        await world.happens(StageFinished(Stage.BUILD, Ended.SUCCEEDED, float(number)))
        await world.passes(10)
    assert world.slack.called("chat.postMessage") == 4


async def test_origin_that_cannot_be_read_does_not_silence_the_others(world: World) -> None:
    await world.ask("d0")
    await world.deployments.save("d0", ORIGIN, {"channels": 7})
    assert (await world.runs()).shown


async def test_deployment_that_cannot_be_shown_does_not_silence_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Follower._render

    def fails(follower: Follower) -> None:
        if follower.identity == "d0":
            raise ZeroDivisionError
        real(follower)

    monkeypatch.setattr(Follower, "_render", fails)
    await world.ask("d0")
    assert (await world.runs()).shown


async def test_database_that_takes_nothing_does_not_end_the_reports(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ask(asked=False, channels=["#gone"])
    with monkeypatch.context() as patch:
        patch.setattr(Deployments, "save", _fails)
        await world.passes()
    await world.ends()
    await world.passes(100)
    assert world.reports.is_idle


async def test_blocks_that_slack_does_not_take_are_shown_as_text(world: World) -> None:
    world.slack.fail("chat.postMessage", refused("msg_blocks_too_long"))
    await world.ask()
    await world.passes()
    assert world.message().shown.startswith("acme/vision: ⏳ Deployment of")


@pytest.mark.parametrize("error", ["msg_too_long", "invalid_blocks"])
async def test_an_end_that_slack_finds_too_much_is_told_as_text(world: World, error: str) -> None:
    await world.runs()
    world.slack.fail("chat.postMessage", refused(error))
    await world.ends()
    await world.passes()
    (end,) = world.thread()
    assert (end.blocks, "Deployed" in end.shown) == ([], True)


async def test_database_that_fails_is_asked_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ask()
    with monkeypatch.context() as patch:
        patch.setattr(ProgressLog, "read", _fails)
        await world.passes()
    assert world.slack.calls == []
    await world.passes(60)
    assert world.message().shown


async def _fails(*_: object) -> None:
    raise sqlite3.OperationalError
