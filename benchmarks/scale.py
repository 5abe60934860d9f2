"""Several workers on PostgreSQL: throughput, latency with a backlog, restart, takeover; idle memory."""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks.row import MeasureError, Row
from benchmarks.small_worker import BUSY
from bot.domain.deployment import (
    Actor,
    Commit,
    Deployment,
    Kind,
    Request,
    Trigger,
    new_deployment_id,
)
from bot.engine.engine import Engine
from bot.engine.run import Run
from bot.store.database import Database
from tests.real.outside import PACHOPS
from tests.real.postgresql import PostgreSQL, postgresql

PROJECT = Path(__file__).parents[1]
SMALL = 100
AT_A_TIME = 4
STEP_SECONDS = 0.25
WAITING = 1000
BUSY_TARGETS = 100
PROBES = 40
PATIENCE = 300.0
MEGABYTE = 1_000_000
NOTES = f"""
Scale: PostgreSQL and all workers share this machine. A small deployment is four steps that wait
{STEP_SECONDS} s each; a worker runs {AT_A_TIME} at a time. {WAITING} wait behind {BUSY_TARGETS} targets
that are busy, and {PROBES} more are asked for on free targets. Restart is from the start of the
process. Takeover is from kill -9 until another worker goes on. Memory is of `pachops serve` on
SQLite with all of it set (App, login, Slack's socket, pages, figures), a minute idle and none of
them reachable."""


def scale_rows(folder: Path) -> list[Row]:
    """Measure all of it."""
    with postgresql() as server:
        return [
            _throughput_row(server, folder),
            *_backlog_rows(server, folder),
            _takeover_row(server, folder),
            _memory_row(folder),
        ]


@dataclass(frozen=True)
class Log:
    """What the workers wrote down."""

    path: Path

    def times(self, word: str) -> dict[str, float]:
        """When it happened to each, the first time."""
        found: dict[str, float] = {}
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        for line in lines:
            said, identity, at = line.split()
            if said == word:
                found.setdefault(identity, float(at))
        return found

    def count(self, word: str) -> int:
        """How often it happened."""
        text = self.path.read_text() if self.path.exists() else ""
        return sum(line.startswith(f"{word} ") for line in text.splitlines())

    def until(self, word: str, times: int) -> None:
        """Wait for it."""
        deadline = time.monotonic() + PATIENCE
        while self.count(word) < times:
            if time.monotonic() > deadline:
                msg = f"the workers did not come to {times} times '{word}'"
                raise MeasureError(msg)
            time.sleep(0.02)


@contextmanager
def _worker(url: str, log: Log, at_a_time: int) -> Iterator["subprocess.Popen[bytes]"]:
    command = (sys.executable, "-m", "benchmarks.small_worker", url, str(log.path))
    with subprocess.Popen(  # noqa: S603 - our own program
        (*command, str(at_a_time), str(STEP_SECONDS)), cwd=PROJECT, stdin=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _throughput_row(server: PostgreSQL, folder: Path) -> Row:
    one, two = (_seconds_of(count, server, folder) for count in (1, 2))
    ratio = one / two
    return Row("two workers", ">= 1.70 x", f"{two:.1f} s", f"{one:.1f} s", ratio, ratio >= 1.7)


def _seconds_of(workers: int, server: PostgreSQL, folder: Path) -> float:
    """What so many workers need for the small deployments, from the first begin to the last end."""
    url, log = server.new_database(), Log(folder / f"throughput-{workers}.log")
    with _worker(url, log, AT_A_TIME):
        log.until("ready", 1)
        if workers == 1:
            return _run_small(url, log)
        with _worker(url, log, AT_A_TIME):
            log.until("ready", 2)
            return _run_small(url, log)


def _run_small(url: str, log: Log) -> float:
    _submit(url, [_deployment(f"small-{number}") for number in range(SMALL)])
    log.until("ends", SMALL)
    return max(log.times("ends").values()) - min(log.times("begins").values())


def _backlog_rows(server: PostgreSQL, folder: Path) -> list[Row]:
    url, log = server.new_database(), Log(folder / "backlog.log")
    targets = [f"{BUSY}-{number % BUSY_TARGETS}" for number in range(WAITING + BUSY_TARGETS)]
    with _worker(url, log, 2 * BUSY_TARGETS) as process:
        log.until("ready", 1)
        _submit(url, [_deployment(target) for target in targets])
        log.until("begins", BUSY_TARGETS)
        probes = [_deployment(f"free-{number}") for number in range(PROBES)]
        submitted = _submit(url, probes, pause=0.25)
        log.until("ends", PROBES)
        begun = log.times("begins")
        waits = [begun[each.id] - submitted[each.id] for each in probes]
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
    before, began = log.count("begins"), time.time()
    with _worker(url, log, 2 * BUSY_TARGETS):
        log.until("begins", before + 1)
        restart = time.time() - began
    latency = statistics.median(waits)
    return [
        _limit_row("enqueue to start", latency, most=1.0),
        _limit_row("restart to first start", restart, most=5.0),
    ]


def _takeover_row(server: PostgreSQL, folder: Path) -> Row:
    url, log = server.new_database(), Log(folder / "takeover.log")
    with _worker(url, log, AT_A_TIME) as first:
        log.until("ready", 1)
        _submit(url, [_deployment(f"{BUSY}-{number}") for number in range(AT_A_TIME)])
        log.until("begins", AT_A_TIME)
        with _worker(url, log, AT_A_TIME):
            log.until("ready", 2)
            killed = time.time()
            first.kill()
            log.until("begins", 2 * AT_A_TIME)
            return _limit_row("takeover after kill -9", time.time() - killed, most=30.0)


def _limit_row(name: str, seconds: float, *, most: float) -> Row:
    return Row(name, f"< {most:.0f} s", f"{seconds:.2f} s", "-", seconds / most, seconds < most)


def _memory_row(folder: Path) -> Row:
    key = folder / "app.pem"
    key.write_bytes(_private_key())
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PACHOPS_DATA_DIR": str(folder / "serve"),
        "PACHOPS_WEB_PORT": "0",
        # Nobody is there: it must live with that.
        "PACHOPS_GITHUB_BASE_URL": "http://127.0.0.1:9",
        "PACHOPS_GITHUB_APP_ID": "1",
        "PACHOPS_GITHUB_PRIVATE_KEY_FILE": str(key),
        "PACHOPS_GITHUB_WEBHOOK_SECRETS": "a-secret-of-nobody",
        "PACHOPS_GITHUB_CLIENT_ID": "Iv1.nobody",
        "PACHOPS_GITHUB_CLIENT_SECRET": "a-secret-of-nobody",
        "PACHOPS_SLACK_BASE_URL": "http://127.0.0.1:9/api",
        "PACHOPS_SLACK_BOT_TOKEN": "xoxb-nobody",
        "PACHOPS_SLACK_APP_TOKEN": "xapp-nobody",
        "PACHOPS_WEB_PUBLIC_URL": "https://pachops.example.com",
        "PACHOPS_WEB_METRICS_TOKEN": "a-token-of-nobody-at-all",
    }
    with subprocess.Popen(  # noqa: S603 - our own program
        (str(PACHOPS), "serve"), env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            for line in process.stderr or ():
                if "listening" in line:
                    break
            else:
                raise MeasureError("pachops serve did not start")
            time.sleep(60)
            resident = psutil.Process(process.pid).memory_info().rss / MEGABYTE
        finally:
            process.kill()
    return Row("serve, idle", "< 160 MB", f"{resident:.0f} MB", "-", resident / 160, resident < 160)


def _private_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _deployment(repository: str) -> Deployment:
    request = Request(
        Kind.DEPLOY,
        repository,
        "default",
        Commit("a" * 40, "main"),
        Trigger.CLI,
        Actor("ada", "cli"),
    )
    return Deployment(new_deployment_id(), request, created_at=time.time())


def _submit(url: str, deployments: Sequence[Deployment], *, pause: float = 0.0) -> dict[str, float]:
    """Ask for them; when each was on disk."""

    async def nothing(_run: Run) -> None:
        raise AssertionError

    async def submit() -> dict[str, float]:
        database = await Database.open(url)
        engine = Engine(database, nothing, max_running=0)
        await engine.start()
        stored = {}
        for each in deployments:
            await engine.submit(each)
            stored[each.id] = time.time()
            await asyncio.sleep(pause)
        await engine.stop()
        await database.close()
        return stored

    return asyncio.run(submit())
