"""What a real deployment leaves for its page and for the figures, and the commands beside it."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from bot.domain.github import Permission
from bot.domain.plan import Change
from bot.domain.plan_summary import PLAN, plan_from_json
from bot.settings import load_settings
from bot.site import open_site
from bot.store.database import Database
from bot.store.deployments import Deployments
from bot.store.figures import FigureStore
from handlers.web.app import web_app
from tests.e2e.test_command import pachops
from tests.e2e.test_main_job import simple
from tests.e2e.world import World
from tests.handlers.web.world import free_port, nothing_to_do
from tests.real.serving import serving

pytestmark = pytest.mark.real


async def test_a_deployment_leaves_its_plan_and_its_commits_time(world: World) -> None:
    world.commit(simple(world))
    finished = (await world.deploy()).finished
    assert finished.deployment
    database = await Database.open(load_settings(world.environ).database_url)
    try:
        plan = plan_from_json(await Deployments(database).load(finished.deployment, PLAN))
        (ended,) = await FigureStore(database).ended(0.0)
    finally:
        await database.close()
    assert [(each.full_name, each.change) for each in plan.pipelines] == [
        ("default/edges", Change.CREATE)
    ]
    assert ended.committed_at is not None
    assert ended.updated_at is not None
    assert ended.committed_at <= ended.updated_at <= ended.finished_at


async def test_a_link_made_at_the_command_line_opens_the_page(world: World) -> None:
    world.commit(simple(world))
    finished = (await world.deploy()).finished
    port = free_port()
    world.environ["PACHOPS_WEB_PORT"] = str(port)
    status, link = await asyncio.to_thread(pachops, world, "link", str(finished.deployment)[-6:])
    assert status == 0
    settings = load_settings(world.environ)
    database = await Database.open(settings.database_url)
    site = open_site(settings, database, asyncio.Event(), _nobody)
    try:
        async with (
            serving(web_app(nothing_to_do, _alive, site=site), port),
            aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser,
            browser.get(link.strip()) as answer,
        ):
            assert answer.status == 200
            assert "default/edges" in await answer.text()
    finally:
        await database.close()


def test_the_doctor_says_what_does_not_work_and_tells_no_secret(
    world: World, tmp_path: Path
) -> None:
    world.environ |= {
        "PACHOPS_PACHD_ADDRESS": "grpc://127.0.0.1:1",
        "PACHOPS_PACHD_TOKEN": "a-very-secret-token",
        "PACHOPS_DATA_DIR": str(tmp_path / "data"),
    }
    status, printed = pachops(world, "doctor", "--json")
    findings = [json.loads(line) for line in printed.splitlines()]
    by_level = {each["level"] for each in findings}
    (cluster,) = (each for each in findings if each["what"] == "Pachyderm cluster default")
    assert (status, cluster["level"]) == (1, "fault")
    assert cluster["next_step"]
    assert "good" in by_level
    assert "very-secret" not in printed
    assert not (tmp_path / "data").exists()


def test_the_doctor_is_content_where_all_works(world: World) -> None:
    status, printed = pachops(world, "doctor")
    assert status == 0, printed
    assert printed.splitlines()[-1] == "All is well."


async def _nobody(_owner: str, _name: str, _login: str) -> Permission:
    return Permission.NONE


async def _alive() -> None:
    return
