"""The client, and the stand-in that it talks to; both have one clock, driven by hand."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bot.services.slack import Slack
from tests.standins.slack.clock import Clock
from tests.standins.slack.server import SlackServer
from tests.standins.slack.time import Time


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def slack(time: Time) -> AsyncIterator[SlackServer]:
    async with SlackServer(clock=Clock(time.now)) as server:
        yield server


@pytest.fixture
async def client(slack: SlackServer, time: Time) -> AsyncIterator[Slack]:
    found = Slack(SecretStr(slack.app.bot_token), base_url=slack.api_url, clock=time.clock)
    yield found
    await found.close()
