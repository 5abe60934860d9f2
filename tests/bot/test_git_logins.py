"""How git gets at private repositories: the settings' logins, then the GitHub App's."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError
from bot.git_logins import GitLogins
from bot.redact import MASK, Redactor, logs_cleaned
from bot.services.git import Git
from bot.services.github import Clock, GitHub
from bot.services.logins import Login
from bot.settings import load_settings
from tests.standins.github.app import Token
from tests.standins.github.faults import error
from tests.standins.github.server import GitHubServer

EDGES = "acme/edges"
TOKENS = "/access_tokens"

pytestmark = pytest.mark.real


async def _at_once(_seconds: float) -> None:
    """Nobody waits in a test."""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[GitHubServer]:
    async with GitHubServer(tmp_path) as server:
        server.repository(EDGES, {"a": "1"})
        yield server


class Reader:
    """Git with the App's logins, as the bot puts it together."""

    def __init__(self, folder: Path, server: GitHubServer, **settings: str) -> None:
        self.redactor = Redactor([])
        self.mirrors = folder / "mirrors"
        self.github = GitHub.as_app(
            server.app.id,
            SecretStr(server.app.private_key),
            base_url=server.api_url,
            clock=Clock(sleep=_at_once),
            learn=self.redactor.learn,
        )
        environ = {
            "HOME": str(folder),
            "PACHOPS_GITHUB_BASE_URL": server.url,
            "PACHOPS_GITHUB_APP_ID": str(server.app.id),
            "PACHOPS_GITHUB_PRIVATE_KEY": server.app.private_key.replace("\n", "\\n"),
        }
        logins = GitLogins(load_settings(environ | settings), self._ask)
        self.git = Git(self.mirrors, find_login=logins, timeout=30)

    async def _ask(self, owner: str, name: str, refused: Login | None) -> Login | None:
        return await self.github.for_repository(owner, name).git_login(refused=refused)


@pytest.fixture
async def reader(tmp_path: Path, server: GitHubServer) -> AsyncIterator[Reader]:
    reader = Reader(tmp_path, server)
    yield reader
    await reader.github.close()


def address(server: GitHubServer, name: str = EDGES) -> str:
    return f"{server.url}/{name}.git"


def tokens(server: GitHubServer) -> list[Token]:
    return list(server.world.tokens.values())


async def test_a_private_repository_is_read(reader: Reader, server: GitHubServer) -> None:
    commit = await reader.git.resolve(address(server), "main")
    mirror = await reader.git.mirror(address(server), commit.sha)
    assert await mirror.read(commit.sha, "a") == b"1"


async def test_the_token_is_for_this_repository_and_for_reading_files_alone(
    reader: Reader, server: GitHubServer
) -> None:
    server.repository("acme/other")
    await reader.git.resolve(address(server), "main")
    (token,) = tokens(server)
    assert token.repos == frozenset({EDGES})
    assert token.permissions == {"metadata": "read", "contents": "read"}


async def test_a_token_of_one_repository_is_not_used_for_another(
    reader: Reader, server: GitHubServer
) -> None:
    server.repository("acme/other")
    await reader.git.resolve(address(server), "main")
    await reader.git.resolve(address(server, "acme/other"), "main")
    assert [token.repos for token in tokens(server)] == [
        frozenset({EDGES}),
        frozenset({"acme/other"}),
    ]


async def test_many_readers_at_once_fetch_one_token(reader: Reader, server: GitHubServer) -> None:
    await asyncio.gather(*(reader.git.resolve(address(server), "main") for _ in range(5)))
    assert (server.called("POST", TOKENS), server.called("GET", "/installation")) == (1, 1)


async def test_the_installation_that_a_webhook_told_is_not_asked_for(
    reader: Reader, server: GitHubServer
) -> None:
    reader.github.for_repository("acme", "edges", server.installation(EDGES).id)
    await reader.git.resolve(address(server), "main")
    assert server.called("GET", "/installation") == 0


async def test_an_app_that_was_installed_anew_is_found_again(
    reader: Reader, server: GitHubServer
) -> None:
    reader.github.for_repository("acme", "edges", 1)
    assert (await reader.git.resolve(address(server), "main")).sha


async def test_a_token_that_ended_between_two_fetches_is_replaced(
    reader: Reader, server: GitHubServer
) -> None:
    await reader.git.resolve(address(server), "main")
    tokens(server)[0].expires_at = 0.0
    sha = await server.push(EDGES, {"a": "2"})
    mirror = await reader.git.mirror(address(server), sha)
    assert await mirror.read(sha, "a") == b"2"
    assert server.called("POST", TOKENS) == 2


async def test_a_token_near_its_end_is_not_used_any_more(
    reader: Reader, server: GitHubServer
) -> None:
    server.world.token_life = 60.0
    await reader.git.resolve(address(server), "main")
    await reader.git.resolve(address(server), "main")
    assert server.called("POST", TOKENS) == 2


async def test_a_github_that_is_down_is_asked_again_and_then_said(
    reader: Reader, server: GitHubServer
) -> None:
    server.fail("POST", f"/app/installations/*{TOKENS}", error(502), times=4)
    with pytest.raises(StoppedError) as stopped:
        await reader.git.resolve(address(server), "main")
    assert stopped.value.reason.code is Code.GITHUB_UNREACHABLE
    assert server.called("POST", TOKENS) == 4
    assert (await reader.git.resolve(address(server), "main")).sha


async def test_the_token_is_in_no_file_and_in_no_log(
    reader: Reader, server: GitHubServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        commit = await reader.git.resolve(address(server), "main")
        await reader.git.mirror(address(server), commit.sha)
    (token,) = tokens(server)
    assert token.value not in caplog.text
    files = [path for path in reader.mirrors.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if token.value.encode() in path.read_bytes()]


async def test_the_token_is_masked_wherever_it_would_be_shown(
    reader: Reader, server: GitHubServer
) -> None:
    await reader.git.resolve(address(server), "main")
    (token,) = tokens(server)
    assert reader.redactor.clean(f"Authorization: {token.value}") == f"Authorization: {MASK}"


async def test_whoever_logs_it_the_token_is_masked(reader: Reader, server: GitHubServer) -> None:
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    try:
        with logs_cleaned(reader.redactor):
            await reader.git.resolve(address(server), "main")
            (token,) = tokens(server)
            logging.getLogger("somebody").warning("it is %s", token.value)
    finally:
        logging.getLogger().removeHandler(handler)
    assert f"it is {MASK}" in log.getvalue()


async def test_a_login_of_the_settings_goes_first(tmp_path: Path, server: GitHubServer) -> None:
    host = server.url.removeprefix("http://")
    reader = Reader(
        tmp_path,
        server,
        PACHOPS_GIT_HOST=host,
        PACHOPS_GIT_USERNAME="ada",
        PACHOPS_GIT_PASSWORD=server.personal_token("ada"),
    )
    assert (await reader.git.resolve(address(server), "main")).sha
    await reader.github.close()
    assert server.called("POST", TOKENS) == 0


async def test_where_the_app_is_not_installed_what_is_public_is_read(
    reader: Reader, server: GitHubServer
) -> None:
    server.repository("umbrella/open", private=False, installed=False)
    assert (await reader.git.resolve(address(server, "umbrella/open"), "main")).sha


async def test_where_the_app_is_not_installed_what_is_private_is_not_read(
    reader: Reader, server: GitHubServer
) -> None:
    server.repository("umbrella/hive", installed=False)
    with pytest.raises(StoppedError) as stopped:
        await reader.git.resolve(address(server, "umbrella/hive"), "main")
    assert stopped.value.reason.code is Code.REPOSITORY_UNREADABLE
    assert "install it" in stopped.value.reason.next_step


async def test_an_app_without_contents_is_refused_its_token(
    reader: Reader, server: GitHubServer
) -> None:
    del server.installation(EDGES).permissions["contents"]
    with pytest.raises(StoppedError) as stopped:
        await reader.git.resolve(address(server), "main")
    assert stopped.value.reason.code is Code.GITHUB_REFUSED


@pytest.mark.parametrize("path", ["edges", "acme/edges/more", ""])
async def test_what_is_no_repository_of_github_gets_no_token(
    reader: Reader, server: GitHubServer, path: str
) -> None:
    with pytest.raises(StoppedError):
        await reader.git.resolve(f"{server.url}/{path}", "main")
    assert (tokens(server), server.called("GET", "/installation")) == ([], 0)


async def test_another_host_gets_no_token(reader: Reader, server: GitHubServer) -> None:
    elsewhere = address(server).replace("127.0.0.1", "localhost")
    with pytest.raises(StoppedError):
        await reader.git.resolve(elsewhere, "main")
    assert (tokens(server), server.called("GET", "/installation")) == ([], 0)
