import asyncio
import re
from dataclasses import replace

import aiohttp
import pytest
from yarl import URL

from bot.domain.deployment import Actor, Kind, Outcome, Stage, State, Trigger
from bot.domain.lock import Lock
from bot.domain.progress import Log
from bot.store.locks import Locks
from handlers.web.access import SEAL
from handlers.web.words import OUTCOMES
from tests.handlers.reports import example
from tests.handlers.web.world import PLAN_OF_VISION, World, other

GOOD, BAD = example.GOOD, example.BAD


async def text_of(browser: aiohttp.ClientSession, url: str) -> str:
    async with browser.get(url) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


def lines(*texts: str) -> list[tuple[float, Log]]:
    return [(example.START + n, Log(Stage.BUILD, "edges", text)) for n, text in enumerate(texts)]


def numbers(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'<li id="L(\d+)"', page)]


async def test_the_page_shows_the_whole_deployment(
    site: World, browser: aiohttp.ClientSession
) -> None:
    await site.add(GOOD, example.succeeded(), PLAN_OF_VISION)
    page = await text_of(browser, site.link(GOOD))
    for shown in (
        "acme/vision",
        "staging",
        "succeeded",
        "3f9c2a1",
        "by ada",
        "verify",
        "vision/montage",
        "parallelism: 1 -&gt; 4",
        "1,204 datums were processed before",
        example.DIGEST,
        '<svg class="dag"',
        '<svg class="timeline"',
        "https://github.com/acme/vision/commit/",
    ):
        assert shown in page


async def test_a_failure_says_why_and_what_to_do(
    site: World, browser: aiohttp.ClientSession
) -> None:
    await site.add(BAD, example.failed())
    page = await text_of(browser, site.link(BAD))
    assert "edges/Dockerfile:7" in page
    assert "ERROR: no nunpy==1.26" in page
    assert "<strong>Next:</strong>" in page


async def test_who_approved_what_is_shown(site: World, browser: aiohttp.ClientSession) -> None:
    running = replace(GOOD, state=State.RUNNING, outcome=None, finished_at=None)
    await site.add(running, example.asking())
    page = await text_of(browser, site.link(running))
    assert "1 of 2 approved. It takes 2 people other than ada." in page
    assert "It waits until <time" in page
    assert "<strong>approved</strong> by grace on GitHub" in page
    assert "vision/edges: update version 3" in page
    assert "2 running jobs start again" in page


async def test_where_it_was_asked_for_is_said_as_people_say_it(
    site: World, browser: aiohttp.ClientSession
) -> None:
    running = replace(GOOD, state=State.RUNNING, outcome=None, finished_at=None)
    asked = replace(running, request=replace(running.request, trigger=Trigger.SLACK))
    await site.add(asked)
    assert "by ada, in Slack," in await text_of(browser, site.link(asked))


async def test_one_that_waits_says_behind_whom(site: World, browser: aiohttp.ClientSession) -> None:
    first, second = other(example.WAITING, "01jd7k2m9q4x8v01"), example.WAITING
    await site.add(first)
    await site.add(second)
    assert "It is next" in await text_of(browser, site.link(first))
    page = await text_of(browser, site.link(second))
    assert "It waits behind 1 deployment of its environment" in page
    # The link is for one deployment only.
    assert first.id not in page


@pytest.mark.parametrize("outcome", Outcome)
async def test_every_end_has_a_word(
    site: World, browser: aiohttp.ClientSession, outcome: Outcome
) -> None:
    await site.add(replace(GOOD, outcome=outcome))
    for link in (site.link(GOOD), site.link()):
        assert OUTCOMES[outcome] in await text_of(browser, link)


async def test_the_first_page_says_who_keeps_others_away(
    site: World, browser: aiohttp.ClientSession
) -> None:
    back = replace(GOOD.request, kind=Kind.ROLLBACK, steps=1)
    await site.add(replace(GOOD, request=back))
    lock = Lock("1", back.repository, None, Actor("grace", "github"), "<the demo>", 1.0)
    await Locks(site.database).take(lock, 2.0)
    page = await text_of(browser, site.link())
    assert "locked by grace: &lt;the demo&gt;" in page
    assert "held by ada&#39;s rollback" in page


async def test_what_comes_from_outside_is_shown_and_does_nothing(
    site: World, browser: aiohttp.ClientSession
) -> None:
    evil = "<script>alert(1)</script>\x1b[31m\"'><img src=x onerror=alert(1)>\x07"
    deployment = other(GOOD, "01jd7k2m9q4x8v77")
    await site.add(deployment, lines(evil))
    page = await text_of(browser, site.link(deployment))
    found = await text_of(browser, f"{site.url}/deployments/{deployment.id}/log?q=script")
    for text in (page, found):
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "\x1b" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


async def test_the_page_has_the_end_of_a_long_log_and_leads_to_the_rest(
    site: World, browser: aiohttp.ClientSession
) -> None:
    deployment = await site.add(GOOD)
    await site.say(deployment, lines(*map(str, range(450))))
    page = await text_of(browser, site.link(deployment))
    assert len(numbers(page)) == 200
    assert "450 lines" in page
    older = re.search(r'data-part="older" href="([^"]+)"', page)
    assert older
    before = await text_of(browser, site.url + older[1].partition("#")[0])
    assert numbers(before)[-1] == numbers(page)[0] - 1
    newer = re.search(r'data-part="newer" href="([^"]+)"', before)
    assert newer


async def test_a_line_is_shown_with_those_around_it(
    site: World, browser: aiohttp.ClientSession
) -> None:
    deployment = await site.add(GOOD)
    await site.say(deployment, lines(*map(str, range(900))))
    await text_of(browser, site.link(deployment))
    page = await text_of(browser, f"{site.url}/deployments/{deployment.id}?line=300")
    shown = numbers(page)
    assert min(shown) < 300 < max(shown)
    assert re.search(r'<li id="L300" class="at"', page)


@pytest.mark.parametrize("sought", ["NEEDLE", "needle", 'a "quoted" needle', "100%_\\"])
async def test_the_log_is_searched(
    site: World, browser: aiohttp.ClientSession, sought: str
) -> None:
    deployment = await site.add(GOOD)
    await site.say(deployment, lines("hay", 'a "quoted" needle at 100%_\\', "event text hay"))
    await text_of(browser, site.link(deployment))
    url = f"{site.url}/deployments/{deployment.id}"
    async with browser.get(url, params={"q": sought}) as answer:
        page = await answer.text()
    assert ": 1 line<" in page
    assert "<mark>" in page


async def test_a_search_does_not_find_how_lines_are_stored(
    site: World, browser: aiohttp.ClientSession
) -> None:
    deployment = await site.add(GOOD)
    await site.say(deployment, lines("hay"))
    await text_of(browser, site.link(deployment))
    page = await text_of(browser, f"{site.url}/deployments/{deployment.id}?q=subject")
    assert "No line has that." in page


async def test_a_search_goes_on_where_it_stopped(
    site: World, browser: aiohttp.ClientSession
) -> None:
    deployment = await site.add(GOOD)
    await site.say(deployment, lines(*["needle"] * 250))
    await text_of(browser, site.link(deployment))
    page = await text_of(browser, f"{site.url}/deployments/{deployment.id}?q=needle")
    assert "The first 200 lines" in page
    more = re.search(r'data-more href="([^"]+)"', page)
    assert more
    rest = await text_of(browser, site.url + more[1].replace("&amp;", "&"))
    assert ": 50 lines" in rest


async def test_the_whole_log_can_be_taken_away(site: World, browser: aiohttp.ClientSession) -> None:
    deployment = await site.add(GOOD)
    await site.say(deployment, lines("one", "\x1b[1mtwo\x1b[0m"))
    await text_of(browser, site.link(deployment))
    text = await text_of(browser, f"{site.url}/deployments/{deployment.id}/log.txt")
    assert text == "edges: one\nedges: two\n"


async def test_the_head_of_the_whole_log_has_none_of_it(site: World) -> None:
    deployment = await site.add(GOOD)
    await site.say(deployment, lines("HTTP/1.1 200 OK"))
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        await text_of(browser, site.link(deployment))
        cookies = browser.cookie_jar.filter_cookies(URL(f"{site.url}/deployments/{deployment.id}"))
    # By hand: a client drops what a server must not have sent.
    host, _, port = site.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"HEAD /deployments/{deployment.id}/log.txt HTTP/1.1\r\nHost: {host}\r\n"
        f"{cookies.output(header='Cookie:', attrs=[])}\r\nConnection: close\r\n\r\n".encode()
    )
    head, _, body = (await asyncio.wait_for(reader.read(), 10)).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == b""


async def test_the_first_page_says_what_runs_where(
    site: World, browser: aiohttp.ClientSession
) -> None:
    await site.add(GOOD, example.succeeded())
    await site.add(BAD, example.failed())
    await site.add(example.WAITING)
    page = await text_of(browser, site.link())
    assert re.search(
        r'<th scope="row">staging</th>\s+<td>acme/vision</td>\s+<td>\s*<code>3f9', page
    )
    assert "nothing that pachops deployed" in page
    assert "waiting" in page


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"environment": "production"}, [BAD.id]),
        ({"standing": "failed"}, [BAD.id]),
        ({"standing": "succeeded"}, [GOOD.id]),
        ({"q": BAD.id}, [BAD.id]),
        ({"q": "ADA"}, [BAD.id, GOOD.id]),
        ({"standing": "nonsense"}, [BAD.id, GOOD.id]),
    ],
)
async def test_the_history_is_filtered(
    site: World, browser: aiohttp.ClientSession, asked: dict[str, str], shown: list[str]
) -> None:
    await site.add(GOOD)
    await site.add(BAD)
    await text_of(browser, site.link())
    async with browser.get(site.url, params=asked) as answer:
        page = await answer.text()
    assert re.findall(r"<code>(01\w{14})</code></a></th>", page) == shown


async def test_the_history_has_pages(site: World, browser: aiohttp.ClientSession) -> None:
    for number in range(55):
        await site.add(other(example.WAITING, f"01jd7k2m9q4x{number:04}"))
    page = await text_of(browser, site.link())
    found = re.findall(r"<code>(01\w{14})</code></a></th>", page)
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older
    rest = await text_of(browser, site.url + older[1].replace("&amp;", "&"))
    found += re.findall(r"<code>(01\w{14})</code></a></th>", rest)
    assert found == [f"01jd7k2m9q4x{number:04}" for number in reversed(range(55))]


async def test_every_answer_keeps_browsers_in_order(
    site: World, browser: aiohttp.ClientSession
) -> None:
    async with browser.get(site.link()) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        page = await answer.text()
    assert SEAL not in str(answer.url)
    assert not re.search(r"<style|style=|<script>|javascript:|\son\w+=", page)


async def test_own_files_are_kept_for_ever_under_their_version(
    site: World, browser: aiohttp.ClientSession
) -> None:
    page = await text_of(browser, site.link())
    style = re.search(r'href="(/static/style.css\?v=\w+)"', page)
    assert style
    async with browser.get(site.url + style[1]) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.content_type == "text/css"
    async with browser.get(f"{site.url}/static/..%2frendering.py") as answer:
        assert answer.status == 404


async def test_a_number_that_is_none_is_not_asked_for(
    site: World, browser: aiohttp.ClientSession
) -> None:
    deployment = await site.add(GOOD)
    await text_of(browser, site.link(deployment))
    for wrong in ("before=x", "after=-1", "line=99999999999999999999", "before=%00", "q=%00%ff"):
        await text_of(browser, f"{site.url}/deployments/{deployment.id}?{wrong}")
