import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bot.domain.deployment import Outcome, Stage
from bot.domain.progress import Ended, Log, StageFinished, StageStarted
from bot.store.deployments import Deployments
from handlers.web.live import MOST_AT_ONCE
from tests.handlers.reports import example
from tests.handlers.web.world import World, world

RUNNING = example.RUNNING
PATIENCE = 30.0


@dataclass
class Events:
    """A browser's event source."""

    answer: aiohttp.ClientResponse

    async def next(self) -> tuple[str, str, str]:
        """Kind, id and data of the next event."""
        found: dict[str, list[str]] = {}
        async with asyncio.timeout(PATIENCE):
            async for raw in self.answer.content:
                line = raw.decode().rstrip("\r\n")
                if not line and found:
                    break
                name, _, value = line.partition(": ")
                found.setdefault(name, []).append(value)
        kind, identity = (found.get(name, [""])[0] for name in ("event", "id"))
        return kind, identity, "\n".join(found.get("data", []))

    async def until(self, kind: str) -> tuple[str, str]:
        """Id and data of the next event of this kind."""
        while True:
            found, identity, data = await self.next()
            if found == kind:
                return identity, data


@asynccontextmanager
async def listening(
    site: World, browser: aiohttp.ClientSession, *, after: int = 0, last: str | None = None
) -> AsyncIterator[Events]:
    async with browser.get(site.link(RUNNING)):
        pass
    headers = {"Last-Event-ID": last} if last else {}
    url = f"{site.url}/deployments/{RUNNING.id}/events?after={after}"
    async with browser.get(url, headers=headers) as answer:
        assert answer.content_type == "text/event-stream"
        yield Events(answer)


def lines(first: int, count: int) -> list[tuple[float, Log]]:
    return [(1.0, Log(Stage.BUILD, "edges", f"line {first + n}")) for n in range(count)]


async def test_new_lines_arrive_with_the_number_to_go_on_from(
    site: World, browser: aiohttp.ClientSession
) -> None:
    await site.add(RUNNING)
    async with listening(site, browser) as events:
        await events.until("state")
        await site.say(RUNNING, lines(0, 3))
        identity, data = await events.until("log")
    assert identity == "3"
    assert re.findall(r"line \d", data) == ["line 0", "line 1", "line 2"]


async def test_who_comes_back_gets_what_was_missed_and_nothing_twice(
    site: World, browser: aiohttp.ClientSession
) -> None:
    await site.add(RUNNING)
    await site.say(RUNNING, lines(0, 10))
    async with listening(site, browser, after=2, last="7") as events:
        _, data = await events.until("log")
    assert re.findall(r"line \d", data) == ["line 7", "line 8", "line 9"]


async def test_a_stage_that_begins_is_seen(site: World, browser: aiohttp.ClientSession) -> None:
    await site.add(RUNNING)
    async with listening(site, browser) as events:
        await events.until("state")
        await site.say(RUNNING, [(1.0, StageStarted(Stage.BUILD))])
        _, data = await events.until("state")
    assert 'data-said="running: build"' in data


async def test_the_end_is_told_after_all_that_was_said(
    site: World, browser: aiohttp.ClientSession
) -> None:
    await site.add(RUNNING)
    async with listening(site, browser) as events:
        await events.until("state")
        await site.say(RUNNING, [*lines(0, 1), (1.0, StageFinished(Stage.BUILD, Ended.FAILED, 1))])
        await Deployments(site.database).finish(RUNNING.id, Outcome.FAILED)
        seen = [await events.next()]
        while seen[-1][0] != "end":
            seen.append(await events.next())
    assert any("line 0" in data for kind, _, data in seen if kind == "log")
    last_state = [data for kind, _, data in seen if kind == "state"][-1]
    assert 'data-said="failed"' in last_state


async def test_who_is_far_behind_gets_the_end_of_the_log(
    site: World, browser: aiohttp.ClientSession
) -> None:
    await site.add(RUNNING)
    await site.say(RUNNING, lines(0, MOST_AT_ONCE + 500))
    async with listening(site, browser) as events:
        identity, data = await events.until("tail")
    assert identity == str(MOST_AT_ONCE + 500)
    assert data.count("<li") == MOST_AT_ONCE


async def test_a_bot_that_was_started_anew_goes_on_where_the_browser_was(
    tmp_path: Path, browser: aiohttp.ClientSession
) -> None:
    async with world(tmp_path) as site:
        await site.add(RUNNING)
        await site.say(RUNNING, lines(0, 5))
        async with listening(site, browser) as events:
            last, _ = await events.until("log")
            site.stopping.set()
            while not events.answer.content.at_eof():
                await events.answer.content.readline()
    async with world(tmp_path) as site:
        await site.say(RUNNING, lines(5, 2))
        async with listening(site, browser, last=last) as events:
            _, data = await events.until("log")
    assert re.findall(r"line \d", data) == ["line 5", "line 6"]


async def test_nobody_listens_without_a_link(site: World, browser: aiohttp.ClientSession) -> None:
    await site.add(RUNNING)
    async with browser.get(f"{site.url}/deployments/{RUNNING.id}/events") as answer:
        assert answer.status == 404
