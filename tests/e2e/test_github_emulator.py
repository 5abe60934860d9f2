"""`pachops serve` on a GitHub that others have written: what people see after a comment.

The emulator has its API at the root of its address, and no GraphQL, reactions, deployments,
activity, webhook deliveries or git over HTTP. Its webhooks of comments do not say whether the
comment is on a pull request. Between it and the bot stands a road that mends three things:
it leads the bot, which looks for a GitHub Enterprise Server, from /api/v3 to that root; it says
that a commit of the emulator's has no commit statuses, for the emulator knows of none; and it says
of a comment that it is on a pull request where the emulator's own API says so. Such a webhook is
signed anew, after the emulator's signature was found to be good; all others come to the bot with
the emulator's body and signature. (Its delivery ids are milliseconds, of which two may be the same:
the road counts on.)

All else that the emulator lacks is refused with its 404, and nothing answers in its place: the
pull request is read by REST, there is no reaction and no GitHub deployment, and a deployment
ends where its source is to be fetched.
"""

import asyncio
import base64
import json
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
from tests.standins.github.app import PERMISSIONS, private_key
from tests.standins.github.webhooks import sign

pytestmark = pytest.mark.real

SECRET = "the webhook's secret"
TOKEN = "adas-token"
EDGES = "/repos/acme/edges"
PULL = 1
RULES = "environments:\n  staging: {}\n"
FORWARDED = ("Authorization", "Accept", "Content-Type")
API = "/api/v3"


class Road:
    """Both ways between the bot and the emulator, once both are there."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        loop = asyncio.get_running_loop()
        self.emulator: asyncio.Future[str] = loop.create_future()
        self.bot: asyncio.Future[str] = loop.create_future()
        self.answered: list[tuple[bool, int]] = []
        """Of each webhook whether it was as the emulator signed it, and what the bot answered."""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get(f"{API}{EDGES}/commits/{{sha}}/status", self._status)
        app.router.add_route("*", API + "/{path:.*}", self._lead)
        app.router.add_post(WEBHOOK_PATH, self._tell)
        return app

    async def _status(self, request: web.Request) -> web.Response:
        sha = request.match_info["sha"]
        url = f"{await self.emulator}{EDGES}/commits/{sha}"
        headers = {"Authorization": request.headers["Authorization"]}
        async with self._session.get(url, headers=headers) as answer:
            if answer.status != 200:
                return web.Response(status=answer.status)
        return web.json_response({"state": "pending", "sha": sha, "total_count": 0, "statuses": []})

    async def _lead(self, request: web.Request) -> web.Response:
        url = await self.emulator + request.path_qs.removeprefix(API)
        headers = {name: request.headers[name] for name in FORWARDED if name in request.headers}
        body = await request.read()
        async with self._session.request(
            request.method, url, data=body or None, headers=headers
        ) as answer:
            kept = {name: answer.headers[name] for name in ("Link",) if name in answer.headers}
            return web.Response(
                status=answer.status,
                body=await answer.read(),
                content_type=answer.content_type,
                headers=kept,
            )

    async def _tell(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name: value for name, value in request.headers.items() if name.startswith("X-")}
        assert headers["X-Hub-Signature-256"] == sign(SECRET, body)
        headers["X-GitHub-Delivery"] += f"-{len(self.answered)}"
        payload = json.loads(body)
        is_on_pull = await self._is_pull(payload["issue"]["number"])
        if is_on_pull:
            payload["issue"]["pull_request"] = {}
            body = json.dumps(payload).encode()
            headers["X-Hub-Signature-256"] = sign(SECRET, body)
        url = await self.bot + WEBHOOK_PATH
        async with self._session.post(url, data=body, headers=headers) as answer:
            self.answered.append((not is_on_pull, answer.status))
            return web.Response(status=answer.status)

    async def _is_pull(self, number: int) -> bool:
        url = f"{await self.emulator}{EDGES}/pulls/{number}"
        headers = {"Authorization": f"token {TOKEN}"}
        async with self._session.get(url, headers=headers) as answer:
            return answer.status == 200


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
        road = Road(session)
        async with served(road.app()) as url, running(environment(tmp_path, url), "serve") as bot:
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
