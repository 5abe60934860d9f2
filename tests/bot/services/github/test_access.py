"""Who the client is to GitHub: an App, its installations, a token."""

import asyncio
import base64
import logging
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from bot.domain.github import Permission
from bot.domain.reasons import Code, StoppedError
from bot.services.github import GitHub, RepositoryClient
from tests.real.git_server import GIT
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import PullRequest

TOKENS = "/access_tokens"


async def test_nine_calls_at_once_fetch_one_token(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    found = await asyncio.gather(*(edges.permission("ada") for _ in range(9)))

    assert found == [Permission.WRITE] * 9
    assert server.called("POST", TOKENS) == 1


async def test_a_token_that_was_prefetched_is_not_fetched_again(
    github: GitHub, edges: RepositoryClient, server: GitHubServer
) -> None:
    assert await github.prefetch() == 1
    before = len(server.calls)

    await edges.permission("ada")
    await github.author()

    assert len(server.calls) == before + 1


async def test_a_suspended_installations_token_is_not_prefetched(
    github: GitHub, server: GitHubServer
) -> None:
    server.installation("acme/edges").suspended = True

    assert await github.prefetch() == 0


async def test_with_a_token_the_name_alone_is_prefetched(
    by_token: GitHub, server: GitHubServer
) -> None:
    assert await by_token.prefetch() == 0
    assert [each.path for each in server.calls] == ["/user"]


async def test_a_token_is_renewed_before_its_end(github: GitHub, server: GitHubServer) -> None:
    server.world.token_life = 4 * 60
    edges = github.for_repository("acme", "edges", server.installation("acme/edges").id)

    await edges.permission("ada")
    await edges.permission("ada")

    assert server.called("POST", TOKENS) == 2


async def test_a_token_that_github_has_taken_back_is_replaced(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    await edges.permission("ada")
    server.revoke_tokens()

    assert await edges.permission("ada") is Permission.WRITE
    assert server.called("POST", TOKENS) == 2


async def test_an_app_that_is_not_told_its_installation_asks_once(
    github: GitHub, server: GitHubServer
) -> None:
    edges = github.for_repository("acme", "edges")

    await asyncio.gather(*(edges.permission("ada") for _ in range(5)))

    assert server.called("GET", "/installation") == 1
    assert server.called("POST", TOKENS) == 1


async def test_an_app_that_is_not_installed_is_told_so(
    github: GitHub, server: GitHubServer
) -> None:
    server.repository("umbrella/hive", installed=False)

    with pytest.raises(StoppedError) as stopped:
        await github.for_repository("umbrella", "hive").permission("ada")

    assert stopped.value.reason.code is Code.GITHUB_REFUSED
    assert "installation on umbrella/hive" in stopped.value.reason.fact
    assert "Install the App" in stopped.value.reason.next_step


async def test_an_installation_that_is_suspended_is_refused(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    server.installation("acme/edges").suspended = True

    with pytest.raises(StoppedError, match="suspended"):
        await edges.permission("ada")


async def test_another_apps_key_is_refused(server: GitHubServer) -> None:
    github = GitHub.as_app(99, SecretStr(server.app.private_key), base_url=server.api_url)

    with pytest.raises(StoppedError) as stopped:
        await github.author()
    await github.close()

    assert stopped.value.reason.code is Code.GITHUB_REFUSED


def _elliptic() -> str:
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


@pytest.mark.parametrize(
    "key",
    ["", "no key", "-----BEGIN RSA PRIVATE KEY-----\nx\n", _elliptic()],
    # It is another key in each process of a run, which must all have the same tests.
    ids=["empty", "text", "broken", "elliptic"],
)
def test_a_key_that_is_none_is_a_wrong_setting(key: str) -> None:
    with pytest.raises(StoppedError) as stopped:
        GitHub.as_app(1, SecretStr(key))

    assert stopped.value.reason.code is Code.BAD_SETTINGS


async def test_the_apps_comments_are_by_its_bot(github: GitHub) -> None:
    assert await github.author() == "pachops[bot]"
    assert github.is_app


async def test_a_tokens_comments_are_by_its_user(by_token: GitHub) -> None:
    assert await by_token.author() == "ada"
    assert not by_token.is_app


async def test_a_token_reads_what_its_user_may(
    by_token: GitHub, server: GitHubServer, pull: PullRequest
) -> None:
    edges = by_token.for_repository("acme", "edges")

    assert (await edges.pull_request(pull.number)).head_sha == pull.head_sha
    assert server.called("POST", TOKENS) == 0


@pytest.mark.real
async def test_the_git_login_fetches_this_repository_and_no_other(
    edges: RepositoryClient, server: GitHubServer, tmp_path: Path
) -> None:
    server.repository("acme/other")
    sha = await server.push("acme/edges", {"a": "1"})

    login = await edges.git_login()
    assert login

    pair = f"{login.username}:{login.password.get_secret_value()}"
    assert sha in await _ls_remote(server, "acme/edges", pair, tmp_path)
    with pytest.raises(subprocess.CalledProcessError):
        await _ls_remote(server, "acme/other", pair, tmp_path)


async def test_the_git_login_is_good_for_nothing_but_fetching(
    edges: RepositoryClient, server: GitHubServer
) -> None:
    login = await edges.git_login()
    assert login

    token = server.world.tokens[login.password.get_secret_value()]
    assert token.permissions == {"metadata": "read", "contents": "read"}
    assert token.repos == frozenset({"acme/edges"})


async def test_the_git_login_is_kept_while_it_is_fresh(edges: RepositoryClient) -> None:
    first, second = await edges.git_login(), await edges.git_login()

    assert first == second


async def test_with_a_token_the_git_login_is_the_token(
    by_token: GitHub, server: GitHubServer
) -> None:
    login = await by_token.for_repository("acme", "edges").git_login()
    assert login

    assert login.username == "x-access-token"
    assert login.password.get_secret_value() in server.world.tokens


async def test_no_token_is_logged_however_much_is(
    edges: RepositoryClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        login = await edges.git_login()
        assert login

    assert login.password.get_secret_value() not in caplog.text


async def _ls_remote(server: GitHubServer, name: str, pair: str, folder: Path) -> str:
    header = f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}"
    process = await asyncio.create_subprocess_exec(
        GIT,
        "-c",
        f"http.extraHeader={header}",
        "ls-remote",
        f"{server.url}/{name}.git",
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": str(folder)},
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, "git ls-remote")
    return output.decode()
