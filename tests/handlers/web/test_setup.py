"""The set-up's page, from the code to the keys; the flaws of others' pages are tests."""

import asyncio
import html
import json
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from pydantic import SecretStr

from bot.domain.reasons import Code, StoppedError
from bot.services.github import AppWish, NewApp, app_from_manifest
from handlers.github.events import WANTED
from handlers.web.setup import words
from handlers.web.setup.flow import LIFE_SECONDS, Setup
from handlers.web.setup.form import address_problem
from handlers.web.setup.pages import COOKIE, SetupPages
from tests.handlers.github.world import served
from tests.handlers.web.browser import Browser
from tests.standins.github.app import PERMISSIONS
from tests.standins.github.server import GitHubServer

BOT = "https://pachops.example.com"
WISH = AppWish("pachops-acme", None)


@dataclass
class Stage:
    """A set-up that is served, and what became of it."""

    github: GitHubServer
    browser: Browser
    session: aiohttp.ClientSession
    now: float = 0.0
    kept: list[NewApp] = field(default_factory=list)
    problem: StoppedError | None = None
    url: str = ""
    setup: Setup = field(init=False)
    pages: SetupPages = field(init=False)

    def __post_init__(self) -> None:
        fetch = partial(app_from_manifest, base_url=self.github.api_url)
        self.setup = Setup(self.github.url, fetch, self._keep, lambda: self.now)
        self.pages = SetupPages(self.setup, WISH, goes_on=False)

    def _keep(self, app: NewApp) -> Path:
        if self.problem:
            raise self.problem
        self.kept.append(app)
        return Path("/data/github-app.json")

    async def enter(self) -> None:
        """Open the page and say the code."""
        await self.browser.open(f"{self.url}/setup")
        await self.browser.send(code=self.setup.code)

    async def sent(self, **filled: str) -> str:
        """Come as far as the page that goes to GitHub; the state."""
        await self.enter()
        page = await self.browser.send(**filled)
        return parse_qs(urlsplit(page.forms[0].action).query)["state"][0]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with (
        GitHubServer(tmp_path) as github,
        aiohttp.ClientSession(cookie_jar=jar) as session,
    ):
        stage = Stage(github, Browser(session), session)
        async with served(stage.pages.app()) as stage.url:
            yield stage


# --- the whole way


async def test_from_the_code_to_the_keys(stage: Stage) -> None:
    page = await stage.browser.open(stage.url)
    assert words.ENTER_CODE in page.text
    page = await stage.browser.send(code=stage.setup.code)
    assert page.forms[0].fields["name"] == "pachops-acme"
    page = await stage.browser.send(address=BOT)
    assert f"{BOT}/github/webhook" in page.text
    page = await stage.browser.send()
    assert page.url.startswith(stage.github.url)
    page = await stage.browser.send()
    assert page.url == f"{stage.url}/setup"
    assert words.DONE in page.text
    assert f"{stage.github.url}/github-apps/pachops/installations/new" in page.links
    (app,) = stage.kept
    assert app.private_key.get_secret_value() == stage.github.app.private_key
    assert app.webhook_secret == SecretStr(stage.github.app.webhook_secret)
    assert stage.pages.shown.is_set()


async def test_the_manifest_asks_for_the_least(stage: Stage) -> None:
    await stage.sent(address=BOT)
    await stage.browser.send()
    ((owner, manifest),) = stage.github.website.manifests
    assert owner == ""
    without_teams = {name: level for name, level in PERMISSIONS.items() if name != "members"}
    assert manifest["default_permissions"] == without_teams
    # Of suites, as of buttons, every App is told that may write checks.
    assert set(manifest["default_events"]) == WANTED.keys() - {"check_suite"}
    assert manifest["public"] is False
    assert manifest["hook_attributes"] == {"url": f"{BOT}/github/webhook", "active": True}
    assert manifest["callback_urls"] == [f"{BOT}/login/callback"]
    assert manifest["redirect_url"] == f"{stage.url}/setup/made"


async def test_an_organizations_app_may_read_its_teams_where_that_is_wanted(stage: Stage) -> None:
    await stage.sent(organization="acme", teams="yes")
    await stage.browser.send()
    ((owner, manifest),) = stage.github.website.manifests
    assert (owner, manifest["default_permissions"]) == ("acme", PERMISSIONS)


async def test_without_an_address_the_webhook_is_off_and_the_person_is_told(stage: Stage) -> None:
    await stage.sent()
    await stage.browser.send()
    page = await stage.browser.send()
    ((_, manifest),) = stage.github.website.manifests
    assert manifest["hook_attributes"]["active"] is False
    assert words.ENTER_ADDRESS in page.text
    assert f"{stage.github.url}/settings/apps/pachops" in page.links


async def test_behind_a_proxy_the_person_comes_back_to_where_the_browser_was(stage: Stage) -> None:
    await stage.enter()
    async with stage.session.post(
        f"{stage.url}/setup/app", data={"name": "x"}, headers={"Origin": BOT}
    ) as answer:
        text = html.unescape(await answer.text())
    assert f'"redirect_url": "{BOT}/setup/made"' in text


# --- who may


@pytest.mark.parametrize("code", ["", "AAAA-AAAA-AAAA-AAAA", "é" * 16])
async def test_without_the_code_nobody_gets_in(stage: Stage, code: str) -> None:
    await stage.browser.open(f"{stage.url}/setup")
    page = await stage.browser.send(code=code)
    assert page.status == 403
    assert words.WRONG_CODE in page.text
    page = await stage.browser.open(f"{stage.url}/setup")
    assert words.ENTER_CODE in page.text


@pytest.mark.parametrize("path", ["app", "keep"])
async def test_no_form_is_taken_without_the_code(stage: Stage, path: str) -> None:
    page = await stage.browser.post(f"{stage.url}/setup/{path}", name="x")
    assert page.status == 403
    assert "manifest" not in page.html


async def test_an_answer_of_github_is_not_taken_without_the_code(stage: Stage) -> None:
    state = await stage.sent()
    stage.session.cookie_jar.clear()
    page = await stage.browser.open(f"{stage.url}/setup/made?code=x&state={state}")
    assert page.status == 403
    assert not stage.kept


async def test_a_guessed_session_is_not_one(stage: Stage) -> None:
    for guess in ("", "x", "é"):
        assert not stage.setup.knows(guess)
    await stage.enter()
    assert not stage.setup.knows("x")


async def test_the_code_may_be_typed_as_people_type(stage: Stage) -> None:
    await stage.browser.open(f"{stage.url}/setup")
    typed = f"  {stage.setup.code.lower().replace('-', ' ')}\n"
    page = await stage.browser.send(code=typed)
    assert words.FORM in page.text


async def test_the_code_is_good_once(stage: Stage) -> None:
    await stage.enter()
    stage.session.cookie_jar.clear()
    await stage.browser.open(f"{stage.url}/setup")
    page = await stage.browser.send(code=stage.setup.code)
    assert page.status == 403
    assert words.USED_CODE in page.text


def test_no_two_codes_are_the_same(stage: Stage) -> None:
    codes = {Setup("", app_from_manifest, stage._keep).code for _ in range(100)}
    assert len(codes) == 100
    assert all(re.fullmatch(r"([A-HJ-NP-Z2-9]{4}-){3}[A-HJ-NP-Z2-9]{4}", each) for each in codes)


async def test_the_session_is_for_this_page_and_for_no_script(stage: Stage) -> None:
    async with stage.session.post(
        f"{stage.url}/setup/code",
        data={"code": stage.setup.code},
        headers={"Origin": "https://bot.example.com"},
        allow_redirects=False,
    ) as answer:
        cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for part in ("HttpOnly", "SameSite=Lax", "Path=/setup", "Secure"):
        assert part in cookie


# --- the state


@pytest.mark.parametrize("state", [None, "", "x", "é", "{state}x"])
async def test_an_answer_that_nobody_waits_for_is_refused(stage: Stage, state: str | None) -> None:
    true = await stage.sent()
    stage.github.made_from_manifest("a-code")
    query = {"code": "a-code"}
    if state is not None:
        query["state"] = state.replace("{state}", true)
    async with stage.session.get(f"{stage.url}/setup/made", params=query) as answer:
        assert answer.status == 403
        assert words.WRONG_STATE in html.unescape(await answer.text())
    assert not stage.kept
    assert stage.github.called("POST", "/app-manifests") == 0


async def test_a_state_is_good_once(stage: Stage) -> None:
    state = await stage.sent()
    stage.github.made_from_manifest("first")
    stage.github.made_from_manifest("second")
    await stage.browser.open(f"{stage.url}/setup/made?code=first&state={state}")
    page = await stage.browser.open(f"{stage.url}/setup/made?code=second&state={state}")
    assert page.status == 403
    assert len(stage.kept) == 1


async def test_of_two_answers_at_the_same_time_one_is_taken(stage: Stage) -> None:
    state = await stage.sent()
    stage.github.made_from_manifest("first")
    stage.github.made_from_manifest("second")

    async def answer(code: str) -> int:
        url = f"{stage.url}/setup/made?code={code}&state={state}"
        async with stage.session.get(url, allow_redirects=False) as answer:
            return answer.status

    statuses = await asyncio.gather(answer("first"), answer("second"))
    assert sorted(statuses) == [303, 403]
    assert len(stage.kept) == 1


async def test_a_state_of_an_hour_ago_is_not_one(stage: Stage) -> None:
    state = await stage.sent()
    stage.github.made_from_manifest("a-code")
    stage.now += LIFE_SECONDS + 1
    page = await stage.browser.open(f"{stage.url}/setup/made?code=a-code&state={state}")
    assert page.status == 403
    assert not stage.kept


async def test_only_the_last_form_counts(stage: Stage) -> None:
    first = await stage.sent()
    await stage.browser.open(f"{stage.url}/setup")
    await stage.browser.send(name="another")
    page = await stage.browser.open(f"{stage.url}/setup/made?code=a-code&state={first}")
    assert page.status == 403


async def test_when_there_is_an_app_no_other_is_made(stage: Stage) -> None:
    await stage.sent()
    await stage.browser.send()
    await stage.browser.send()
    page = await stage.browser.post(f"{stage.url}/setup/app", name="another")
    assert words.DONE in page.text
    assert len(stage.github.website.manifests) == 1


# --- what is written is shown as it is


@pytest.mark.parametrize("name", ["'><script>alert(1)</script>", '"><b>', "a'b & c"])
async def test_what_is_written_into_the_manifest_stays_in_it(stage: Stage, name: str) -> None:
    await stage.sent(name=name)
    page = stage.browser.page
    assert page is not None
    assert {"script", "b"}.isdisjoint(page.tags)
    assert json.loads(page.forms[0].fields["manifest"])["name"] == name
    await stage.browser.send()
    ((_, manifest),) = stage.github.website.manifests
    assert manifest["name"] == name


async def test_an_organizations_name_does_not_change_where_the_form_goes(stage: Stage) -> None:
    await stage.enter()
    page = await stage.browser.send(organization="../../evil?x=")
    assert page.status == 422
    assert words.ORGANIZATION_WRONG in page.text


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("name", "", words.NAME_WRONG),
        ("name", "x" * 35, words.NAME_WRONG),
        ("name", "two\nlines", words.NAME_WRONG),
        ("address", "pachops.example.com", words.ADDRESS_WRONG),
        ("address", "javascript:alert(1)", words.ADDRESS_WRONG),
        ("address", "https://me:secret@pachops.example.com", words.ADDRESS_WRONG),
        ("address", "https://pachops.example.com?x=1", words.ADDRESS_WRONG),
        ("address", "https://[::1", words.ADDRESS_WRONG),
        ("address", "https://x:99999", words.ADDRESS_WRONG),
    ],
)
async def test_what_cannot_be_is_said_beside_its_field(
    stage: Stage, field: str, value: str, problem: str
) -> None:
    await stage.enter()
    page = await stage.browser.send(**{field: value})
    assert page.status == 422
    assert problem in page.text
    assert page.forms[0].fields[field] == value.strip()
    assert re.search(rf'id="{field}" [^>]*aria-invalid="true" autofocus', page.html)


@pytest.mark.parametrize(
    "written", [BOT, f"{BOT}/", f" {BOT}/github/webhook/ ", f"{BOT}/github/webhook"]
)
async def test_an_address_is_taken_as_people_copy_it(stage: Stage, written: str) -> None:
    await stage.sent(address=written)
    assert stage.browser.page is not None
    assert f" {BOT}/github/webhook " in f" {stage.browser.page.text} "


async def test_no_page_is_kept_framed_or_run(stage: Stage) -> None:
    await stage.sent(address=BOT)
    page = stage.browser.page
    assert page is not None
    assert page.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"


async def test_neither_code_nor_keys_are_shown_or_logged(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    seen = ""
    with caplog.at_level(logging.DEBUG):
        state = await stage.sent(address=BOT)
        for _ in range(2):
            page = await stage.browser.send()
            seen += page.html
    assert stage.kept
    for secret in (stage.setup.code, "a-client-secret", stage.github.app.webhook_secret, "BEGIN"):
        assert secret not in seen + caplog.text
    assert state not in page.html + page.url


# --- what goes wrong


async def test_an_app_whose_keys_did_not_come_is_said(stage: Stage) -> None:
    state = await stage.sent()
    page = await stage.browser.open(f"{stage.url}/setup/made?code=gone&state={state}")
    assert page.status == 502
    assert words.NO_KEYS in page.text
    assert not stage.setup.kept.is_set()
    page = await stage.browser.open(f"{stage.url}/setup")
    assert words.FORM in page.text


async def test_keys_that_cannot_be_written_are_not_lost(stage: Stage) -> None:
    stage.problem = StoppedError(Code.DISK_FULL, "no space", where="/data")
    await stage.sent()
    await stage.browser.send()
    page = await stage.browser.send()
    assert page.status == 500
    assert "no space" in page.text
    page = await stage.browser.send()
    assert page.status == 500
    stage.problem = None
    page = await stage.browser.send()
    assert words.DONE in page.text
    assert len(stage.kept) == 1


# --- all else


async def test_nothing_else_is_served_meanwhile(stage: Stage) -> None:
    assert (await stage.browser.post(f"{stage.url}/github/webhook", x="1")).status == 503
    assert (await stage.browser.open(f"{stage.url}/healthz")).status == 200
    assert (await stage.browser.open(f"{stage.url}/deployments")).status == 404


async def test_a_browser_that_asks_for_an_icon_is_not_told_of_an_error(stage: Stage) -> None:
    assert (await stage.browser.open(f"{stage.url}/favicon.ico")).status == 204


async def test_its_style_is_kept_for_the_last_page(stage: Stage) -> None:
    async with stage.session.get(f"{stage.url}/setup/style.css") as answer:
        assert answer.headers["Cache-Control"] == "private, max-age=3600"
        assert answer.content_type == "text/css"
        assert "prefers-color-scheme: dark" in await answer.text()


@pytest.mark.parametrize(
    ("address", "base_url", "is_fine"),
    [
        ("http://localhost:8080", "https://github.com", False),
        ("http://127.0.0.1", "https://github.com", False),
        ("http://127.0.0.1", "http://127.0.0.1:3000", True),
        ("http://10.0.0.5:8080/pachops", "https://github.acme.io", True),
    ],
)
def test_github_must_be_able_to_reach_the_address(
    address: str, base_url: str, *, is_fine: bool
) -> None:
    assert (address_problem(address, base_url) is None) == is_fine
