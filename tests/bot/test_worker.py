"""`pachops worker` as a process, on a database that is shared and on one that is not."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from bot.domain.reasons import Code, StoppedError
from bot.settings import load_settings
from bot.store.database import Database
from bot.store.tables import WORKER
from bot.worker import work
from tests.real.postgresql import PostgreSQL

PATIENCE = 60.0


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
    await database.close()
    assert left == []
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
