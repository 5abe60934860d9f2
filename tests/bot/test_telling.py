"""Slack, as a command tells it what happens on its own database."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.app import Bot, open_bot
from bot.domain.changes import Change, Changes
from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Outcome,
    Request,
    Stage,
    Trigger,
    new_deployment_id,
)
from bot.domain.progress import ApprovalNeeded, Ended, Log, StageFinished, StageStarted, Voted
from bot.domain.reasons import Code, StoppedError
from bot.redact import Redactor
from bot.services.git import Git
from bot.services.slack import Slack
from bot.settings import load_settings
from bot.store.deployments import insert
from bot.store.identities import Identities, Proof, SlackUser
from bot.telling import slack_told
from handlers.reports.release import RELEASE, Release
from handlers.reports.slack.follower import Lookups
from handlers.reports.slack.message import Approvers
from handlers.reports.slack.origin import ORIGIN, Origin
from handlers.reports.slack.reporter import SlackReports
from tests.standins.slack.faults import broken, dropped, held
from tests.standins.slack.server import SlackServer
from tests.standins.slack.state import Channel, Message
from tests.standins.slack.world import notifies

SHA = "3f9c2a1b7d4e5f60718293a4b5c6d7e8f9012345"


class World:
    def __init__(self, bot: Bot, slack: SlackServer) -> None:
        self.bot = bot
        self.slack = slack
        self.ann = slack.person("ann")
        self.ml: Channel = slack.channel("ml", self.ann)
        self.unheard = 0

    async def has(
        self,
        trigger: Trigger = Trigger.CLI,
        outcome: Outcome | None = None,
        *,
        release: str | None = None,
    ) -> Deployment:
        """A deployment that Slack is to hear of."""
        place = "https://github.com/acme/edges.git"
        surface = "cli" if trigger is Trigger.CLI else "github"
        actor, commit = Actor("ada", surface), Commit(SHA, "main")
        request = Request(Kind.DEPLOY, place, "staging", commit, trigger, actor, release=release)
        made = Deployment(new_deployment_id(), request, created_at=time.time())
        facts = {ORIGIN: Origin(channels=("#ml",)).to_json()}
        await self.bot.database.write(lambda connection: insert(connection, made, facts))
        if outcome is not None:
            await self.bot.deployments.finish(made.id, outcome)
        return made

    async def fails_with_a_log(self) -> Deployment:
        """A build."""
        made = await self.has()
        reason = StoppedError(Code.BUILD_FAILED, "it ended with 1").reason
        await self.bot.progress.append(
            made.id,
            [
                (time.time(), StageStarted(Stage.BUILD)),
                (time.time(), Log(Stage.BUILD, "edges", "boom")),
                (time.time(), StageFinished(Stage.BUILD, Ended.FAILED, 1.0)),
            ],
        )
        await self.bot.deployments.finish(made.id, Outcome.FAILED, reason)
        return made

    async def command(self) -> None:
        """A command that comes and goes."""
        async with slack_told(self.bot, self._miss):
            pass

    def _miss(self) -> None:
        self.unheard += 1

    def first_words(self) -> list[Message]:
        return [each for each in self.slack.own_messages(self.ml) if not each.thread]

    def answers(self) -> list[Message]:
        return [each for each in self.slack.own_messages(self.ml) if each.thread]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with SlackServer() as slack:
        environ = {
            "HOME": str(tmp_path),
            "PACHOPS_DATA_DIR": str(tmp_path / "data"),
            "PACHOPS_SLACK_BOT_TOKEN": slack.app.bot_token,
            "PACHOPS_SLACK_APP_TOKEN": slack.app.app_token,
            "PACHOPS_SLACK_BASE_URL": slack.api_url.rstrip("/"),
            "PACHOPS_WEB_PUBLIC_URL": "https://pachops.example",
        }
        async with open_bot(load_settings(environ)) as bot:
            yield World(bot, slack)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.telling.LAST_WORDS_SECONDS", 0.2)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that is waited for until it has nothing to wait for."""
    for each in ("LAST_WORDS_SECONDS", "LONGEST_WORDS_SECONDS"):
        monkeypatch.setattr(f"bot.telling.{each}", 1000.0)


async def test_what_ended_before_and_was_not_told_is_told(world: World) -> None:
    await world.has(outcome=Outcome.SUCCEEDED)
    await world.command()
    (message,) = world.first_words()
    assert message.shown.startswith("✅ *Deployed*")
    assert world.unheard == 0


@pytest.mark.usefixtures("impatient")
async def test_where_slack_is_away_the_command_says_so(world: World) -> None:
    await world.has(outcome=Outcome.SUCCEEDED)
    world.slack.breaks(lambda: broken(503))
    await world.command()
    assert world.unheard == 1


@pytest.mark.usefixtures("impatient")
async def test_what_has_not_ended_is_not_waited_for(world: World) -> None:
    await world.has()
    world.slack.breaks(lambda: broken(503))
    await world.command()
    assert world.unheard == 0


async def test_slack_that_takes_one_thing_after_another_is_not_away(world: World) -> None:
    for _ in range(3):
        await world.has(outcome=Outcome.SUCCEEDED)
    await world.command()
    assert (len(world.first_words()), len(world.answers())) == (3, 3)
    assert world.unheard == 0


async def test_a_command_stays_only_so_long_however_much_there_is_to_tell(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.telling.LONGEST_WORDS_SECONDS", 1.0)
    for _ in range(5):
        await world.has(outcome=Outcome.SUCCEEDED)
    await world.command()
    assert len(world.first_words()) < 5
    assert world.unheard == 0


@pytest.mark.usefixtures("patient")
async def test_a_log_for_which_files_are_away_is_waited_for_once(world: World) -> None:
    await world.fails_with_a_log()
    world.slack.fail("upload", dropped())
    await world.command()
    await world.has(outcome=Outcome.SUCCEEDED)
    world.slack.fail("upload", held(asyncio.Event()))
    await world.command()
    assert world.first_words()[-1].shown.startswith("✅ *Deployed*")
    assert world.unheard == 0


async def test_where_files_give_no_answer_how_it_ended_was_told(world: World) -> None:
    await world.fails_with_a_log()
    world.slack.fail("upload", held(asyncio.Event()))
    await world.command()
    (end,) = world.answers()
    assert "failed" in end.shown.lower()
    assert world.unheard == 0


@pytest.mark.usefixtures("patient")
async def test_a_log_is_waited_for(world: World) -> None:
    await world.fails_with_a_log()
    await world.command()
    (_, log) = world.answers()
    assert log.files


async def test_what_another_version_noted_is_complained_of_once_and_not_waited_for(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    made = await world.has(outcome=Outcome.SUCCEEDED)
    await world.bot.deployments.save(made.id, ORIGIN, {"channels": 7})
    await world.has(outcome=Outcome.SUCCEEDED)
    await world.command()
    assert world.unheard == 0
    assert len([each for each in caplog.records if "cannot be read" in each.message]) == 1


async def test_who_may_approve_what_serve_was_asked_for_is_called_by_serve(world: World) -> None:
    made = await world.has(Trigger.COMMENT)
    needed = ApprovalNeeded(
        made.id, SHA, "d" * 64, "ada", 1, time.time() + 60, (), reprocesses=False, running_jobs=0
    )
    events = [(time.time(), each) for each in (StageStarted(Stage.APPROVE), needed)]
    await world.bot.progress.append(made.id, events)
    async with slack_told(world.bot, lambda: None):
        message = await world.slack.expect_message(world.ml, "waits for approval")
        # It is heard as soon as `serve` is there again.
        assert world.slack.buttons(message) == ["approve", "reject", "cancel"]
        await world.bot.progress.append(
            made.id, [(time.time(), Voted("bob", "github", approves=True))]
        )
        await world.slack.expect_message(world.ml, "Approved by *bob*")
    assert world.answers() == []

    async def ann(_deployment: Deployment) -> Approvers:
        return Approvers((world.ann.id,))

    client = Slack(SecretStr(world.slack.app.bot_token), base_url=world.slack.api_url)
    serve = SlackReports(
        world.bot.database, Redactor([]), client, lookups=Lookups(find_approvers=ann)
    )
    for _ in range(3):
        await serve.look()
    await client.close()
    (asked,) = world.answers()
    assert notifies(asked.shown) == {world.ann.id}


async def test_the_end_of_what_serve_was_asked_for_is_told_as_serve_would(world: World) -> None:
    user = SlackUser(world.slack.app.team, world.ann.id)
    await Identities(world.bot.database).link(user, "ada", Proof.CODE)
    made = await world.has(Trigger.COMMENT, Outcome.FAILED)
    await world.command()
    (message,) = world.first_words()
    assert world.slack.buttons(message) == ["retry", "view_log"]
    assert f"https://pachops.example/deployments/{made.id}" in message.shown
    (end,) = world.answers()
    assert notifies(end.shown) == {world.ann.id}


async def test_news_of_a_release_say_what_it_brings(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    brings = Changes("0" * 40, 1, ("Ann",), (Change("a" * 40, "Ann", "Sharper edges"),), name="v1")

    async def changes(*_: object) -> Changes:
        return brings

    monkeypatch.setattr(Git, "changes", changes)
    await world.has(Trigger.RELEASE, Outcome.SUCCEEDED, release="v1")
    made = await world.has(Trigger.RELEASE, Outcome.SUCCEEDED, release="v2")
    await world.bot.deployments.save(made.id, RELEASE, Release("v2", notes="All new").to_json())
    await world.command()
    (news,) = [each.shown for each in world.answers() if "All new" in each.shown]
    assert "Sharper edges" in news


async def test_where_the_pages_are_set_wrong_slack_is_told_without_them(world: World) -> None:
    github = world.bot.settings.github.model_copy(update={"client_id": "Iv1.1"})
    world.bot.settings = world.bot.settings.model_copy(update={"github": github})
    await world.has(outcome=Outcome.SUCCEEDED)
    await world.command()
    assert len(world.first_words()) == 1


async def test_below_what_a_terminal_asked_for_there_is_nothing_to_click(world: World) -> None:
    await world.has(outcome=Outcome.FAILED)
    await world.command()
    (message,) = world.first_words()
    assert world.slack.buttons(message) == []
