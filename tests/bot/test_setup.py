"""From no login to a bot that listens: the command, and `pachops serve` by itself."""

import asyncio
import os
import re
import signal
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.domain.reasons import Code, StoppedError
from bot.services.github import AppWish
from bot.settings import app_file, load_settings
from bot.setup import set_up, wait_for_setup
from handlers.web.setup import words
from tests.bot.command import Command, running
from tests.handlers.web.browser import Browser
from tests.standins.github.server import GitHubServer

EDGES = "acme/edges"
FILES = {".pachops.yml": "environments:\n  staging: {}\n"}


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[GitHubServer]:
    async with GitHubServer(tmp_path) as github:
        github.repository(EDGES, FILES)
        yield github


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Browser(session)


@pytest.fixture
def environ(tmp_path: Path, github: GitHubServer) -> dict[str, str]:
    return {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "COLUMNS": "400",
        "PACHOPS_DATA_DIR": str(tmp_path / "data"),
        "PACHOPS_GITHUB_BASE_URL": github.url,
        "PACHOPS_WEB_PORT": "0",
    }


async def invited(command: Command) -> tuple[str, str]:
    """Address and code of the page."""
    address = (await command.line("http://")).strip()
    await command.line("code")
    return address, (await command.line("-")).strip()


async def make_app(browser: Browser, address: str, code: str) -> str:
    """Go the whole way; the last page's text."""
    await browser.open(address)
    await browser.send(code=code)
    for _ in range(3):
        page = await browser.send()
    return page.text


@pytest.mark.parametrize("path", ["", "/api/v3"], ids=["people's address", "API's address"])
async def test_the_command_makes_an_app_and_ends(
    environ: dict[str, str], github: GitHubServer, browser: Browser, path: str
) -> None:
    environ["PACHOPS_GITHUB_BASE_URL"] = github.url + path
    options = ("--url", "https://pachops.example.com", "--organization", "acme", "--port", "0")
    async with running(environ, "setup", "github", *options) as command:
        address, code = await invited(command)
        assert address.startswith("http://localhost:")
        text = await make_app(browser, address.replace("localhost", "127.0.0.1"), code)
        assert words.DONE in text
        assert await command.ended() == 0
    said = "\n".join(command.lines)
    assert f"{github.url}/github-apps/pachops/installations/new" in said
    assert "pachops serve" in said
    ((owner, manifest),) = github.website.manifests
    assert (owner, manifest["name"]) == ("acme", "pachops-acme")
    settings = load_settings(environ)
    assert settings.github.app_id == github.app.id
    file = app_file(settings.data_dir)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for secret in settings.github.secrets():
        assert secret.get_secret_value() not in said


async def test_githubs_code_for_the_keys_is_in_no_log(
    environ: dict[str, str], github: GitHubServer, browser: Browser
) -> None:
    async with running(environ | {"PACHOPS_LOG_LEVEL": "debug"}, "serve") as command:
        address = (await command.line("http://")).strip()
        while not re.fullmatch(r"(\w{4}-){3}\w{4}", code := (await command.line("-")).strip()):
            continue
        await make_app(browser, address, code)
        await command.line("listening at")
        command.process.send_signal(signal.SIGTERM)
        assert await command.ended() == 0
    said = "\n".join(command.lines)
    assert "debug" in said
    (path,) = (each.path for each in github.calls if each.path.startswith("/app-manifests/"))
    assert path.split("/")[2] not in said


async def test_serve_without_a_login_makes_one_and_goes_on(
    environ: dict[str, str], github: GitHubServer, browser: Browser
) -> None:
    pull = await github.open_pull_request(EDGES, "feature", files={"a": "1"})
    async with running(environ, "serve") as command:
        address, code = await invited(command)
        assert words.STARTS in await make_app(browser, address, code)
        address = await command.listening()
        github.send_webhooks_to(f"{address}/github/webhook")
        await github.comment(pull, "/pachops help")
        await github.expect_comment(pull, "/pachops deploy [ENV]")
        command.process.send_signal(signal.SIGTERM)
        assert await command.ended() == 0


@pytest.mark.parametrize(("name", "status"), [("serve", 0), ("setup", 130)])
async def test_an_end_in_the_middle_leaves_nothing_half_done(
    environ: dict[str, str], browser: Browser, name: str, status: int
) -> None:
    arguments = ("serve",) if name == "serve" else ("setup", "github", "--port", "0")
    async with running(environ, *arguments) as command:
        address, code = await invited(command)
        if name == "setup":
            await command.line("Ctrl-C")
        await browser.open(address.replace("localhost", "127.0.0.1"))
        await browser.send(code=code)
        await browser.send()
        command.process.send_signal(signal.SIGINT)
        assert await command.ended() == status
    assert "Traceback" not in "\n".join(command.lines)
    assert not app_file(load_settings(environ).data_dir).exists()
    assert not load_settings(environ).github.has_login


@pytest.mark.parametrize(
    ("variable", "options", "said"),
    [
        ({"PACHOPS_GITHUB_TOKEN": "a-token"}, (), "has its login on GitHub already"),
        ({"PACHOPS_GITHUB_APP_ID": "1"}, (), "has its login on GitHub already"),
        ({}, ("--url", "pachops.example.com"), words.ADDRESS_WRONG),
        ({"PACHOPS_GITHUB_BASE_URL": ""}, ("--url", "http://localhost"), words.ADDRESS_LOCAL),
        ({"PACHOPS_DATA_DIR": "/dev/null/x"}, (), "/dev/null"),
    ],
)
async def test_what_cannot_work_is_said_before_anything_is_begun(
    environ: dict[str, str], variable: dict[str, str], options: tuple[str, ...], said: str
) -> None:
    async with running(environ | variable, "setup", "github", *options) as command:
        assert await command.ended() == 2
    text = " ".join(" ".join(command.lines).split())
    assert said in text
    assert "Traceback" not in text


async def test_an_app_that_is_kept_is_not_made_again(environ: dict[str, str]) -> None:
    settings = load_settings(environ)
    settings.data_dir.mkdir()
    app_file(settings.data_dir).write_text('{"github": {}}')
    async with running(environ, "setup", "github") as command:
        assert await command.ended() == 2
    assert "github-app.json" in "".join(command.lines)


async def test_a_port_that_is_taken_is_named(environ: dict[str, str], github: GitHubServer) -> None:
    port = github.url.rpartition(":")[2]
    async with running(environ, "setup", "github", "--port", port) as command:
        assert await command.ended() == 2
    assert "--port" in "\n".join(command.lines)


async def test_a_person_who_never_comes_is_not_waited_for_for_ever(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.setup.LONGEST_SETUP", 0.0)
    said: list[str] = []
    with pytest.raises(StoppedError, match="within the hour") as stopped:
        await set_up(load_settings(environ), AppWish("pachops", None), said.append, port=0)
    assert stopped.value.reason.code is Code.CANCELLED
    assert any("ssh -L" in line for line in said)


async def test_serve_stops_while_it_waits_for_a_person(environ: dict[str, str]) -> None:
    stop = asyncio.Event()
    stop.set()
    assert not await wait_for_setup(load_settings(environ), stop, lambda _line: None)
