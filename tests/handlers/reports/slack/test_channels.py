"""Where it is told: every channel that hears of it, and whoever asked where the bot may not speak."""

import pytest

from bot.domain.deployment import Outcome, Stage
from bot.domain.progress import StageStarted
from tests.handlers.reports.slack.world import BROKEN, World
from tests.standins.slack.faults import limited
from tests.standins.slack.world import notifies


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


async def test_where_the_bot_is_not_who_asked_is_told_in_private(world: World) -> None:
    world.ml.members.discard(world.slack.app.bot_user)
    await world.ask()
    await world.ends()
    await world.passes()
    assert world.slack.own_messages(world.ml) == []
    assert "*Deployed*" in world.message(world.slack.direct(world.ann)).shown


async def test_limit_in_one_channel_does_not_hold_up_another(world: World) -> None:
    releases = world.slack.channel("releases")
    world.slack.fail("chat.postMessage", limited(3600), channel=world.ml.id)
    await world.ask(channels=["#releases"])
    await world.passes()
    assert world.slack.own_messages(world.ml) == []
    assert world.message(releases).shown


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
