"""Everything that the demo runs on, and what its people do there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from examples.demo.github import opening
from examples.demo.github.hub import GitHub
from examples.demo.telling import expect
from tests.bot.command import Command, running
from tests.real.local_slack_door import local_slack_on_loopback
from tests.real.network import free_port
from tests.real.outside import PACHOPS, Outside, outside
from tests.real.workspace import Workspace

EDGES = Path(__file__).parents[1] / "edges"
PROJECT = Path(__file__).with_name("project")
EXAMPLE_REGISTRY = "registry.acme.io"
REPOSITORY = "acme/vision"
IMAGE = "vision/edges"
PIPELINE = "edges"
PROJECTS = {"staging": "vision-staging", "production": "vision"}
ADA, GRACE = "ada", "grace"
PULL = 1
"""The pull request that the demo opens."""
SLACK_IDS = {ADA: "U0ADA", GRACE: "U0GRACE"}
CHANNEL, CHANNEL_ID = "#vision", "C0VISION"
BOT_TOKEN, APP_TOKEN = "xoxb-1-of-the-demo", "xapp-1-A0-1-of-the-demo"
PATIENCE = 60.0


@dataclass(frozen=True)
class World:
    """The parts, with a bot that listens."""

    parts: Outside
    github: GitHub
    slack: Workspace
    bot: Command
    environment: dict[str, str]
    """What a `pachops` at the terminal is to see."""
    bot_url: str

    async def push(self, files: dict[str, str], title: str, branch: str = "main") -> str:
        """Ada commits and pushes; the SHA."""
        return await self.github.push(files, title, branch, by=ADA)

    def file(self, path: str, branch: str = "main") -> str:
        """What a file of the repository says."""
        return self.github.file(path, branch)

    async def types(self, text: str, by: str) -> None:
        """Somebody types /pachops in Slack."""
        await self.slack.types(text, user=SLACK_IDS[by])

    async def clicks(self, message: dict[str, Any], button: str, by: str) -> None:
        """Somebody clicks in Slack."""
        await self.slack.clicks(message, button, user=SLACK_IDS[by])

    def pushed(self, sha: str) -> str | None:
        """The digest of the image that the registry has for a commit."""
        return self.parts.digest(IMAGE, sha)

    async def expect_running(self, environment: str, sha: str) -> int:
        """Pachyderm runs what this commit's image contains there; the pipeline's version."""
        digest = self.pushed(sha)
        expect(digest, f"the registry has no image for {sha[:7]}")
        info = await asyncio.to_thread(self.parts.pipeline, PIPELINE, project=PROJECTS[environment])
        actual = info.details.transform.image
        expect(
            actual.endswith(f"@{digest}"),
            f"{environment} should run {sha[:7]}, which is {digest}, and runs {actual}",
        )
        return int(info.version)

    async def expect_deployed(self, environment: str, sha: str) -> int:
        """GitHub shows it as deployed, and Pachyderm runs it."""
        await self.github.expect_deployment(environment, sha)
        return await self.expect_running(environment, sha)

    async def pachops(self, *arguments: str) -> str:
        """What the command says."""
        process = await asyncio.create_subprocess_exec(
            str(PACHOPS),
            *arguments,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        expect(not process.returncode, f"`pachops {arguments[0]}` said: {said.decode()}")
        return said.decode()


@asynccontextmanager
async def opened(local_slack: Path, packages: Path) -> AsyncIterator[World]:
    """Start everything; MissingPartError where a part is missing and cannot be brought.

    Args:
        local_slack: its program.
        packages: the GitHub emulator's.
    """
    async with AsyncExitStack() as stack:
        blocking = stack.enter_context(ExitStack())
        vision = PROJECTS["production"]
        parts = blocking.enter_context(
            outside(
                project=PROJECTS["staging"],
                repo="images",
                file="liberty.pgm",
                pachd_options=(
                    *("--project", vision, "--repo", f"{vision}/images"),
                    *("--file", f"{vision}/images=liberty.pgm"),
                ),
            )
        )
        url = blocking.enter_context(local_slack_on_loopback(local_slack, _workspace()))
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        hub = await stack.enter_async_context(
            opening.opened(packages, parts.folder, REPOSITORY, (ADA, GRACE), bot_url=address)
        )
        session = await stack.enter_async_context(aiohttp.ClientSession())
        slack = Workspace(url, session, user=SLACK_IDS[ADA], channel=CHANNEL_ID)
        environment = parts.environment() | _settings(hub, url, port)
        bot = await stack.enter_async_context(running(environment, "serve"))
        await bot.line("listening at")
        reading = asyncio.create_task(bot.rest())
        stack.callback(reading.cancel)
        await slack.connected()
        yield World(parts, hub, slack, bot, environment, address)
        # Where it has ended by itself, its status says how.
        with contextlib.suppress(ProcessLookupError):
            bot.process.terminate()
        expect(
            await asyncio.wait_for(bot.process.wait(), PATIENCE) == 0, "the bot did not end well"
        )


def vision_files(parts: Outside) -> dict[str, str]:
    """The example's files with the demo's rules, and the registry's name set to the real one."""
    found = {
        str(file.relative_to(folder)): file.read_text(encoding="utf-8")
        for folder in (EDGES, PROJECT)
        for file in folder.rglob("*")
        if file.is_file()
    }
    return {path: text.replace(EXAMPLE_REGISTRY, parts.registry) for path, text in found.items()}


def _settings(hub: GitHub, slack_url: str, port: int) -> dict[str, str]:
    return {
        "PACHOPS_WEB_PORT": str(port),
        "PACHOPS_WEB_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PACHOPS_GITHUB_BASE_URL": hub.url,
        "PACHOPS_GITHUB_APP_ID": str(hub.app.id),
        "PACHOPS_GITHUB_PRIVATE_KEY": hub.app.private_key.replace("\n", "\\n"),
        "PACHOPS_GITHUB_WEBHOOK_SECRETS": hub.app.webhook_secret,
        "PACHOPS_SLACK_BOT_TOKEN": BOT_TOKEN,
        "PACHOPS_SLACK_APP_TOKEN": APP_TOKEN,
        "PACHOPS_SLACK_MODE": "socket",
        "PACHOPS_SLACK_BASE_URL": f"{slack_url}/api",
        "PACHOPS_SLACK_DEFAULT_CHANNEL": CHANNEL,
    }


def _workspace() -> dict[str, Any]:
    users = [
        {"id": id_, "name": name, "real_name": name.title(), "email": f"{name}@acme.io"}
        for name, id_ in SLACK_IDS.items()
    ]
    return {
        "workspace": {"name": "Acme", "domain": "acme", "teamId": "T0ACME"},
        "app": {
            "appId": "A0PACHOPS",
            "botUserId": "U0PACHOPS",
            "botName": "pachops",
            "botToken": BOT_TOKEN,
            "appToken": APP_TOKEN,
            "signingSecret": "0" * 32,
            "mode": "socket",
            "requestUrl": "http://127.0.0.1:1/",
        },
        "users": users,
        "channels": [
            {
                "id": CHANNEL_ID,
                "name": CHANNEL.removeprefix("#"),
                "members": list(SLACK_IDS.values()),
            }
        ],
    }
