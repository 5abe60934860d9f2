"""`pachops serve` in a Slack that others have written, as people meet it.

Run by test_local_slack.py in a network of its own: `python -m tests.e2e.local_slack_flow
socket|http FOLDER PROGRAM`. Beside local-slack there are the stand-ins of GitHub and pachd; nothing
stands between the bot and local-slack.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bot.domain.github import Permission
from bot.domain.slack import PATH
from tests.bot.command import running
from tests.real.local_slack import local_slack
from tests.real.network import free_port
from tests.real.workspace import Workspace, shown, until
from tests.standins.github.server import GitHubServer
from tests.standins.pachd import Pachd
from tests.standins.pachd.life import Timing

EDGES = "acme/edges"
ANN, BOB, ML, NEWS = "U0ANN", "U0BOB", "C0ML00", "C0NEWS"
BOT_TOKEN, APP_TOKEN = "xoxb-1-aaaaaaaaaaaaaaaa", "xapp-1-A0-1-bbbbbbbbbbbbbbbb"
SIGNING = "0123456789abcdef0123456789abcdef"
RULES = """
images: {}
pipelines: ['*.json']
environments:
  staging: {verify: {window: 0s, timeout: 20s}}
  production:
    on: {release: published}
    approvals: 1
    verify: {window: 0s, timeout: 20s}
"""
NOTES = """## What's new
* Sharper **edges** by @ada in https://github.com/acme/edges/pull/2
* Twice as fast

**Full Changelog**: https://github.com/acme/edges/compare/v1...v2
"""
QUICK = Timing(starting=0.05, workers=0.2, crashing=0.3, job=0.1, datum=0.02)


def spec(cmd: str) -> str:
    transform = {"image": "busybox:1.36", "cmd": ["sh", "-c", cmd]}
    reads = {"pfs": {"repo": "images", "glob": "/*"}}
    return json.dumps({"pipeline": {"name": "edges"}, "transform": transform, "input": reads})


@dataclass
class World:
    slack: Workspace
    github: GitHubServer

    async def home(self, containing: str, user: str = ANN) -> dict[str, Any]:
        await self.slack.act("open-home", user=user)

        async def look() -> tuple[object, object]:
            homes = (await self.slack.state())["homeViews"]
            return containing in shown(homes) and homes, homes

        found: dict[str, Any] = await until(f"{containing!r} in the Home", look)
        return found


@asynccontextmanager
async def opened(mode: str, folder: Path, program: Path) -> AsyncIterator[World]:
    port = free_port()
    config = {
        "workspace": {"name": "Acme", "domain": "acme", "teamId": "T0ACME"},
        "app": {
            "appId": "A0PACHOPS",
            "botUserId": "U0PACHOPS",
            "botName": "pachops",
            "botToken": BOT_TOKEN,
            "appToken": APP_TOKEN,
            "signingSecret": SIGNING,
            "mode": "socket" if mode == "socket" else "events",
            "requestUrl": f"http://127.0.0.1:{port}{PATH}",
        },
        "users": [
            {"id": ANN, "name": "ann", "real_name": "Ann", "email": "ann@acme.io"},
            {"id": BOB, "name": "bob", "real_name": "Bob", "email": "bob@acme.io"},
        ],
        "channels": [
            {"id": ML, "name": "ml", "members": [ANN, BOB]},
            {"id": NEWS, "name": "news", "members": [ANN, BOB]},
        ],
    }
    with local_slack(program, config) as url, Pachd(real_time=True, timing=QUICK) as pachd:
        pachd.create_repo("images")
        async with GitHubServer(folder / "github") as github, aiohttp.ClientSession() as session:
            github.repository(EDGES, {".pachops.yml": RULES, "edges.json": spec("echo 1")})
            environ = {
                "HOME": str(folder),
                "PATH": "/usr/bin:/bin",
                "PACHOPS_DATA_DIR": str(folder / "data"),
                "PACHOPS_PACHD_ADDRESS": pachd.address,
                "PACHOPS_WEB_PORT": str(port),
                "PACHOPS_GITHUB_BASE_URL": github.url,
                "PACHOPS_GITHUB_APP_ID": str(github.app.id),
                "PACHOPS_GITHUB_PRIVATE_KEY": github.app.private_key.replace("\n", "\\n"),
                "PACHOPS_GITHUB_WEBHOOK_SECRETS": github.app.webhook_secret,
                "PACHOPS_SLACK_BOT_TOKEN": BOT_TOKEN,
                "PACHOPS_SLACK_APP_TOKEN": APP_TOKEN,
                "PACHOPS_SLACK_SIGNING_SECRETS": SIGNING,
                "PACHOPS_SLACK_MODE": mode,
                "PACHOPS_SLACK_BASE_URL": f"{url}/api",
            }
            async with running(environ, "serve") as bot:
                await bot.line("listening at")
                reading = asyncio.create_task(bot.rest())
                github.send_webhooks_to(f"http://127.0.0.1:{port}/github/webhook")
                try:
                    yield World(Workspace(url, session, user=ANN, channel=ML), github)
                    bot.process.terminate()
                    assert await bot.process.wait() == 0, bot.lines
                except BaseException:
                    sys.stderr.write("\n".join(bot.lines))
                    raise
                finally:
                    await asyncio.wait({reading}, timeout=1.0)
                    reading.cancel()


async def links(world: World) -> None:
    """A code from Slack, said on GitHub."""
    slack, github = world.slack, world.github
    pull = await github.open_pull_request(EDGES, "sharper", files={"edges.json": spec("echo 2")})
    github.allow("grace", EDGES, Permission.WRITE)
    await slack.connected()
    for user, login in ((ANN, "ada"), (BOB, "grace")):
        await slack.types("link", user=user)
        told = await slack.sees("/pachops link ", whispered_to=user)
        code = shown(told).split("/pachops link ")[1].split("`")[0]
        await github.comment(pull, f"/pachops link {code}", by=login)
        await github.expect_comment(pull, f"`{user}`")


async def asks_by_command(world: World) -> Any:
    """The one message, from the command to the end."""
    await world.slack.types(f"deploy staging --repo {EDGES}")
    message = await world.slack.sees("✅ *Deployed*")
    assert message["channel"] == ML
    await world.slack.sees(f"<@{ANN}>: ✅")
    return message


async def asks_by_modal(world: World) -> Any:
    """The modal is filled in with what the person may do; the message."""
    await world.slack.types("")

    async def look() -> tuple[Any, Any]:
        views = (await world.slack.state())["modalStack"]
        blocks = views[-1]["blocks"] if views else []
        names = [each.get("block_id") for each in blocks]
        return f"environment {EDGES}" in names and views[-1], views

    view = await until("the modal with environments", look)
    options = [
        each["value"]
        for block in view["blocks"]
        if block.get("block_id") == f"environment {EDGES}"
        for each in block["element"]["options"]
    ]
    assert options == ["staging", "production"], options
    await world.slack.submits(
        {
            "repository": {"repository": _chosen(EDGES)},
            f"environment {EDGES}": {"environment": _chosen("staging")},
            "ref": {"ref": {"type": "plain_text_input", "value": "#1"}},
            "options": {"options": {"type": "checkboxes", "selected_options": []}},
        }
    )
    return await world.slack.sees("/pull/1|#1>", "✅ *Deployed*")


def _chosen(value: str) -> dict[str, Any]:
    option = {"text": {"type": "plain_text", "text": value}, "value": value}
    return {"type": "static_select", "selected_option": option}


async def clicks(world: World, old: dict[str, Any], newest: dict[str, Any]) -> None:
    """Roll back, which an old message does no more."""
    await world.slack.clicks(old, "roll_back")
    await world.slack.sees("*Roll back* is not possible any more", whispered_to=ANN)
    await world.slack.clicks(newest, "roll_back")
    await world.slack.sees(f"Rolled back by <@{ANN}>")
    await world.slack.sees("✅ *Rolled back*")


async def approves(world: World) -> None:
    """Who published it may not, somebody else may."""
    asked = await world.slack.sees("*waits for approval*")
    assert "*It would*" in shown(asked)
    await world.slack.clicks(asked, "approve", user=ANN)
    await world.slack.sees("ada asked for deployment", whispered_to=ANN)
    await world.home("Waiting for your approval", BOB)
    await world.slack.clicks(asked, "approve", user=BOB)
    await world.slack.sees("Approved by *grace*")


async def hears_of_a_release(world: World) -> None:
    await world.slack.types(f"subscribe {EDGES} releases", channel=NEWS)
    await world.slack.sees("This channel hears of", channel=NEWS)
    await world.slack.types(f"subscribe {EDGES} production deployments")
    source = world.github.world.repo(EDGES).git
    source.commit({"edges.json": spec("echo first")}, "The first")
    await world.github.publish_release(EDGES, "v1", notes="The first.")
    await approves(world)
    await world.slack.sees("🎉", channel=NEWS)
    source.commit({"edges.json": spec("echo 3")}, "Sharper edges (#2)")
    await world.github.publish_release(EDGES, "v2", notes=NOTES)
    await approves(world)
    message = await world.slack.sees("*What changed* since `v1`", channel=NEWS)
    text = shown(message)
    assert "pull/2|#2>" in text, text
    assert "*What's new*" in text, text


async def main(mode: str, folder: Path, program: Path) -> None:
    async with opened(mode, folder, program) as world:
        await links(world)
        message = await asks_by_command(world)
        await clicks(world, message, await asks_by_modal(world))
        await hears_of_a_release(world)
        await world.home("*staging*")
    sys.stdout.write("all was seen\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
