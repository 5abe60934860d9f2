"""Starts the demo's GitHub: the door, its pages, and the emulator behind it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import aiohttp

from bot.services.github import WEBHOOK_PATH
from examples.demo.github.door import Door
from examples.demo.github.hub import GitHub, token_of
from examples.demo.github.lacking import Kept
from examples.demo.github.pages import Pages
from tests.real.git_server import Repository
from tests.real.github_emulator import github_emulator
from tests.real.github_road import API
from tests.real.network import free_port
from tests.real.serving import serving
from tests.standins.github.app import EVENTS, App

INSTALLATION = 100


@asynccontextmanager
async def opened(
    packages: Path, folder: Path, repository: str, people: tuple[str, ...], *, bot_url: str
) -> AsyncIterator[GitHub]:
    """Start it with a repository that has a README.

    Args:
        packages: the emulator's, as npm has installed them.
        folder: for git.
        repository: `owner/name`.
        people: logins of the owner's members; the first pushes.
        bot_url: where the bot will listen.
    """
    app, port = App(), free_port()
    url = f"http://127.0.0.1:{port}"
    async with aiohttp.ClientSession() as session:
        door = Door(
            session,
            repository,
            folder / "github",
            author=f"{app.slug}[bot]",
            secret=app.webhook_secret,
            token=token_of(people[0]),
        )
        hub = GitHub(url, app, door, people, Repository(folder / "clone.git"))
        site = door.app()
        Pages(hub).add_to(site)
        async with serving(site, port):
            with ExitStack() as stack:
                seed = _seed(app, repository, people, url + WEBHOOK_PATH)
                emulator = await asyncio.to_thread(
                    stack.enter_context,
                    github_emulator(
                        packages, seed, token=token_of(people[0]), public_url=url + API
                    ),
                )
                door.emulator.set_result(emulator.url)
                door.bot.set_result(bot_url)
                readme = {"README.md": "# Edges of images\n"}
                await hub.push(readme, "Begin", "main", by=people[0])
                yield hub


def _seed(app: App, repository: str, people: tuple[str, ...], webhook: str) -> Kept:
    owner, _, name = repository.partition("/")
    installed = {"installation_id": INSTALLATION, "account": owner, "repository_selection": "all"}
    return {
        "tokens": {token_of(each): {"login": each, "scopes": ["repo"]} for each in people},
        "github": {
            "users": [{"login": each} for each in people],
            "orgs": [
                {"login": owner, "members": [{"login": each, "role": "admin"} for each in people]}
            ],
            "repos": [{"owner": owner, "name": name, "private": True, "auto_init": False}],
            "apps": [
                {
                    "app_id": app.id,
                    "slug": app.slug,
                    "name": app.slug,
                    "private_key": app.private_key,
                    "permissions": app.permissions,
                    "events": list(EVENTS),
                    "webhook_url": webhook,
                    "webhook_secret": app.webhook_secret,
                    "installations": [installed],
                }
            ],
        },
    }
