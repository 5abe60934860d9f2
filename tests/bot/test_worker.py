"""`pachops worker` as a process, on a database that is shared and on one that is not."""

import asyncio
import json
import os
import re
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from bot.domain.reasons import Code, StoppedError
from bot.serve import open_worker
from bot.settings import load_settings
from bot.store.audit import Audit
from bot.store.database import Database
from bot.store.tables import WORKER
from bot.worker import work
from tests.real.postgresql import PostgreSQL

PATIENCE = 60.0
METRICS_TOKEN = "a-token-for-prometheus-only"


def variables(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(tmp_path), "PACHOPS_DATA_DIR": str(tmp_path / "data")} | more


async def start(environ: dict[str, str], *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", "from bot.cli import main; main()", "worker", *arguments),
        env=environ | {"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


@pytest.mark.real
@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
async def test_it_stands_until_it_is_told_to_stop_and_says_goodbye(
    tmp_path: Path, postgresql_server: PostgreSQL, asked: signal.Signals
) -> None:
    url = postgresql_server.new_database()
    process = await start(variables(tmp_path, PACHOPS_DATABASE_URL=url))
    assert process.stdout
    lines = []
    async with asyncio.timeout(PATIENCE):
        async for line in process.stdout:
            lines.append(line.decode())
            if b"at work" in line:
                process.send_signal(asked)
        assert await process.wait() == 0, lines
    database = await Database.open(url)
    left = await database.read(lambda connection: connection.execute(WORKER.select()).all())
    (row,) = await Audit(database).read()
    await database.close()
    assert left == []
    assert json.loads(row.body)["facts"]["line"] == "worker"
    assert not any("Traceback" in line or "ERROR" in line for line in lines), lines


@pytest.mark.real
async def test_with_drain_it_ends_when_nothing_is_left(
    tmp_path: Path, postgresql_server: PostgreSQL
) -> None:
    url = postgresql_server.new_database()
    process = await start(variables(tmp_path, PACHOPS_DATABASE_URL=url), "--drain")
    async with asyncio.timeout(PATIENCE):
        output, _ = await process.communicate()
    assert (process.returncode, output) == (0, b"Nothing is left to do.\n")


async def test_on_sqlite_it_ends_when_nothing_is_left(tmp_path: Path) -> None:
    process = await start(variables(tmp_path))
    async with asyncio.timeout(PATIENCE):
        output, _ = await process.communicate()
    assert (process.returncode, output) == (0, b"Nothing is left to do.\n")


async def test_one_that_would_run_nothing_is_refused(tmp_path: Path) -> None:
    settings = load_settings(
        variables(
            tmp_path,
            PACHOPS_DATABASE_URL="postgresql://ada@localhost/pachops",
            PACHOPS_RUNNING_DEPLOYMENTS="0",
        )
    )
    with pytest.raises(StoppedError) as stopped:
        await work(settings)
    assert stopped.value.reason.code is Code.BAD_SETTINGS
    assert stopped.value.reason.where == "PACHOPS_RUNNING_DEPLOYMENTS"


@pytest.mark.real
async def test_one_without_a_disk_takes_nothing_from_the_others(
    tmp_path: Path, postgresql_server: PostgreSQL
) -> None:
    url = postgresql_server.new_database()
    (tmp_path / "data").write_text("a file where the folder should be")
    settings = load_settings(variables(tmp_path, PACHOPS_DATABASE_URL=url))
    stop = asyncio.Event()
    stop.set()
    with pytest.raises(StoppedError) as stopped:
        await work(settings, stop=stop)
    assert stopped.value.reason.code is Code.DATA_DIR_UNUSABLE


@pytest.mark.real
async def test_with_a_port_it_says_whether_it_is_well_and_prometheus_its_calls(
    tmp_path: Path, postgresql_server: PostgreSQL
) -> None:
    process = await start(
        variables(
            tmp_path,
            PACHOPS_DATABASE_URL=postgresql_server.new_database(),
            PACHOPS_WEB_WORKER_PORT="0",
            PACHOPS_WEB_METRICS_TOKEN=METRICS_TOKEN,
        )
    )
    assert process.stdout
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as client:
        async for line in process.stdout:
            if found := re.search(rb"listening at (http://\S+)", line):
                break
        address = found[1].decode() if found else ""
        for path, authorization, expected in (
            ("healthz", "", 200),
            ("readyz", "", 200),
            ("metrics", "", 404),
            ("metrics", f"Bearer {METRICS_TOKEN}", 200),
        ):
            headers = {"Authorization": authorization}
            async with client.get(f"{address}/{path}", headers=headers) as answer:
                assert answer.status == expected, path
                text = await answer.text()
        process.terminate()
        await process.communicate()
    assert process.returncode == 0
    assert "pachops_calls_limited" in text
    # Of what is in the database `serve` tells; told twice it would count double.
    assert "pachops_deployments" not in text


async def test_its_calls_are_counted(tmp_path: Path) -> None:
    class Counted:
        def __init__(self) -> None:
            self.calls: list[tuple[str, str]] = []

        def ended(self, service: str, how: str, _seconds: float) -> None:
            self.calls.append((service, how))

        def limited(self, _service: str) -> None:
            """Nobody is here."""

        def left(self, _service: str, _calls: int) -> None:
            """Nobody is here."""

    settings = load_settings(variables(tmp_path, PACHOPS_PACHD_ADDRESS="grpc://127.0.0.1:1"))
    counted = Counted()
    async with open_worker(settings, calls=counted) as bot:
        with pytest.raises(StoppedError):
            await bot.pachyderm("default").version()
    assert set(counted.calls) == {("pachyderm", "failed")}


@pytest.mark.real
async def test_a_port_that_is_taken_is_named(tmp_path: Path, postgresql_server: PostgreSQL) -> None:
    async with await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0) as other:
        port = other.sockets[0].getsockname()[1]
        settings = load_settings(
            variables(
                tmp_path,
                PACHOPS_DATABASE_URL=postgresql_server.new_database(),
                PACHOPS_WEB_WORKER_PORT=str(port),
            )
        )
        with pytest.raises(StoppedError) as stopped:
            await work(settings)
    assert stopped.value.reason.where == "PACHOPS_WEB_WORKER_PORT"
