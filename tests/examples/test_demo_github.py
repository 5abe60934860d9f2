"""The demo's GitHub: npm's emulator behind the door, with what people see and git can do there."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.services.github import WEBHOOK_PATH
from examples.demo.github import opening
from examples.demo.github.hub import GitHub, token_of
from tests.handlers.github.world import served
from tests.real.git_server import Content, Executable, Link
from tests.real.github_road import API
from tests.standins.github.webhooks import sign

pytestmark = pytest.mark.real

VISION = "acme/vision"
PAGE = f"/{VISION}/pull/1"


@dataclass
class Scene:
    """It, with somebody at a browser, and ears in the bot's place."""

    github: GitHub
    browser: aiohttp.ClientSession
    heard: "asyncio.Queue[tuple[str, dict[str, Any]]]"

    async def shown(self, path: str) -> str:
        """A page."""
        async with self.browser.get(self.github.url + path) as answer:
            assert answer.status == 200
            return await answer.text()

    async def asks(self, method: str, path: str, token: str, body: object = None) -> Any:
        """An answer of the API."""
        url = f"{self.github.url}{API}/repos/{VISION}{path}"
        headers = {"Authorization": f"token {token}"} if token else {}
        async with self.browser.request(method, url, json=body, headers=headers) as answer:
            return await answer.json() if answer.ok else answer.status

    async def opens(self, files: Mapping[str, str] | None = None) -> str:
        """Ada opens a pull request; its head."""
        sha = await self.github.push(files or {"a": "b"}, "Sharper", "sharper", by="ada")
        await self.github.open_pull_request("sharper", "Sharper", by="ada")
        return sha

    async def hears(self, event: str) -> dict[str, Any]:
        """The next such webhook."""
        async with asyncio.timeout(20):
            while True:
                name, payload = await self.heard.get()
                if name == event:
                    return payload


@pytest.fixture
async def scene(tmp_path: Path, emulate_packages: Path) -> AsyncIterator[Scene]:
    async with opened(tmp_path, emulate_packages) as found:
        yield found


@asynccontextmanager
async def opened(folder: Path, packages: Path) -> AsyncIterator[Scene]:
    heard: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()

    async def hear(request: web.Request) -> web.Response:
        # As the bot would: what is not signed is not heard.
        signature = request.headers["X-Hub-Signature-256"]
        assert signature == sign(github.app.webhook_secret, await request.read())
        heard.put_nowait((request.headers["X-GitHub-Event"], await request.json()))
        return web.Response(status=202)

    ears = web.Application()
    ears.router.add_post(WEBHOOK_PATH, hear)
    async with (
        served(ears) as bot_url,
        opening.opened(packages, folder, VISION, ("ada", "grace"), bot_url=bot_url) as github,
        aiohttp.ClientSession() as browser,
    ):
        yield Scene(github, browser, heard)


async def test_what_is_pushed_is_the_same_commit_in_the_emulator(scene: Scene) -> None:
    github = scene.github
    before = github.tip("main")
    files: dict[str, Content] = {
        "run.sh": Executable(b"#!/bin/sh\n"),
        "deep/er/bytes": b"\0\xff",
        "deep/er-": "sorts before the folder",
        "link": Link("run.sh"),
        "README.md": None,
    }
    sha = await github.push(files, "Ärger\n\nwith a body", "main", by="ada")
    found = await scene.asks("GET", f"/git/commits/{sha}", token_of("ada"))
    tree = github.door.git.git("rev-parse", f"{sha}^{{tree}}").decode().strip()
    assert found["tree"]["sha"] == tree
    assert [each["sha"] for each in found["parents"]] == [before]

    heard = await scene.hears("push")
    assert (heard["before"], heard["after"], heard["sender"]["login"]) == (before, sha, "ada")
    assert heard["head_commit"]["message"] == "Ärger\n\nwith a body"
    (latest, _) = await scene.asks("GET", "/activity?ref=refs/heads/main", token_of("ada"))
    assert (latest["after"], latest["actor"]["login"]) == (sha, "ada")


async def test_a_commit_from_another_time_zone_keeps_its_name(scene: Scene) -> None:
    git, main = scene.github.clone, scene.github.tip("main")
    when = {"GIT_AUTHOR_DATE": "2026-01-02T03:04:05-0330", "GIT_COMMITTER_DATE": "@1 +0545"}
    made = git.git("commit-tree", f"{main}^{{tree}}", "-p", main, "-m", "x", environment=when)
    git.git("update-ref", "refs/heads/main", made.decode().strip())
    await scene.github.send("main:main", by="ada")
    assert (await scene.hears("push"))["after"] == made.decode().strip()


async def test_whoever_has_no_token_neither_fetches_nor_pushes(scene: Scene) -> None:
    url = f"{scene.github.url}/{VISION}.git"
    git = scene.github.clone.git
    without = {"GIT_TERMINAL_PROMPT": "0"}
    for command in (("ls-remote", url), ("push", url, "main:other")):
        with pytest.raises(subprocess.CalledProcessError):
            await asyncio.to_thread(git, *command, environment=without)
    assert scene.github.tip("other") == ""


async def test_what_the_emulator_lacks_is_kept_for_who_may_read_alone(scene: Scene) -> None:
    await scene.opens()
    comment = await scene.github.comment(1, "/pachops help", by="ada")
    path = f"/issues/comments/{comment}/reactions"
    assert await scene.asks("POST", path, "", {"content": "eyes"}) in {401, 403, 404}
    for _ in range(2):
        await scene.asks("POST", path, token_of("ada"), {"content": "eyes"})
    assert [each["content"] for each in scene.github.door.lacking.reactions[comment]] == ["eyes"]

    sha = scene.github.tip("main")
    wanted = {"ref": sha, "environment": "staging", "payload": {"pachops": "x"}}
    assert await scene.asks("POST", "/deployments", "", wanted) in {401, 403, 404}
    made = await scene.asks("POST", "/deployments", token_of("ada"), wanted)
    statuses = f"/deployments/{made['id']}/statuses"
    for state in ("in_progress", "success"):
        await scene.asks("POST", statuses, token_of("ada"), {"state": state})
    newest, _ = await scene.asks("GET", statuses, token_of("ada"))
    assert newest["state"] == "success"
    (found,) = await scene.asks("GET", f"/deployments?sha={sha}", token_of("ada"))
    assert found["payload"] == {"pachops": "x"}
    assert await scene.asks("GET", "/deployments?environment=production", token_of("ada")) == []
    assert await scene.asks("GET", "/deployments/99/statuses", token_of("ada")) == 404


async def test_a_pull_request_follows_its_branch_and_is_merged_with_it(scene: Scene) -> None:
    first = await scene.opens()
    assert (await scene.hears("pull_request"))["number"] == 1
    head = await scene.github.push({"a": "c"}, "More", "sharper", by="ada")
    found = await scene.asks("GET", "/pulls/1", token_of("ada"))
    assert (found["head"]["sha"], found["merged"]) == (head, False)
    commits = await scene.asks("GET", "/pulls/1/commits", token_of("ada"))
    assert [each["sha"] for each in commits] == [first, head]

    assert await scene.github.merge("sharper", by="ada") == head
    found = await scene.asks("GET", "/pulls/1", token_of("ada"))
    assert (found["state"], found["merged"]) == ("closed", True)
    heard = await scene.hears("pull_request")
    assert (heard["action"], heard["pull_request"]["merged"]) == ("closed", True)


async def test_a_release_leads_to_its_page(scene: Scene) -> None:
    await scene.github.publish_release("v1", notes="## New\n* Edges", by="ada")
    heard = await scene.hears("release")
    assert heard["release"]["html_url"] == f"{scene.github.url}/{VISION}/releases/tag/v1"
    assert heard["repository"]["clone_url"] == f"{scene.github.url}/{VISION}.git"
    assert "<li>Edges</li>" in await scene.shown(f"/{VISION}/releases/tag/v1")


async def test_a_person_comments(scene: Scene) -> None:
    await scene.opens()
    form = {"body": "/pachops help", "by": "grace"}
    async with scene.browser.post(scene.github.url + PAGE, data=form) as answer:
        assert "/pachops help" in await answer.text()
    heard = await scene.hears("issue_comment")
    assert (heard["sender"]["login"], heard["issue"]["pull_request"]) == ("grace", {})


@pytest.mark.parametrize(
    "form", [{"body": "", "by": "ada"}, {"body": "hello", "by": "mallory"}, {"by": "ada"}]
)
async def test_nobody_else_comments(scene: Scene, form: dict[str, str]) -> None:
    await scene.opens()
    async with scene.browser.post(scene.github.url + PAGE, data=form):
        pass
    assert await scene.github.comments(1) == []


async def test_another_sites_page_cannot_comment(scene: Scene) -> None:
    await scene.opens()
    form = {"body": "/pachops deploy production", "by": "ada"}
    headers = {"Sec-Fetch-Site": "cross-site"}
    async with scene.browser.post(scene.github.url + PAGE, data=form, headers=headers) as answer:
        assert answer.status == 403
    assert await scene.github.comments(1) == []


async def test_a_persons_markup_is_text_and_a_commit_is_a_link(scene: Scene) -> None:
    head = await scene.opens()
    text = f"<script>alert(1)</script> <details>x</details> at {head}"
    await scene.github.comment(1, text, by="ada")
    page = await scene.shown(PAGE)
    assert "<script>alert" not in page
    assert "<details>" not in page
    assert f'href="/{VISION}/commit/{head}"' in page
    assert "Checks" in await scene.shown(f"/{VISION}/commit/{head}")


async def test_the_bots_folds_are_folds(scene: Scene) -> None:
    await scene.opens()
    scene.github.door.lacking.author = "ada"
    fold = "<details><summary>Log</summary>\n\n| a |\n| --- |\n| b |\n\n</details>"
    await scene.github.comment(1, fold, by="ada")
    page = await scene.shown(PAGE)
    assert "<summary>Log</summary>" in page
    assert "<td>b</td>" in page


async def test_a_commit_shows_its_checks_and_their_remarks(scene: Scene) -> None:
    head = await scene.opens()
    remark = {"path": "Dockerfile", "start_line": 3, "end_line": 3, "message": "exit status 1"}
    output = {
        "title": "Build failed",
        "summary": "It **failed**",
        "annotations": [remark | {"annotation_level": "failure"}],
    }
    check = {"name": "pachops: staging", "head_sha": head, "conclusion": "failure"}
    wanted = check | {"status": "completed", "output": output}
    await scene.asks("POST", "/check-runs", token_of("ada"), wanted)
    page = await scene.shown(f"/{VISION}/commit/{head}")
    for part in (
        "Build failed",
        "<strong>failed</strong>",
        "<code>Dockerfile:3</code> exit status",
    ):
        assert part in page
    assert "<code>:</code>" not in page


async def test_the_first_page_leads_to_the_repository(scene: Scene) -> None:
    await scene.opens()
    assert "#1 Sharper" in await scene.shown("/")


async def test_what_is_not_there_is_not_found(scene: Scene) -> None:
    for path in ("acme/nothing", f"{VISION}/pull/7", f"{VISION}/pull/x", f"{VISION}/commit/abc"):
        async with scene.browser.get(f"{scene.github.url}/{path}") as answer:
            assert answer.status == 404, path
