"""Slack in a whole `pachops serve`: between Slack's and GitHub's stand-ins."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.domain.deployment import Actor
from bot.domain.slack import PATH
from bot.serve import Server
from bot.services.slack import Slack
from bot.settings import load_settings
from bot.store.database import Database
from bot.store.deployments import Deployments
from bot.store.identities import Identities, Proof, SlackUser
from handlers.slack.directory import Directory
from tests.bot.test_serve import EDGES, PATIENCE, serving, variables
from tests.migrated import migrated
from tests.standins.github.server import GitHubServer
from tests.standins.slack.faults import dropped
from tests.standins.slack.server import SlackServer
from tests.standins.slack.state import Channel, User

RULES = "environments:\n  staging: {}\n"


@dataclass
class World:
    github: GitHubServer
    slack: SlackServer
    folder: Path
    ann: User
    ml: Channel

    def variables(self, **more: str) -> dict[str, str]:
        app = self.slack.app
        return variables(
            self.folder,
            self.github,
            PACHOPS_SLACK_BOT_TOKEN=app.bot_token,
            PACHOPS_SLACK_APP_TOKEN=app.app_token,
            PACHOPS_SLACK_BASE_URL=self.slack.api_url,
        ) | {key: value for key, value in more.items() if value}

    @asynccontextmanager
    async def serving(self, **more: str) -> AsyncIterator[Server]:
        async with serving(self.variables(**more), self.github) as server:
            yield server

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        database = await Database.open(load_settings(self.variables()).database_url)
        yield database
        await database.close()

    async def links(self) -> None:
        async with self.database() as database:
            slack = SlackUser(self.slack.app.team, self.ann.id)
            await Identities(database).link(slack, "ada", Proof.CODE)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(migrated(tmp_path / "identities.db"))
    yield database
    await database.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with GitHubServer(tmp_path) as github, SlackServer() as slack:
        github.repository(EDGES, {".pachops.yml": RULES})
        ann = slack.person("ann", "ann@acme.io")
        yield World(github, slack, tmp_path, ann, slack.channel("ml", ann))


async def test_a_command_over_the_socket_becomes_a_deployment_that_is_told_of(
    world: World,
) -> None:
    await world.links()
    async with world.serving():
        await world.slack.expect_connection()
        await world.slack.types(world.ann, f"/pachops deploy staging --repo {EDGES}", world.ml)
        await world.slack.expect_message(world.ml, "*staging*", patience=PATIENCE)


async def test_signed_requests_arrive_at_the_same_server(world: World) -> None:
    await world.links()
    mode = {
        "PACHOPS_SLACK_MODE": "http",
        "PACHOPS_SLACK_SIGNING_SECRETS": world.slack.app.signing_secret,
    }
    async with world.serving(**mode) as server:
        world.slack.send_requests_to(f"{server.addresses[0]}{PATH}")
        ack = await world.slack.types(world.ann, "/pachops help", world.ml)
        assert ack.is_ok
        await world.slack.expect_ephemeral(world.ann, "deploy")
        world.slack.app.signing_secret = "0" * 32
        ack = await world.slack.types(world.ann, "/pachops help", world.ml)
        assert ack.status == 401


async def test_with_sockets_nobody_can_send_requests(world: World) -> None:
    async with world.serving() as server:
        world.slack.send_requests_to(f"{server.addresses[0]}{PATH}")
        ack = await world.slack.types(world.ann, "/pachops help", world.ml)
        assert ack.status == 404


async def test_a_bad_app_token_is_said_and_ends_nothing_else(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    bad = "xapp-1-A0BAD-1-" + "b" * 64
    with caplog.at_level(logging.WARNING):
        async with world.serving(PACHOPS_SLACK_APP_TOKEN=bad):
            await world.slack.expect_call("apps.connections.open")
            comment = await world.github.comment(pull, "/pachops deploy staging")
            await world.github.expect_reaction(comment, "eyes")
    assert "no socket to Slack" in caplog.text
    assert bad not in caplog.text


async def test_a_slack_that_is_away_ends_nothing(world: World) -> None:
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    world.slack.breaks(dropped)
    async with world.serving():
        comment = await world.github.comment(pull, "/pachops deploy staging")
        await world.github.expect_reaction(comment, "eyes")


async def test_a_code_from_slack_is_said_on_github(world: World) -> None:
    pull = await world.github.open_pull_request(EDGES, "feature", files={"a": "1"})
    async with world.serving():
        await world.slack.expect_connection()
        await world.slack.types(world.ann, "/pachops link", world.ml)
        told = await world.slack.expect_ephemeral(world.ann, "/pachops link ")
        code = told.shown.split("/pachops link ")[1].split("`")[0]
        await world.github.comment(pull, f"/pachops link {code}")
        await world.github.expect_comment(pull, "is joined with the Slack user")
        await world.slack.types(world.ann, f"/pachops deploy staging --repo {EDGES}", world.ml)
        await world.slack.expect_message(world.ml, "*staging*", patience=PATIENCE)
    async with world.database() as database:
        (deployment,) = await Deployments(database).list()
        assert deployment.request.actor.name == "ada"


async def test_who_asked_on_github_is_found_in_slack(world: World, database: Database) -> None:
    identities = Identities(database)
    slack = Slack(SecretStr(world.slack.app.bot_token), base_url=world.slack.api_url)
    directory = Directory(slack, identities)
    ada = Actor("Ada", "github")
    assert await directory.find_user(ada) is None
    assert not world.slack.called("auth.test")
    await identities.link(SlackUser("T0OTHER", "U0OTHER"), "ada", Proof.CODE)
    assert await directory.find_user(ada) is None
    await identities.link(SlackUser(world.slack.app.team, world.ann.id), "ada", Proof.CODE)
    assert await directory.find_user(ada) == world.ann.id
    of_workflow = Actor("ada", "action", "github:ada")
    assert await directory.find_user(of_workflow) == world.ann.id
    assert await directory.find_user(Actor("ada", "cli")) is None
    assert world.slack.called("auth.test") == 1
    await slack.close()


async def test_a_slack_that_does_not_say_who_it_is_is_not_asked_by_every_report(
    world: World, database: Database
) -> None:
    identities = Identities(database)
    await identities.link(SlackUser(world.slack.app.team, world.ann.id), "ada", Proof.CODE)
    world.slack.app.bot_token, token = "xoxb-other", world.slack.app.bot_token
    slack = Slack(SecretStr(token), base_url=world.slack.api_url)
    directory = Directory(slack, identities)
    for _ in range(3):
        assert await directory.find_user(Actor("ada", "github")) is None
    assert world.slack.called("auth.test") == 1
    await slack.close()


async def test_what_is_being_taken_when_it_stops_is_acknowledged(world: World) -> None:
    async with world.serving():
        await world.slack.expect_connection()
        asked = [
            asyncio.create_task(world.slack.types(world.ann, "/pachops help", world.ml))
            for _ in range(5)
        ]
        await asyncio.sleep(0)
        acks = await asyncio.gather(*asked)
    assert all(ack.is_ok for ack in acks)
