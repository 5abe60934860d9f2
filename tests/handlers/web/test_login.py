from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr
from yarl import URL

from bot.domain.github import Permission
from bot.services.github import SignIn
from handlers.web.access import SESSION
from handlers.web.login import STATE, own_path
from tests.handlers.reports import example
from tests.handlers.web.world import World, world
from tests.standins.github.sign_in import SignInServer

BAD = example.BAD


@pytest.fixture
async def github() -> AsyncIterator[SignInServer]:
    async with SignInServer() as github:
        yield github


@pytest.fixture
async def site(tmp_path: Path, github: SignInServer) -> AsyncIterator[World]:
    secret = SecretStr(github.client_secret)
    async with world(tmp_path, sign_in=SignIn(github.url, github.client_id, secret)) as made:
        github.callback = f"{made.url}/login/callback"
        host = github.url.partition("://")[2]
        request = replace(BAD.request, repository=f"http://{host}/acme/vision.git")
        await made.add(replace(BAD, request=request), example.failed())
        made.permissions["acme/vision", "ada"] = Permission.READ
        yield made


async def test_whoever_can_read_the_repository_logs_in_and_is_where_they_wanted_to_be(
    site: World, browser: aiohttp.ClientSession
) -> None:
    async with browser.get(f"{site.url}/deployments/{BAD.id}?line=3") as answer:
        assert answer.status == 200
        assert answer.url.path_qs == f"/deployments/{BAD.id}?line=3"
        assert "Log out" in await answer.text()


async def test_whoever_cannot_read_it_gets_what_is_there_for_nobody(
    site: World, github: SignInServer, browser: aiohttp.ClientSession
) -> None:
    github.user = "eve"
    async with browser.get(f"{site.url}/deployments/{BAD.id}") as answer:
        assert answer.status == 404
    async with browser.get(site.url) as answer:
        assert answer.status == 200
        assert BAD.id not in await answer.text()


async def test_a_forged_link_does_not_lead_to_the_login(
    site: World, browser: aiohttp.ClientSession
) -> None:
    async with browser.get(f"{site.url}/deployments/{BAD.id}?seal=x") as answer:
        assert answer.status == 404


async def test_github_is_asked_once_for_a_while(
    site: World, browser: aiohttp.ClientSession
) -> None:
    for _ in range(3):
        async with browser.get(f"{site.url}/deployments/{BAD.id}") as answer:
            assert answer.status == 200
    assert site.asked == [("acme/vision", "ada")]


async def test_nobody_is_let_in_because_github_does_not_answer(
    site: World, browser: aiohttp.ClientSession
) -> None:
    site.silent = True
    async with browser.get(f"{site.url}/deployments/{BAD.id}") as answer:
        assert answer.status == 503
        assert BAD.id not in await answer.text()
    site.silent = False
    async with browser.get(f"{site.url}/deployments/{BAD.id}") as answer:
        assert answer.status == 200


async def test_a_token_is_not_kept(
    site: World, github: SignInServer, browser: aiohttp.ClientSession
) -> None:
    async with browser.get(site.url) as answer:
        assert answer.status == 200
    assert github.tokens == {}


async def test_who_logs_out_is_out(site: World, browser: aiohttp.ClientSession) -> None:
    async with browser.get(f"{site.url}/deployments/{BAD.id}"):
        pass
    async with browser.post(f"{site.url}/logout") as answer:
        assert "logged out" in await answer.text()
    async with browser.get(f"{site.url}/deployments/{BAD.id}", allow_redirects=False) as answer:
        assert answer.status == 303


async def test_the_session_is_out_of_reach_of_scripts(
    site: World, browser: aiohttp.ClientSession
) -> None:
    async with browser.get(site.url) as answer:
        cookies = [cookie for each in answer.history for cookie in each.cookies.values()]
    (session,) = (cookie for cookie in cookies if cookie.key == SESSION)
    assert session["httponly"]
    assert session["samesite"] == "Lax"


async def test_nobody_is_logged_in_by_a_callback_that_they_did_not_ask_for(
    site: World, browser: aiohttp.ClientSession
) -> None:
    async with browser.get(f"{site.url}/login", allow_redirects=False) as answer:
        to = URL(answer.headers["Location"])
    async with browser.get(to, allow_redirects=False) as answer:
        back = URL(answer.headers["Location"])
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as victim:
        async with victim.get(back) as answer:
            assert answer.status == 400
        async with victim.get(f"{site.url}/login", allow_redirects=False):
            pass
        async with victim.get(back) as answer:
            assert answer.status == 400
            assert SESSION not in {cookie.key for cookie in victim.cookie_jar}


async def test_a_code_is_good_with_its_own_verifier_only(
    site: World, browser: aiohttp.ClientSession
) -> None:
    states = []
    for _ in range(2):
        async with browser.get(f"{site.url}/login", allow_redirects=False) as answer:
            states.append((URL(answer.headers["Location"]), answer.cookies[STATE].value))
    async with browser.get(states[0][0], allow_redirects=False) as answer:
        code = URL(answer.headers["Location"]).query["code"]
    state = states[1][0].query["state"]
    async with browser.get(
        f"{site.url}/login/callback", params={"code": code, "state": state}
    ) as answer:
        assert answer.status == 502


@pytest.mark.parametrize("trouble", ["denied", "broken"])
async def test_a_login_that_fails_can_be_tried_again(
    site: World, github: SignInServer, browser: aiohttp.ClientSession, trouble: str
) -> None:
    setattr(github, trouble, True)
    async with browser.get(f"{site.url}/login") as answer:
        assert answer.status in {400, 502}
        text = await answer.text()
    assert "Log in with GitHub" in text
    assert github.client_secret not in text


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        ("/deployments/x?line=3", "/deployments/x?line=3"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\b", "/"),
        ("https://evil.example", "/"),
        ("/a\nSet-Cookie: x", "/"),
        ("", "/"),
    ],
)
def test_nobody_is_sent_elsewhere(asked: str, path: str) -> None:
    assert own_path(asked) == path
