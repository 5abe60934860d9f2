"""What a terminal deploys on its own database, as Slack hears of it."""

from collections.abc import AsyncIterator

import pytest

from bot.domain.deployment import Outcome, Stage
from bot.domain.progress import Warned
from bot.domain.reasons import Code
from handlers.reports import words
from tests.e2e.test_faults import begins
from tests.e2e.test_main_job import simple
from tests.e2e.world import World
from tests.real.git_server import Repository
from tests.standins.slack.blocks import elements_of
from tests.standins.slack.faults import broken
from tests.standins.slack.server import SlackServer
from tests.standins.slack.state import Message

pytestmark = pytest.mark.real
NOTIFY = "\nenvironments:\n  default:\n    notify: ['#ml']\n    verify: {window: 0s}\n"


@pytest.fixture
async def slack(world: World) -> AsyncIterator[SlackServer]:
    async with SlackServer() as slack:
        slack.channel("ml")
        world.environ |= {
            "PACHOPS_SLACK_BOT_TOKEN": slack.app.bot_token,
            "PACHOPS_SLACK_APP_TOKEN": slack.app.app_token,
            "PACHOPS_SLACK_BASE_URL": slack.api_url,
        }
        yield slack


def first_words(slack: SlackServer) -> list[Message]:
    """The messages that are in no thread."""
    return [each for each in slack.world.messages if each.thread is None]


async def test_one_message_in_the_environments_channel_says_how_it_went(
    world: World, slack: SlackServer
) -> None:
    world.commit(simple(world) | {".pachops.yml": NOTIFY})
    assert (await world.deploy()).finished.outcome is Outcome.SUCCEEDED
    (message,) = first_words(slack)
    assert message.channel.name == "ml"
    assert message.shown.startswith("✅ *Deployed*")
    # Nobody would hear a click.
    assert list(elements_of(message.blocks)) == []


async def test_a_rollback_is_told_of_too(world: World, slack: SlackServer) -> None:
    for text in ("echo one", "echo two"):
        world.commit(simple(world) | {".pachops.yml": NOTIFY, "run.sh": text})
        await world.deploy()
    assert (await world.roll_back()).finished.outcome is Outcome.SUCCEEDED
    assert len(first_words(slack)) == 3
    assert "rolled back" in first_words(slack)[-1].shown.lower()


async def test_a_failure_is_shown_in_the_channel(world: World, slack: SlackServer) -> None:
    failing = f"images: {{edges: {{repository: '{world.image()}', test: ['false']}}}}"
    world.commit(simple(world) | {".pachops.yml": failing + NOTIFY})
    assert (await world.deploy()).code == Code.TEST_FAILED.value
    assert [each.broadcast for each in slack.world.messages if each.thread and each.broadcast]


async def test_what_a_command_finishes_for_one_that_was_killed_is_told_of(
    world: World, slack: SlackServer
) -> None:
    slow = NOTIFY.replace("window: 0s", "window: 8s")
    world.commit(simple(world) | {".pachops.yml": slow})
    await world.interrupted_at(begins(Stage.VERIFY))
    # Of another target, so that it does not wait for the first.
    other = world.folder / "other"
    world.repository, world.address = Repository(other), str(other)
    spec = world.spec("montage")
    world.commit(simple(world) | {".pachops.yml": NOTIFY, "pipeline.json": spec})
    assert (await world.deploy()).finished.outcome is Outcome.SUCCEEDED
    ends = [each.shown.startswith("✅ *Deployed*") for each in first_words(slack)]
    assert ends == [True, True]


async def test_where_slack_is_away_the_deployment_goes_on_and_the_next_command_tells_its_end(
    world: World, slack: SlackServer
) -> None:
    sha = world.commit(simple(world) | {".pachops.yml": NOTIFY})
    slack.breaks(lambda: broken(503))
    first = await world.deploy()
    assert first.finished.outcome is Outcome.SUCCEEDED
    assert words.SLACK_IS_AWAY in [each.text for each in first.screen.of(Warned)]
    assert first_words(slack) == []
    slack.breaks(None)
    world.commit(simple(world) | {".pachops.yml": NOTIFY, "run.sh": "echo two"})
    assert (await world.deploy()).finished.outcome is Outcome.SUCCEEDED
    (late,) = [each for each in first_words(slack) if sha[:7] in each.shown]
    # Whether the first try was taken is not known, so it may be edited to the same.
    assert all("*Deployed*" in each for each in late.history)
    assert len(first_words(slack)) == 2
