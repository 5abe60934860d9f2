"""The messages follow a deployment, whatever Slack and the bot's process do."""

import asyncio
import sqlite3
from dataclasses import replace

import pytest

from bot.domain.deployment import Outcome, Stage
from bot.domain.progress import Ended, Log, StageFinished, StageStarted
from bot.services.slack import Slack
from bot.store.deployments import Deployments
from bot.store.progress import ProgressLog
from handlers.reports.slack.buttons import CLICKS, Button, Click
from handlers.reports.slack.follower import Follower
from handlers.reports.slack.origin import ORIGIN
from handlers.reports.slack.reporter import Pace, SlackReports
from tests.handlers.reports.slack.world import BROKEN, SECRET, World, done
from tests.standins.slack.faults import Fault, broken, dropped, limited, lost_answer, refused
from tests.standins.slack.world import notifies


class CrashError(BaseException):
    """The bot's process ends here."""


async def test_one_message_follows_it_and_says_how_it_went(world: World) -> None:
    message = await world.runs()
    assert "🔄 *Deploying*" in message.shown
    await world.happens(StageFinished(Stage.BUILD, Ended.SUCCEEDED, 38.0), *done(Stage.TEST))
    await world.passes()
    assert "✅ build · 38s" in message.shown
    await world.ends()
    await world.passes()
    assert world.message() is message
    assert message.shown.startswith("✅ *Deployed*")
    assert not message.edited
    assert world.reports.is_idle


async def test_deployment_that_waits_says_so(world: World) -> None:
    await world.ask()
    await world.passes()
    assert "waits for its turn" in world.message().shown
    assert world.slack.buttons(world.message()) == ["cancel"]


async def test_end_mentions_who_asked_in_the_thread(world: World) -> None:
    await world.runs()
    await world.ends()
    await world.passes()
    (end,) = world.thread()
    assert notifies(end.shown) == {world.ann.id}
    assert "*Deployed*" in end.shown
    assert not end.broadcast


async def test_failure_is_shown_in_the_channel_with_its_log_in_the_thread(world: World) -> None:
    await world.runs()
    lines = [Log(Stage.BUILD, "edges", f"line {number} {SECRET}") for number in range(30)]
    await world.happens(*lines, StageFinished(Stage.BUILD, Ended.FAILED, 40.0))
    await world.ends(Outcome.FAILED, BROKEN)
    await world.passes()
    end, log = world.thread()
    (file,) = log.files
    text = (file.content or b"").decode()
    assert file.name == "build.log"
    assert text.splitlines()[0] == "edges | line 0 ***"
    assert len(text.splitlines()) == 30
    assert end.broadcast
    assert "&lt;exit code&gt;" in end.shown
    assert world.slack.buttons(world.message()) == ["retry", "view_log"]


async def test_channels_of_the_environment_are_told_too(world: World) -> None:
    releases = world.slack.channel("releases")
    await world.ask(channels=["#releases", "#ml"])
    await world.happens(StageStarted(Stage.BUILD))
    await world.passes()
    await world.ends()
    await world.passes()
    assert "*Deployed*" in world.message(releases).shown
    assert world.thread(releases) == []
    assert len(world.thread()) == 1


async def test_failure_is_told_in_every_channel_and_mentions_once(world: World) -> None:
    releases = world.slack.channel("releases", world.ann)
    await world.ask(channels=["#releases"])
    await world.ends(Outcome.FAILED, BROKEN)
    await world.passes()
    mentioned = [notifies(world.thread(channel)[-1].shown) for channel in (world.ml, releases)]
    assert mentioned == [{world.ann.id}, set()]


async def test_deployment_of_a_push_is_told_in_the_channels_alone(world: World) -> None:
    await world.ask(asked=False, channels=["#ml"])
    await world.ends()
    await world.passes()
    assert "by pushing" in world.message().shown
    assert [notifies(each.shown) for each in world.thread()] == [set()]


async def test_asked_in_a_thread_is_answered_there(world: World) -> None:
    question = await world.slack.writes(world.ann, "shall we?", world.ml)
    await world.ask(thread=question.ts)
    await world.ends()
    await world.passes()
    assert [each.thread for each in world.slack.own_messages(world.ml)] == [question.ts] * 2


async def test_where_the_bot_is_not_who_asked_is_told_in_private(world: World) -> None:
    world.ml.members.discard(world.slack.app.bot_user)
    await world.ask()
    await world.ends()
    await world.passes()
    assert world.slack.own_messages(world.ml) == []
    assert "*Deployed*" in world.message(world.slack.direct(world.ann)).shown


async def test_nothing_new_makes_no_calls(world: World) -> None:
    await world.runs()
    before = len(world.slack.calls)
    await world.passes(60)
    assert len(world.slack.calls) == before


async def test_edits_are_two_seconds_apart(world: World) -> None:
    message = await world.runs()
    for number in range(20):
        await world.happens(StageFinished(Stage.BUILD, Ended.SUCCEEDED, float(number)))
        world.time.passes(0.5)
        await world.reports.look()
    gaps = [b - a for a, b in zip(message.changed_at, message.changed_at[1:], strict=False)]
    assert gaps
    assert min(gaps) >= 2


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


async def test_limit_in_one_channel_does_not_hold_up_another(world: World) -> None:
    releases = world.slack.channel("releases")
    world.slack.fail("chat.postMessage", limited(3600), channel=world.ml.id)
    await world.ask(channels=["#releases"])
    await world.passes()
    assert world.slack.own_messages(world.ml) == []
    assert world.message(releases).shown


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


async def test_channel_that_is_gone_is_given_up(world: World) -> None:
    await world.ask(asked=False, channels=["#gone"])
    await world.ends()
    await world.passes()
    assert world.reports.is_idle


async def test_of_a_channel_without_the_bot_the_log_warns_once_with_what_to_do(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    releases = world.slack.channel("releases", with_bot=False)

    async def told(identity: str) -> list[str]:
        caplog.clear()
        await world.ask(identity, asked=False, channels=["#releases"])
        await world.ends(of=identity)
        await world.passes()
        return [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]

    (warning,) = [*await told("d1"), *await told("d2")]
    assert "#releases" in warning
    assert "/invite" in warning
    releases.members.add(world.slack.app.bot_user)
    assert await told("d3") == []
    releases.members.discard(world.slack.app.bot_user)
    assert len(await told("d4")) == 1


async def test_who_asked_hears_the_end_where_the_bot_was_taken_out_of_the_channel(
    world: World,
) -> None:
    await world.runs()
    world.ml.members.discard(world.slack.app.bot_user)
    await world.ends(Outcome.FAILED, BROKEN)
    await world.passes(30)
    (end,) = world.slack.own_messages(world.slack.direct(world.ann))
    assert "failed" in end.shown
    assert world.reports.is_idle


async def test_an_archived_channel_stops_no_other(world: World) -> None:
    team = world.slack.channel("team")
    await world.ask(channels=[team.id])
    await world.happens(StageStarted(Stage.BUILD))
    await world.passes()
    world.ml.archived = True
    await world.ends()
    await world.passes(30)
    assert "*Deployed*" in world.message(team).shown
    assert world.reports.is_idle


async def test_asked_in_a_channel_that_is_archived_is_told_in_private(world: World) -> None:
    world.ml.archived = True
    await world.ask()
    await world.ends()
    await world.passes()
    assert "*Deployed*" in world.message(world.slack.direct(world.ann)).shown


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


async def test_a_private_channel_without_the_bot_is_told_of_to_who_asked_alone(
    world: World,
) -> None:
    secret = world.slack.channel("secret", private=True, with_bot=False)
    await world.ask(channels=[secret.id])
    await world.ends()
    await world.passes(30)
    assert world.slack.own_messages(secret) == []
    assert "*Deployed*" in world.message().shown
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


async def test_used_button_is_replaced_by_who_and_when(world: World) -> None:
    message = await world.runs()
    click = Click(Button.CANCEL, world.ann.id, world.time.now())
    await world.deployments.save("d1", CLICKS, [click.to_json()])
    await world.reports.look_again("d1")
    await world.passes()
    assert f"Cancelled by <@{world.ann.id}> at <!date^" in message.shown
    assert world.slack.buttons(message) == ["view_log"]


async def test_button_that_is_used_after_the_end_is_replaced_too(world: World) -> None:
    message = await world.runs()
    await world.ends()
    await world.passes()
    click = Click(Button.ROLL_BACK, world.ann.id, world.time.now())
    await world.deployments.save("d1", CLICKS, [click.to_json()])
    await world.reports.look_again("d1")
    await world.passes()
    assert world.slack.buttons(message) == ["view_log"]
    assert len(world.thread()) == 1
    assert world.reports.is_idle


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


async def test_runs_until_it_is_cancelled(world: World) -> None:
    reports: SlackReports = world.reports
    reports._pace = replace(Pace(), look=0.0, edit=0.0)
    running = asyncio.create_task(reports.run())
    await world.ask()
    await world.ends()
    await world.slack.expect_message(world.ml, "*Deployed*")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
