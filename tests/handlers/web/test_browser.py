"""The pages in a real browser."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from bot.domain.deployment import Outcome, Stage
from bot.domain.progress import ApprovalNeeded, Log, StageStarted
from bot.store.deployments import Deployments
from tests.conftest import real_part
from tests.handlers.reports import example
from tests.handlers.web.world import PLAN_OF_VISION, World, free_port, world
from tests.real.browser import PHONE, Browser, axe

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("browser")]  # several slow each other

T = TypeVar("T")
PATIENCE = 60.0
GOOD, BAD, RUNNING = example.GOOD, example.BAD, example.RUNNING


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with real_part(), Browser.open() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser) -> Browser:
    chromium.fresh()
    return chromium


@pytest.fixture(scope="module")
def rules() -> str:
    with real_part():
        return axe()


async def aside(work: Callable[..., T], *arguments: object) -> T:
    """The browser blocks, and the server that it may wait for runs here: all is asked so."""
    return await asyncio.to_thread(work, *arguments)


async def opened(page: Browser, url: str) -> None:
    await aside(page.driver.get, url)


async def ask(page: Browser, script: str) -> Any:  # JSON
    """What a function's body returns in the page, once a page that is under way is there."""
    return await aside(page.run, script)


async def text_of(page: Browser, identity: str) -> str:
    """What an element shows; the browser first waits for the page that it is on its way to."""
    return await aside(lambda: page.driver.find_element(By.ID, identity).text)


async def until(page: Browser, script: str) -> None:
    """Wait until it is true in the page."""
    wait = WebDriverWait(page.driver, PATIENCE)
    await aside(wait.until, lambda _driver: page.run(f"return {script}"))


async def press(page: Browser, key: str) -> None:
    """At what has the focus."""
    await aside(lambda: page.driver.switch_to.active_element.send_keys(key))


async def click(page: Browser, selector: str) -> None:
    await aside(lambda: page.driver.find_element(By.CSS_SELECTOR, selector).click())


def lines(first: int, count: int) -> list[tuple[float, Log]]:
    texts = (
        f"line {first + n}: {'needle' if (first + n) % 100 == 7 else 'hay'}" for n in range(count)
    )
    return [(example.START, Log(Stage.BUILD, "edges", text)) for text in texts]


async def filled(site: World) -> None:
    await site.add(GOOD, example.succeeded(), PLAN_OF_VISION)
    await site.add(BAD, example.failed(), PLAN_OF_VISION)
    await site.add(RUNNING, example.building(), PLAN_OF_VISION)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["/", *(f"/deployments/{each.id}" for each in (GOOD, BAD, RUNNING))]
)
async def test_the_pages_are_for_everybody(
    site: World, page: Browser, rules: str, path: str, scheme: str
) -> None:
    assert rules
    await filled(site)
    page.colours(scheme)
    await opened(page, site.link())
    await opened(page, f"{site.url}{path}?q=get")
    assert await aside(page.accessibility_faults) == []
    assert await aside(page.complaints) == []


async def test_dark_is_dark(site: World, page: Browser) -> None:
    await filled(site)
    seen = []
    for scheme in ("light", "dark"):
        page.colours(scheme)
        await opened(page, site.link())
        seen.append(await ask(page, "return getComputedStyle(document.body).backgroundColor"))
    assert seen == ["rgb(255, 255, 255)", "rgb(17, 23, 29)"]


@pytest.mark.parametrize("identity", [GOOD.id, BAD.id, RUNNING.id])
async def test_a_phone_shows_a_page_in_its_width(
    site: World, page: Browser, rules: str, identity: str
) -> None:
    assert rules
    await filled(site)
    page.size(*PHONE)
    await opened(page, site.link())
    await opened(page, f"{site.url}/deployments/{identity}")
    assert await ask(page, "return document.documentElement.scrollWidth") == PHONE[0]
    assert await aside(page.accessibility_faults) == []


async def test_a_phone_shows_what_is_to_be_approved_in_its_width(
    site: World, page: Browser
) -> None:
    changes = (
        f"registry.acme.io/vision/edges@{example.DIGEST}",
        f"vision/edges: transform.image: registry.acme.io/vision/edges@{example.DIGEST} -> none",
    )
    asking = [
        (at, replace(event, changes=changes) if isinstance(event, ApprovalNeeded) else event)
        for at, event in example.asking()
    ]
    await site.add(RUNNING, asking)
    page.size(*PHONE)
    await opened(page, site.link())
    await opened(page, f"{site.url}/deployments/{RUNNING.id}")
    assert await ask(page, "return document.documentElement.scrollWidth") == PHONE[0]


async def test_the_log_goes_on_while_it_is_looked_at(site: World, page: Browser) -> None:
    await filled(site)
    await opened(page, site.link(RUNNING))
    await site.say(RUNNING, [(example.START, Log(Stage.BUILD, "edges", "<b>fresh</b>"))])
    await until(page, "document.querySelector('#log').innerText.includes('<b>fresh</b>')")
    await site.say(RUNNING, [(example.START, StageStarted(Stage.PUSH))])
    await until(page, "document.querySelector('#status').textContent === 'running: build'")
    await Deployments(site.database).finish(RUNNING.id, Outcome.FAILED)
    await until(page, "document.querySelector('#status').textContent === 'failed'")
    await until(page, "document.querySelector('#connection').textContent === 'The end'")
    assert await aside(page.complaints) == []


async def test_a_restart_of_the_bot_does_not_interrupt_it(tmp_path: Path, page: Browser) -> None:
    port = free_port()
    async with world(tmp_path, port=port) as site:
        await filled(site)
        await site.say(RUNNING, lines(0, 5))
        await opened(page, site.link(RUNNING))
        await until(page, "document.querySelector('#connection').textContent === 'Live'")
    async with world(tmp_path, port=port) as site:
        await site.say(RUNNING, lines(5, 5))
        await until(page, "document.querySelector('#log').innerText.includes('line 9')")
    shown = await ask(page, "return document.querySelector('#log').innerText")
    assert [shown.count(f"line {number}:") for number in range(10)] == [1] * 10


async def test_a_flood_does_not_take_away_what_is_read(site: World, page: Browser) -> None:
    await filled(site)
    await site.say(RUNNING, lines(0, 300))
    await opened(page, site.link(RUNNING))
    await until(page, "document.querySelector('#connection').textContent === 'Live'")
    await ask(page, "document.querySelector('#log').scrollTop = 700")
    await until(page, "document.querySelector('#log').scrollTop >= 700")
    await ask(page, "window.seen = document.querySelector('#log li:nth-child(60)')")
    await site.say(RUNNING, lines(300, 5000))
    await site.say(RUNNING, [(example.START, StageStarted(Stage.PUSH))])
    await until(page, "document.querySelector('#state').innerText.includes('push')")
    assert await ask(page, "return window.seen.isConnected")
    await click(page, "[data-part=last]")
    await until(page, "document.querySelector('#log').innerText.includes('line 5299')")


async def test_the_window_onto_a_long_log_stays_small(site: World, page: Browser) -> None:
    await filled(site)
    await site.say(RUNNING, lines(0, 9000))
    await opened(page, site.link(RUNNING))
    await until(page, "document.querySelector('#log').innerText.includes('line 8999')")
    for _ in range(8):
        first = await ask(page, "return document.querySelector('#log li').id")
        await ask(page, "document.querySelector('#log').scrollTop = 0")
        await until(page, f"document.querySelector('#log li').id !== '{first}'")
    assert await ask(page, "return document.querySelectorAll('#log li').length") <= 3000
    await click(page, "[data-part=first]")
    await until(page, "document.querySelector('#log').innerText.includes('line 0:')")
    await click(page, "[data-part=last]")
    await until(page, "document.querySelector('#log').innerText.includes('line 8999')")


async def test_what_is_read_stays_in_place_while_lines_arrive(site: World, page: Browser) -> None:
    await filled(site)
    await site.say(RUNNING, lines(0, 300))
    await opened(page, site.link(RUNNING))
    await until(page, "document.querySelector('#connection').textContent === 'Live'")
    place = "document.querySelector('#log li:nth-child(60)').getBoundingClientRect().top"
    await ask(page, "document.querySelector('#log').scrollTop = 700")
    await until(page, "document.querySelector('#log').scrollTop >= 700")
    before = await ask(
        page, f"window.seen = document.querySelector('#log li:nth-child(60)'); return {place}"
    )
    await site.say(RUNNING, lines(300, 50))
    await until(page, "document.querySelector('#log ol').textContent.includes('line 349')")
    assert await ask(page, "return window.seen.getBoundingClientRect().top") == before


async def test_a_search_leads_to_the_line(site: World, page: Browser) -> None:
    await filled(site)
    await site.say(GOOD, lines(0, 2000))
    await opened(page, site.link(GOOD))
    box = await aside(page.driver.find_element, By.ID, "q")
    await aside(box.send_keys, "NEEDLE", Keys.ENTER)
    await until(page, "document.querySelectorAll('#found li').length === 20")
    assert "20 lines" in await ask(page, "return document.querySelector('#found-said').textContent")
    hit = (await aside(page.driver.find_elements, By.CSS_SELECTOR, "#found a"))[3]
    await aside(hit.click)
    await until(page, "document.querySelector('#log li.at')?.textContent.includes('needle')")
    assert await ask(page, "return document.activeElement.closest('li').classList.contains('at')")


async def test_all_is_done_with_the_keyboard(site: World, page: Browser) -> None:
    await filled(site)
    await opened(page, site.link())
    body = await aside(page.driver.find_element, By.TAG_NAME, "body")
    await aside(body.send_keys, Keys.TAB)
    assert await ask(page, "return document.activeElement.className") == "skip"
    assert await ask(page, "return document.activeElement.getBoundingClientRect().left") >= 0
    await press(page, Keys.ENTER)
    assert await ask(page, "return document.activeElement.id") == "main"
    for _ in range(40):
        await press(page, Keys.TAB)
        if (await ask(page, "return document.activeElement.href || ''")).endswith(GOOD.id):
            break
    style = await ask(page, "return getComputedStyle(document.activeElement).outlineStyle")
    assert style == "solid"
    await press(page, Keys.ENTER)
    await until(page, f"location.pathname === '/deployments/{GOOD.id}' && !!window.document.body")


async def test_the_page_is_whole_without_its_script(site: World, page: Browser) -> None:
    await filled(site)
    await site.say(GOOD, lines(0, 500))
    page.scripts(allowed=False)
    await opened(page, site.link(GOOD))
    assert "line 499" in await text_of(page, "log")
    await click(page, "[data-part=older]")
    # A click does not wait for the page that it leads to.
    await until(page, "document.querySelector('#log')?.innerText.includes('line 250')")
    box = await aside(page.driver.find_element, By.ID, "q")
    await aside(box.send_keys, "needle", Keys.ENTER)
    await until(page, "document.querySelector('#found')?.innerText.includes('5 lines')")
