"""The messages follow a deployment from its asking to its end."""

import asyncio
from dataclasses import replace

import pytest

from bot.domain.deployment import Outcome, Stage
from bot.domain.progress import Ended, Log, StageFinished
from handlers.reports.slack.buttons import CLICKS, Button, Click
from handlers.reports.slack.reporter import Pace, SlackReports
from tests.handlers.reports.slack.world import BROKEN, SECRET, World, done
from tests.standins.slack.world import notifies


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


async def test_asked_in_a_thread_is_answered_there(world: World) -> None:
    question = await world.slack.writes(world.ann, "shall we?", world.ml)
    await world.ask(thread=question.ts)
    await world.ends()
    await world.passes()
    assert [each.thread for each in world.slack.own_messages(world.ml)] == [question.ts] * 2


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
