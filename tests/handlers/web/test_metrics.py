import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from bot.domain.deployment import Stage
from bot.domain.progress import Ended, Progress, StageFinished, StageStarted
from bot.services.calls import counted
from bot.store.database import Database
from bot.store.deliveries import Deliveries
from bot.store.figures import FigureStore
from handlers.web.app import web_app
from handlers.web.metrics import Metrics
from tests.handlers.reports import example
from tests.handlers.web.world import World
from tests.migrated import migrated

TOKEN = "a token for prometheus only"
DASHBOARD = Path(__file__).parents[3] / "docs" / "grafana-dashboard.json"


@dataclass
class Scraped:
    """A server and what Prometheus sees of it."""

    url: str
    metrics: Metrics
    browser: aiohttp.ClientSession

    async def figures(self) -> dict[str, float]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with self.browser.get(f"{self.url}/metrics", headers=headers) as answer:
            assert answer.status == 200
            text = await answer.text()
        return {
            f"{sample.name}{sorted(sample.labels.values())}": sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(migrated(tmp_path / "metrics.db"))
    yield opened
    await opened.close()


@pytest.fixture
async def scraped(site: World, browser: aiohttp.ClientSession) -> AsyncIterator[Scraped]:
    metrics = Metrics(
        FigureStore(site.database),
        Deliveries(site.database),
        token=SecretStr(TOKEN),
        clock=lambda: 0.0,
    )

    async def webhook(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=202)

    async def alive() -> None:
        return

    app = web_app(metrics.timed(webhook, frozenset({"push"})), alive, metrics=metrics.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield Scraped(f"http://127.0.0.1:{runner.addresses[0][1]}", metrics, browser)
    await runner.cleanup()


@pytest.mark.parametrize("given", [None, "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
async def test_without_the_token_there_is_nothing(
    scraped: Scraped, browser: aiohttp.ClientSession, given: str | None
) -> None:
    headers = {"Authorization": given} if given else {}
    async with browser.get(f"{scraped.url}/metrics", headers=headers) as answer:
        assert answer.status == 404


async def test_deliveries_are_counted_and_timed(
    scraped: Scraped, browser: aiohttp.ClientSession
) -> None:
    for event in ("push", "made up by somebody"):
        async with browser.post(f"{scraped.url}/github/webhook", headers={"X-GitHub-Event": event}):
            pass
    figures = await scraped.figures()
    assert figures["pachops_deliveries_total['202', 'push']"] == 1
    assert figures["pachops_deliveries_total['202', 'other']"] == 1
    assert figures["pachops_delivery_ack_seconds_count[]"] == 2


async def test_calls_and_limits_are_counted(scraped: Scraped) -> None:
    with counted(scraped.metrics, "github"):
        pass
    with pytest.raises(ValueError, match="no"), counted(scraped.metrics, "github"):
        raise ValueError("no")
    scraped.metrics.limited("slack")
    scraped.metrics.left("github", 4321)
    figures = await scraped.figures()
    assert figures["pachops_calls_total['answered', 'github']"] == 1
    assert figures["pachops_calls_total['failed', 'github']"] == 1
    assert figures["pachops_calls_limited_total['slack']"] == 1
    assert figures["pachops_calls_left['github']"] == 4321


async def test_what_ended_is_counted_once_however_often_it_is_asked(
    site: World, scraped: Scraped
) -> None:
    events: list[tuple[float, Progress]] = [
        (1.0, StageStarted(Stage.UPDATE)),
        (2.0, StageFinished(Stage.UPDATE, Ended.SUCCEEDED, 1.0)),
    ]
    await site.add(example.GOOD, events)
    await site.add(example.WAITING)
    for _ in range(3):
        figures = await scraped.figures()
    assert figures["pachops_deployments_finished_total['staging', 'succeeded']"] == 1
    assert figures["pachops_stage_seconds_count['succeeded', 'update']"] == 1
    assert figures["pachops_deployments['waiting']"] == 1
    assert figures["pachops_dora_change_failure_ratio['staging']"] == 0
    assert figures["pachops_dora_deployments_per_day['staging']"] > 0


def test_every_figure_of_the_dashboard_is_there() -> None:
    shown = set(re.findall(r"pachops_\w+", DASHBOARD.read_text(encoding="utf-8")))
    metrics = Metrics(FigureStore(None), Deliveries(None), token=None)  # type: ignore[arg-type]
    known: set[str] = set()
    for family in metrics.registry.collect():
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
        known.update(family.name + end for end in ends.get(family.type, ("",)))
    assert shown <= known
    assert len(shown) > 15


def test_the_dashboard_is_one_for_grafana() -> None:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    assert dashboard["title"] == "pachops"
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
