"""`pachops serve` on a GitHub that others have written: what people see after a comment.

Between them is a road that mends three things (tests/real/github_road.py). All else that the
emulator lacks is refused with its 404, and nothing answers in its place: the pull request is read
by REST, there is no reaction and no GitHub deployment, and a deployment ends where its source is to
be fetched.
"""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.services.github import WEBHOOK_PATH
from tests.bot.command import PATIENCE, Command, running
from tests.handlers.github.world import served
from tests.real.github_emulator import Emulator, github_emulator
from tests.real.github_road import API, Road
from tests.standins.github.app import PERMISSIONS, private_key

pytestmark = pytest.mark.real

SECRET = "the webhook's secret"
TOKEN = "adas-token"
REPOSITORY = "acme/edges"
EDGES = f"/repos/{REPOSITORY}"
PULL = 1
RULES = "environments:\n  staging: {}\n"


@dataclass
class Scene:
    """A pull request on the emulator, and a bot that listens."""

    emulator: Emulator
    road: Road
    bot: Command
    head: str
    """The pull request's."""

    async def ask(self, method: str, path: str, **body: object) -> Any:
        """What Ada does on GitHub."""
        return await asyncio.to_thread(self.emulator.call, method, EDGES + path, body or None)

    async def comment(self, body: str, number: int = PULL) -> None:
        await self.ask("POST", f"/issues/{number}/comments", body=body)

    async def answers(self) -> list[str]:
        """What the bot commented."""
        found = await self.ask("GET", f"/issues/{PULL}/comments")
        return [each["body"] for each in found if each["user"]["login"] == "pachops[bot]"]

    async def until(self, is_so: Callable[[list[str]], bool]) -> list[str]:
        """The bot's comments, once they are so."""
        found: list[str] = []
        try:
            async with asyncio.timeout(PATIENCE):
                while not is_so(found := await self.answers()):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.1)
        except TimeoutError:
            self.bot.process.terminate()
            await self.bot.ended()
            said = "\n".join(self.bot.lines)
            message = f"the bot's comments are {found}; it said:\n{said}"
            raise AssertionError(message) from None
        return found


@pytest.fixture
async def scene(tmp_path: Path, emulate_packages: Path) -> AsyncIterator[Scene]:
    async with aiohttp.ClientSession() as session:
        road = Road(session, REPOSITORY, secret=SECRET, token=TOKEN)
        app = web.Application()
        road.add_to(app)
        async with served(app) as url, running(environment(tmp_path, url), "serve") as bot:
            road.bot.set_result(await bot.listening())
            with ExitStack() as stack:
                emulator = await asyncio.to_thread(
                    stack.enter_context,
                    github_emulator(
                        emulate_packages,
                        seed(url + WEBHOOK_PATH),
                        token=TOKEN,
                        public_url=url + API,
                    ),
                )
                road.emulator.set_result(emulator.url)
                head = await asyncio.to_thread(open_pull_request, emulator)
                yield Scene(emulator, road, bot, head)


def environment(tmp_path: Path, url: str) -> dict[str, str]:
    return {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "PACHOPS_DATA_DIR": str(tmp_path / "data"),
        "PACHOPS_WEB_PORT": "0",
        "PACHOPS_GITHUB_BASE_URL": url,
        "PACHOPS_GITHUB_APP_ID": "4711",
        "PACHOPS_GITHUB_PRIVATE_KEY": private_key().replace("\n", "\\n"),
        "PACHOPS_GITHUB_WEBHOOK_SECRETS": SECRET,
    }


def seed(webhook: str) -> dict[str, object]:
    app = {
        "app_id": 4711,
        "slug": "pachops",
        "name": "pachops",
        "private_key": private_key(),
        "permissions": PERMISSIONS,
        "events": ["issue_comment"],
        "webhook_url": webhook,
        "webhook_secret": SECRET,
        "installations": [
            {"installation_id": 100, "account": "acme", "repository_selection": "all"}
        ],
    }
    return {
        "tokens": {TOKEN: {"login": "ada", "scopes": ["repo"]}},
        "github": {
            "users": [{"login": "ada"}],
            "orgs": [{"login": "acme", "members": [{"login": "ada", "role": "admin"}]}],
            "repos": [{"owner": "acme", "name": "edges", "private": True}],
            "apps": [app],
        },
    }


def open_pull_request(emulator: Emulator) -> str:
    """Rules on the default branch, a change on another, and its pull request; the head's SHA."""
    ask = partial(emulator.call)
    put(emulator, ".pachops.yml", RULES, "main")
    tip = ask("GET", f"{EDGES}/branches/main")["commit"]["sha"]
    ask("POST", f"{EDGES}/git/refs", {"ref": "refs/heads/feature", "sha": tip})
    put(emulator, "a", "1", "feature")
    made = ask("POST", f"{EDGES}/pulls", {"title": "A change", "head": "feature", "base": "main"})
    return str(made["head"]["sha"])


def put(emulator: Emulator, path: str, text: str, branch: str) -> None:
    content = base64.b64encode(text.encode()).decode()
    body = {"message": path, "content": content, "branch": branch}
    emulator.call("PUT", f"{EDGES}/contents/{path}", body)


async def test_what_people_see_after_a_comment(scene: Scene) -> None:
    issue = (await scene.ask("POST", "/issues", title="A bug"))["number"]
    await scene.comment("/pachops help", issue)

    await scene.comment("/pachops help")
    (text,) = await scene.until(lambda found: len(found) == 1)
    assert "/pachops deploy [ENV]" in text

    # Nobody says when the head was pushed, so that the commit has to be named.
    await scene.comment("/pachops deploy staging")
    found = await scene.until(lambda found: len(found) == 2)
    asked = f"/pachops deploy staging {scene.head}"
    assert f"`{asked}`" in found[1]

    await scene.comment(asked)
    found = await scene.until(lambda found: len(found) == 4 and "**failed" in found[2])
    assert "There is no git repository" in found[2]
    assert found[3].startswith("@ada: ")
    (check,) = (await scene.ask("GET", f"/commits/{scene.head}/check-runs"))["check_runs"]
    assert (check["name"], check["conclusion"]) == ("pachops: staging", "failure")

    # A plain issue's comments come as the emulator sends them, and say nothing.
    assert all(status == 202 for _, status in scene.road.answered)
    assert any(is_as_sent for is_as_sent, _ in scene.road.answered)
    assert len(await scene.ask("GET", f"/issues/{issue}/comments")) == 1
