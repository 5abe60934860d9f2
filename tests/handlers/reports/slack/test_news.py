"""What channels hear that have subscribed: deployments, failures, releases."""

import pytest
import sqlalchemy as sa

from bot.domain.changes import Change, Changes
from bot.domain.deployment import Outcome, Stage, UpdatedPipeline
from bot.domain.progress import PipelineSeen, StageStarted
from bot.store.tables import FACT
from handlers.reports.release import RELEASE, Release
from handlers.reports.slack.origin import Heard
from tests.handlers.reports.slack.test_release_notes import GENERATED
from tests.handlers.reports.slack.world import BROKEN, SHA, World
from tests.standins.slack.faults import broken, lost_answer, refused
from tests.standins.slack.state import Channel, Message

OLD = "0123456789abcdef0123456789abcdef01234567"
V2 = Release("v2", "Sharper edges", GENERATED, "https://github.com/acme/vision/releases/tag/v2")
CHANGES = Changes(
    OLD,
    3,
    ("Ann", "Bob <!channel>"),
    (
        Change("a" * 40, "Ann", "Sharper edges", 12),
        Change("b" * 40, "Bob <!channel>", "A commit by itself"),
    ),
    name="v1",
)


def everything(world: World, channel: Channel) -> list[Message]:
    return world.slack.own_messages(channel)


@pytest.fixture
def news(world: World) -> Channel:
    return world.slack.channel("news")


async def test_who_subscribed_to_deployments_sees_them(world: World, news: Channel) -> None:
    await world.ask(heard=[Heard(news.id, ("deployments",))])
    await world.passes()
    assert "waits for its turn" in world.message(news).shown
    await world.ends(Outcome.FAILED, BROKEN)
    await world.passes()
    (end,) = world.thread(news)
    assert end.broadcast


async def test_who_subscribed_to_failures_sees_one_message_and_only_then(
    world: World, news: Channel
) -> None:
    await world.ask(heard=[Heard(news.id, ("failures",))])
    await world.happens(StageStarted(Stage.BUILD))
    await world.passes()
    assert everything(world, news) == []
    await world.ends(Outcome.FAILED, BROKEN)
    await world.passes()
    (message,) = everything(world, news)
    assert "❌" in message.shown
    assert "pip ended with" in message.shown
    assert world.reports.is_idle


async def test_who_subscribed_to_failures_hears_nothing_of_what_went_well(
    world: World, news: Channel
) -> None:
    await world.ask(heard=[Heard(news.id, ("failures",))])
    await world.ends()
    await world.passes()
    assert everything(world, news) == []
    assert world.reports.is_idle


async def test_channel_that_the_rules_name_and_that_subscribed_is_told_once(
    world: World, news: Channel
) -> None:
    heard = [Heard(news.id, ("deployments", "releases"))]
    world.changes = CHANGES
    await world.ask(asked=False, channels=["#news"], heard=heard, release=V2)
    await world.passes()
    assert "waits for its turn" in world.message(news).shown
    await world.ends()
    await world.passes()
    (announcement,) = world.thread(news)
    assert announcement.broadcast
    assert "runs in" in announcement.shown
    assert world.reports.is_idle


async def test_where_the_bot_is_not_in_the_named_channel_the_subscribed_one_is_told(
    world: World, news: Channel
) -> None:
    heard = [Heard(news.id, ("deployments",))]
    await world.ask(asked=False, channels=["#gone"], heard=heard)
    await world.passes()
    assert "waits for its turn" in world.message(news).shown


async def test_release_is_announced_with_all_that_it_brings(world: World, news: Channel) -> None:
    world.changes = CHANGES
    await world.ask(asked=False, heard=[Heard(news.id, ("releases",))], release=V2)
    await world.happens(
        StageStarted(Stage.VERIFY),
        PipelineSeen("vision", "edges", 4, "RUNNING", "2 jobs succeeded"),
    )
    await world.passes()
    assert everything(world, news) == []
    pipelines = [UpdatedPipeline("vision", "edges", 3, 4)]
    await world.deployments.finish("d1", Outcome.SUCCEEDED, pipelines=pipelines)
    await world.passes()
    (message,) = everything(world, news)
    assert message.shown.splitlines()[0] == (f"🎉 *acme/vision <{V2.url}|v2>* runs in *staging*")
    for part in (
        "*Sharper edges*",
        "*What's Changed*",
        f"*What changed* since `v1`: <https://github.com/acme/vision/compare/{OLD}...{SHA}|3 commits>",
        "by Ann, Bob &lt;!channel&gt;",
        "• Sharper edges <https://github.com/acme/vision/pull/12|#12> · Ann",
        "• A commit by itself <https://github.com/acme/vision/commit/",
        "`vision/edges` 3 → 4 · running · 2 jobs succeeded",
    ):
        assert part in message.shown
    assert world.reports.is_idle


async def test_release_that_failed_is_told_of_with_its_reason(world: World, news: Channel) -> None:
    world.changes = CHANGES
    await world.ask(asked=False, heard=[Heard(news.id, ("releases",))], release=V2)
    await world.ends(Outcome.FAILED, BROKEN)
    await world.passes()
    (message,) = everything(world, news)
    assert "does not run in *staging*" in message.shown
    assert "pip ended with" in message.shown
    assert "What's Changed" not in message.shown


@pytest.mark.parametrize("outcome", [Outcome.CANCELLED, Outcome.REFUSED])
async def test_release_that_nobody_brought_is_no_news(
    world: World, news: Channel, outcome: Outcome
) -> None:
    await world.ask(asked=False, heard=[Heard(news.id, ("releases",))], release=V2)
    await world.ends(outcome, BROKEN)
    await world.passes()
    assert everything(world, news) == []
    assert world.reports.is_idle


async def test_where_nobody_subscribed_the_rules_channels_hear_of_a_release(
    world: World, news: Channel
) -> None:
    await world.ask(asked=False, channels=["#news"], release=V2)
    await world.ends()
    await world.passes()
    assert [each.shown.splitlines()[0][:1] for each in world.thread(news)] == ["🎉"]


async def test_news_whose_answer_was_lost_are_told_once(world: World, news: Channel) -> None:
    await world.ask(asked=False, heard=[Heard(news.id, ("releases",))], release=V2)
    world.slack.fail("chat.postMessage", lost_answer())
    await world.ends()
    await world.passes()
    world.restart()
    await world.passes()
    assert len(everything(world, news)) == 1
    assert world.slack.called("chat.postMessage") == 2


async def test_news_survive_an_outage_and_a_restart(world: World, news: Channel) -> None:
    await world.ask(asked=False, heard=[Heard(news.id, ("releases",))], release=V2)
    world.slack.breaks(broken)
    await world.ends()
    await world.passes()
    assert everything(world, news) == []
    world.slack.breaks(None)
    world.restart()
    await world.passes()
    world.restart()
    await world.passes()
    assert len(everything(world, news)) == 1


async def test_news_that_slack_finds_too_much_are_told_in_a_line(
    world: World, news: Channel
) -> None:
    await world.ask(asked=False, heard=[Heard(news.id, ("releases",))], release=V2)
    world.slack.fail("chat.postMessage", refused("invalid_blocks"))
    await world.ends()
    await world.passes()
    (message,) = everything(world, news)
    assert message.shown == "🎉 acme/vision v2 runs in staging"


async def test_a_repeat_of_a_releases_deployment_has_its_notes(world: World, news: Channel) -> None:
    await world.ask("d1", asked=False, release=V2)
    await world.ends(Outcome.FAILED, BROKEN)
    await world.ask("d2", asked=False, heard=[Heard(news.id, ("releases",))], release=V2)
    forget = sa.delete(FACT).where(FACT.c.deployment == "d2", FACT.c.key == RELEASE)
    await world.database.write(lambda connection: connection.execute(forget))
    await world.ends(of="d2")
    await world.passes()
    (message,) = everything(world, news)
    assert "What's Changed" in message.shown
