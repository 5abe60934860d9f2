from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from bot.doctor.web import look_at
from bot.domain.finding import Finding, Level
from bot.settings import load_settings


async def healthz(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


@pytest.fixture
async def address() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/healthz", healthz)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    yield f"http://{host}:{port}"
    await runner.cleanup()


async def found(tmp_path: Path, **more: str) -> list[Finding]:
    return list(await look_at(load_settings({"HOME": str(tmp_path)} | more)))


async def test_without_one_it_says_what_is_missing(tmp_path: Path) -> None:
    (only,) = await found(tmp_path)
    assert (only.level, "PACHOPS_WEB_PUBLIC_URL" in only.next_step) == (Level.NOTE, True)


async def test_one_that_leads_here_is_good(tmp_path: Path, address: str) -> None:
    *_, last = await found(tmp_path, PACHOPS_WEB_PUBLIC_URL=address)
    assert (last.level, last.fact) == (Level.GOOD, f"{address} leads to pachops")


async def test_one_that_leads_elsewhere_is_a_fault(tmp_path: Path, address: str) -> None:
    *_, last = await found(tmp_path, PACHOPS_WEB_PUBLIC_URL=f"{address}/elsewhere")
    assert (last.level, "404" in last.fact) == (Level.FAULT, True)


async def test_a_key_of_one_machine_is_named_where_several_may_sign(
    tmp_path: Path, address: str
) -> None:
    shared = {
        "PACHOPS_WEB_PUBLIC_URL": address,
        "PACHOPS_DATABASE_URL": "postgresql://ada@localhost/pachops",
    }
    named = [each for each in await found(tmp_path, **shared) if "key" in each.fact]
    assert [each.level for each in named] == [Level.NOTE]
    assert "PACHOPS_WEB_LINK_KEYS" in named[0].next_step
    given = await found(tmp_path, PACHOPS_WEB_LINK_KEYS="k" * 40, **shared)
    alone = await found(tmp_path, PACHOPS_WEB_PUBLIC_URL=address)
    assert not any("key" in each.fact for each in [*given, *alone])
