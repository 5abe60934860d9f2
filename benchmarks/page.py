"""How soon a deployment's page answers when its log has a million lines."""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import aiohttp
import sqlalchemy as sa

from bot.domain.deployment import Stage
from bot.domain.progress import Log
from bot.domain.progress_json import to_json
from bot.store.database import Database
from bot.store.tables import DEPLOYMENT, PROGRESS
from tests.handlers.reports import example
from tests.handlers.web.world import PLAN_OF_VISION, World, world

LINES = 1_000_000
TIMES = 15
_PORTION = 50_000
_EVENT = to_json(Log(Stage.BUILD, "edges", ""))


def measure() -> dict[str, float]:
    """Seconds, medians: the first screen, an earlier part, and a search to the end."""
    with tempfile.TemporaryDirectory(prefix="pachops-page-") as folder:
        return asyncio.run(_measured(Path(folder)))


async def _measured(folder: Path) -> dict[str, float]:
    async with world(folder) as site:
        await site.add(example.GOOD, example.succeeded(), PLAN_OF_VISION)
        await _fill(site.database, example.GOOD.id)
        return await _times(site)


async def _times(site: World) -> dict[str, float]:
    jar = aiohttp.CookieJar(unsafe=True)
    url = f"{site.url}/deployments/{example.GOOD.id}"
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        async with session.get(site.link(example.GOOD)) as answer:
            first_lines = await answer.text()
        if f"line {LINES - 1}" not in first_lines:
            raise ValueError("the page does not show the end of the log")
        return {
            "first screen": await _median(session, [url] * TIMES),
            "earlier lines": await _median(
                session,
                [f"{url}/log?before={LINES * part // TIMES + 100}" for part in range(TIMES)],
            ),
            "search": await _median(session, [f"{url}/log?q=line+{LINES - 1}"] * 3),
        }


async def _median(session: aiohttp.ClientSession, urls: Sequence[str]) -> float:
    seconds = []
    for url in urls:
        began = time.perf_counter()
        async with session.get(url) as answer:
            answer.raise_for_status()
            await answer.read()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


async def _fill(database: Database, deployment: str) -> None:
    """As `ProgressLog` would write it, without its making each event."""
    first = await database.read(
        lambda connection: connection.execute(
            sa.select(DEPLOYMENT.c.last_event).where(DEPLOYMENT.c.id == deployment)
        ).scalar_one()
    )
    for start in range(0, LINES, _PORTION):
        lines = range(start, start + _PORTION)
        rows = [_row(deployment, first + 1 + number, number) for number in lines]
        await database.write(partial(_insert, rows))
    last = sa.update(DEPLOYMENT).where(DEPLOYMENT.c.id == deployment)
    await database.write(
        lambda connection: connection.execute(last.values(last_event=first + LINES))
    )


def _insert(rows: Sequence[Mapping[str, object]], connection: sa.Connection) -> None:
    connection.execute(sa.insert(PROGRESS), rows)


def _row(deployment: str, number: int, line: int) -> dict[str, object]:
    text = f"line {line}: Downloading a wheel that is neither very long nor very short"
    event = json.dumps(_EVENT | {"text": text}, separators=(",", ":"))
    return {
        "deployment": deployment,
        "seq": number,
        "at": example.START,
        "event": event,
        "size": len(text) + 1,
    }


if __name__ == "__main__":
    for name, seconds in measure().items():
        print(f"{name:<16}{seconds * 1000:>8.0f} ms")
