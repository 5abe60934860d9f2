import re
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr

from bot.domain.deployment import asked_at, derived_deployment_id
from bot.domain.reasons import StoppedError
from handlers.web.access import Links, place_of
from handlers.web.seal import KEY_FILE, Purpose, Seals, load_keys
from tests.handlers.reports import example
from tests.handlers.web.world import FAR, KEY, World, other, world

GOOD, BAD = example.GOOD, example.BAD
NEW, OLD = SecretStr("the new key of the two"), SecretStr("the old key of the two")


async def answer_to(browser: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    async with browser.get(url) as answer:
        return answer.status, await answer.text()


async def test_nothing_is_public(site: World, browser: aiohttp.ClientSession) -> None:
    await site.add(GOOD)
    for path in ("/", f"/deployments/{GOOD.id}", f"/deployments/{GOOD.id}/log.txt"):
        status, _ = await answer_to(browser, site.url + path)
        assert status == 404


async def test_a_link_opens_its_deployment_and_no_other(
    site: World, browser: aiohttp.ClientSession
) -> None:
    await site.add(GOOD)
    await site.add(BAD)
    assert (await answer_to(browser, site.link(GOOD)))[0] == 200
    assert (await answer_to(browser, f"{site.url}/deployments/{GOOD.id}/log"))[0] == 200
    assert (await answer_to(browser, f"{site.url}/deployments/{BAD.id}"))[0] == 404
    assert (await answer_to(browser, site.url))[0] == 404


async def test_a_link_to_all_pages_opens_each(site: World, browser: aiohttp.ClientSession) -> None:
    await site.add(GOOD)
    await answer_to(browser, site.link())
    assert (await answer_to(browser, f"{site.url}/deployments/{GOOD.id}"))[0] == 200


@pytest.mark.parametrize("fault", ["forged", "expired", "for another", "unknown", "other purpose"])
async def test_a_bad_link_is_like_one_to_nothing(
    site: World, browser: aiohttp.ClientSession, fault: str
) -> None:
    await site.add(GOOD)
    await site.add(BAD)
    nothing = await answer_to(browser, f"{site.url}/there/is/nothing")
    unknown = other(GOOD, "01jd7k2m9q4x8v99")
    good = site.link(GOOD)
    head, _, signature = good.rpartition(".")
    forged = "A" if signature[5] != "A" else "B"
    links = {
        "forged": f"{head}.{signature[:5]}{forged}{signature[6:]}",
        "expired": site.links.signed(GOOD.id, until=site.seals.now() - 1),
        "for another": site.link(BAD).replace(BAD.id, GOOD.id, 1),
        "unknown": f"{site.url}/deployments/{unknown.id}?seal=x",
        "other purpose": f"{site.url}/deployments/{GOOD.id}?seal="
        + site.seals.sign(Purpose.VIEW, {"sub": GOOD.id}, until=FAR),
    }
    assert await answer_to(browser, links[fault]) == nothing
    assert nothing[0] == 404


async def test_what_a_link_opened_closes_when_it_expires(
    tmp_path: Path, browser: aiohttp.ClientSession
) -> None:
    now = 1_800_000_000.0
    async with world(tmp_path, clock=lambda: now) as site:
        await site.add(GOOD)
        link = site.links.signed(GOOD.id, until=now + 60)
        assert (await answer_to(browser, link))[0] == 200
        now += 61
        assert (await answer_to(browser, f"{site.url}/deployments/{GOOD.id}"))[0] == 404


async def test_the_cookie_of_a_link_is_out_of_reach(
    site: World, browser: aiohttp.ClientSession
) -> None:
    await site.add(GOOD)
    async with browser.get(site.link(GOOD), allow_redirects=False) as answer:
        assert answer.headers["Location"] == f"/deployments/{GOOD.id}"
        cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert f"Path=/deployments/{GOOD.id}" in cookie


def test_a_link_says_the_same_whenever_it_is_made() -> None:
    identity = derived_deployment_id(1_800_000_000.0, "a comment")
    early, late = (Seals([KEY], clock=iter(times).__next__) for times in ((1.0,), (2.0,)))
    made = {
        Links(seals, "https://x", days=1, login=False).report(identity) for seals in (early, late)
    }
    assert len(made) == 1
    assert asked_at(identity) == 1_800_000_000.0
    assert asked_at("not an id") is None


def test_with_a_login_a_link_has_nothing_else_in_it() -> None:
    links = Links(Seals([KEY]), "https://x/pachops", days=1, login=True)
    assert links.report("01abc") == "https://x/pachops/deployments/01abc"
    assert links.path("/login") == "/pachops/login"


def test_keys_are_changed_without_closing_what_is_open() -> None:
    before = Seals([OLD]).sign(Purpose.LINK, {"sub": "x"}, until=FAR)
    both = Seals([NEW, OLD])
    assert both.read(Purpose.LINK, before)
    assert Seals([NEW]).read(Purpose.LINK, before) is None
    assert Seals([NEW]).read(Purpose.LINK, both.sign(Purpose.LINK, {"sub": "x"}, until=FAR))


@pytest.mark.parametrize("seal", ["", "x", "a.b.c", "\udc80", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_seal_proves_nothing(seal: str) -> None:
    assert Seals([KEY]).read(Purpose.LINK, seal) is None


def test_a_key_is_made_once_and_only_for_us(tmp_path: Path) -> None:
    made = load_keys((), tmp_path / "data")
    assert load_keys((), tmp_path / "data") == made
    file = tmp_path / "data" / KEY_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_keys([NEW], tmp_path / "data") == (NEW,)


def test_a_folder_that_cannot_have_a_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoppedError) as stopped:
        load_keys((), tmp_path / "file")
    assert stopped.value.reason.where


@pytest.mark.parametrize(
    ("repository", "place"),
    [
        ("https://github.com/acme/vision.git", ("acme", "vision")),
        ("https://x:y@GitHub.com/acme/vision", ("acme", "vision")),
        ("git@github.com:acme/vision.git", ("acme", "vision")),
        ("ssh://git@github.com/acme/vision", ("acme", "vision")),
        ("https://github.com.evil.example/acme/vision", None),
        ("https://evil.example/github.com/acme", None),
        ("https://github.com/acme/vision/deeper", None),
        ("/home/ada/vision", None),
        ("file:///acme/vision", None),
    ],
)
def test_a_repository_is_known_by_its_host(repository: str, place: object) -> None:
    assert place_of(repository, "github.com") == place


async def test_an_answer_for_all_that_is_missing_says_nothing(
    site: World, browser: aiohttp.ClientSession
) -> None:
    _, text = await answer_to(browser, f"{site.url}/deployments/01jd7k2m9q4x8v99")
    assert re.search(r"<h1>Nothing here</h1>", text)
    assert "01jd7k2m9q4x8v99" not in text
