"""What people see of GitHub's stand-in in the demo."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from examples.demo.pages import Pages
from tests.standins.github.server import GitHubServer
from tests.standins.github.state import PullRequest

EDGES = "acme/edges"


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[GitHubServer]:
    server = GitHubServer(tmp_path)
    server.website = Pages(server, ("ada", "grace"))
    async with server:
        server.repository(EDGES)
        yield server


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def opened(github: GitHubServer) -> tuple[PullRequest, str]:
    pull = await github.open_pull_request(EDGES, "sharper", files={"a": "b"}, title="Sharper")
    return pull, f"{github.url}/{EDGES}/pull/{pull.number}"


async def shown(browser: aiohttp.ClientSession, url: str) -> str:
    async with browser.get(url) as answer:
        assert answer.status == 200
        return await answer.text()


async def test_a_person_comments(github: GitHubServer, browser: aiohttp.ClientSession) -> None:
    pull, url = await opened(github)
    form = {"body": "/pachops help", "by": "grace"}
    async with browser.post(url, data=form) as answer:
        assert "/pachops help" in await answer.text()
    (comment,) = github.comments(pull)
    assert (comment.author.login, comment.body) == ("grace", "/pachops help")


@pytest.mark.parametrize(
    "form", [{"body": "", "by": "ada"}, {"body": "hello", "by": "mallory"}, {"by": "ada"}]
)
async def test_nobody_else_comments(
    github: GitHubServer, browser: aiohttp.ClientSession, form: dict[str, str]
) -> None:
    pull, url = await opened(github)
    async with browser.post(url, data=form):
        pass
    assert github.comments(pull) == []


async def test_another_sites_page_cannot_comment(
    github: GitHubServer, browser: aiohttp.ClientSession
) -> None:
    pull, url = await opened(github)
    form = {"body": "/pachops deploy production", "by": "ada"}
    async with browser.post(url, data=form, headers={"Sec-Fetch-Site": "cross-site"}) as answer:
        assert answer.status == 403
    assert github.comments(pull) == []


async def test_a_persons_markup_is_text_and_a_commit_is_a_link(
    github: GitHubServer, browser: aiohttp.ClientSession
) -> None:
    pull, url = await opened(github)
    await github.comment(pull, f"<script>alert(1)</script> at {pull.head_sha}")
    page = await shown(browser, url)
    assert "<script>alert" not in page
    assert f'href="/{EDGES}/commit/{pull.head_sha}"' in page
    assert "Checks" in await shown(browser, f"{github.url}/{EDGES}/commit/{pull.head_sha}")


async def test_the_bots_folds_are_folds(
    github: GitHubServer, browser: aiohttp.ClientSession
) -> None:
    pull, url = await opened(github)
    fold = "<details><summary>Log</summary>\n\n| a |\n| --- |\n| b |\n\n</details>"
    await github.comment(pull, fold, by="pachops[bot]")
    page = await shown(browser, url)
    assert "<summary>Log</summary>" in page
    assert "<td>b</td>" in page


async def test_the_first_page_leads_to_the_repository(
    github: GitHubServer, browser: aiohttp.ClientSession
) -> None:
    await opened(github)
    assert "#1 Sharper" in await shown(browser, github.url)


@pytest.mark.parametrize("path", ["acme/nothing", "acme/edges/pull/7", "acme/edges/pull/x"])
async def test_what_is_not_there_is_not_found(
    github: GitHubServer, browser: aiohttp.ClientSession, path: str
) -> None:
    async with browser.get(f"{github.url}/{path}") as answer:
        assert answer.status == 404
