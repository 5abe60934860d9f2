"""`make bench`: pachops against a plain script that does the same by hand, on real parts.

Prints one row for each target. Ends with status 0 when everything could be measured, whether or not
a target was met.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks import by_hand, page, slack
from benchmarks.action import NOTES as ACTION_NOTES
from benchmarks.action import action_row
from benchmarks.content import CONTEXT, SPEC, Repository, make_repository
from benchmarks.row import MeasureError, Row
from benchmarks.scale import NOTES as SCALE_NOTES
from benchmarks.scale import scale_rows
from benchmarks.webhook import COUNT, PER_SECOND, WrongError, measure_webhooks
from tests.real.engine import MissingPartError
from tests.real.outside import PACHOPS, Outside, outside

PAIRS = 4
"""Even: who goes first is slower here, and each does so as often as the other."""
CONTEXT_MEGABYTES = 200
RUN_STEP = "find . -name '*.bin' -exec sha256sum {} + > sums"
AT_ONCE = ("--workers", "0")
"""Workers are up at once: the script would not wait for them."""
SAMPLE_EVERY = 0.01
RUN_TIMEOUT = 600.0
MEGABYTE = 1_000_000
NOTES = f"""
The context has {CONTEXT_MEGABYTES} MB of fresh content. Times are medians of {PAIRS} whole processes,
start to exit; the baseline is the script in benchmarks/by_hand.py. The script does not watch the
pipelines, so here pachops' verify window is 0 s and workers are up at once. Memory is the peak
above what the process had when its first stage began (the baseline).

Webhooks: {COUNT:,} deliveries at {PER_SECOND:.0f} a second to `pachops serve` with its SQLite on disk,
some of them repeated and some forged, while it builds an image; the baseline is the same bot
without a build. Each genuine one was acted on once, and no forged one.

Page: the first screen of a deployment whose log has a million lines, without a baseline: the ratio
is to the target."""


@dataclass(frozen=True)
class Pair:
    """Seconds of the same work by both."""

    pachops: float
    script: float


def main() -> int:
    """Measure and print; the exit status."""
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    if load > processors:
        print(
            f"Other work runs here (load {load:.1f}, {processors} processors): times will be off."
        )
    try:
        with outside(repo="images", file="part", pachd_options=AT_ONCE) as parts:
            cold, small = _time_deployments(parts)
            rows = [
                _ratio_row("first deployment", cold, most=1.10),
                _ratio_row("no change to the context", small, most=0.50),
                _memory_row(parts, most=40.0),
                action_row(parts, most=1.0),
                _webhook_row(parts, most=0.1),
                *scale_rows(parts.folder),
                _page_row(most=0.3),
            ]
        in_slack = slack.rows()
    except KeyboardInterrupt:
        return 130
    except (MissingPartError, MeasureError, WrongError) as error:
        print(f"The benchmark could not be run: {error}", file=sys.stderr)
        return 1
    print(f"\n{'name':<26}{'target':<12}{'measured':>10}{'baseline':>12}{'ratio':>8}")
    for row in rows:
        print(row)
    for line in in_slack:
        print(line)
    print(NOTES)
    print(ACTION_NOTES)
    print(SCALE_NOTES)
    return 0


def _time_deployments(parts: Outside) -> tuple[list[Pair], list[Pair]]:
    """First deployments of fresh repositories, each followed by a commit beside the context."""
    cold, small = [], []
    for number in range(PAIRS):
        ours = _fresh(parts, f"ours-{number}")
        scripts = _fresh(parts, f"script-{number}")
        cold.append(_time_pair(parts, ours, scripts, pachops_first=number % 2 == 0))
        _say("first deployment", cold[-1])
        for repository in (ours, scripts):
            repository.change_readme("Other words")
        small.append(_time_pair(parts, ours, scripts, pachops_first=number % 2 == 0))
        _say("no change to the context", small[-1])
    return cold, small


def _fresh(parts: Outside, name: str) -> Repository:
    return make_repository(
        parts.folder / name,
        registry=parts.registry,
        base_image=parts.base_image,
        megabytes=CONTEXT_MEGABYTES,
        run=RUN_STEP,
    )


def _time_pair(
    parts: Outside, ours: Repository, scripts: Repository, *, pachops_first: bool
) -> Pair:
    if pachops_first:
        pachops = _time(parts, _pachops_command(), ours)
        return Pair(pachops, _time(parts, _script_command(parts, scripts), scripts))
    script = _time(parts, _script_command(parts, scripts), scripts)
    return Pair(_time(parts, _pachops_command(), ours), script)


def _pachops_command() -> list[str]:
    return [str(PACHOPS), "deploy", "--json"]


def _script_command(parts: Outside, repository: Repository) -> list[str]:
    script = str(Path(by_hand.__file__))
    return [
        *(sys.executable, script, str(repository.path)),
        *(CONTEXT, repository.image, SPEC, parts.pachd),
    ]


def _time(parts: Outside, command: Sequence[str], repository: Repository) -> float:
    began = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own commands
        command,
        cwd=repository.path,
        env=_environment(parts, repository),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        output = (done.stdout + done.stderr).strip().splitlines()
        msg = f"{Path(command[0]).name} ended with status {done.returncode}: " + "\n".join(
            output[-5:]
        )
        raise MeasureError(msg)
    return seconds


def _environment(parts: Outside, repository: Repository) -> dict[str, str]:
    """Each repository has its own data folder: its first deployment is the bot's first too."""
    return parts.environment(parts.folder / f"data-{repository.pipeline}")


def _ratio_row(name: str, pairs: Sequence[Pair], *, most: float) -> Row:
    measured = statistics.median(pair.pachops for pair in pairs)
    baseline = statistics.median(pair.script for pair in pairs)
    ratio = measured / baseline
    return Row(
        name, f"<= {most:.2f} x", f"{measured:.2f} s", f"{baseline:.2f} s", ratio, ratio <= most
    )


def _memory_row(parts: Outside, *, most: float) -> Row:
    repository = _fresh(parts, "memory")
    idle, peak = _watch_memory(parts, repository)
    above = (peak - idle) / MEGABYTE
    return Row(
        "memory above idle",
        f"< {most:.0f} MB",
        f"{above:.1f} MB",
        f"{idle / MEGABYTE:.1f} MB",
        above * MEGABYTE / idle,
        above < most,
    )


def _page_row(*, most: float) -> Row:
    seconds = page.measure()["first screen"]
    return Row(
        "page of a million lines",
        f"< {most * 1000:.0f} ms",
        f"{seconds * 1000:.0f} ms",
        "-",
        seconds / most,
        seconds < most,
    )


def _webhook_row(parts: Outside, *, most: float) -> Row:
    alone, building = asyncio.run(measure_webhooks(parts))
    for name, answers in (("alone", alone), ("while it builds", building)):
        print(
            f"webhooks {name}: median {answers.median * 1000:.1f} ms,"
            f" p99 {answers.p99 * 1000:.1f} ms, longest {answers.longest * 1000:.1f} ms",
            flush=True,
        )
    return Row(
        "webhook answered, p99",
        f"< {most * 1000:.0f} ms",
        f"{building.p99 * 1000:.1f} ms",
        f"{alone.p99 * 1000:.1f} ms",
        building.p99 / alone.p99,
        building.p99 < most,
    )


def _watch_memory(parts: Outside, repository: Repository) -> tuple[int, int]:
    """Resident bytes of pachops itself when its first stage begins, and the most after that."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        _pachops_command(),
        cwd=repository.path,
        env=_environment(parts, repository),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    watched = psutil.Process(process.pid)
    idle, peak, ended = 0, 0, threading.Event()

    def sample() -> None:
        nonlocal peak
        while idle and not ended.wait(SAMPLE_EVERY):
            peak = max(peak, _resident(watched))

    sampler = threading.Thread(target=sample)
    with process:
        try:
            for line in process.stdout or ():
                event = json.loads(line)
                if event["event"] == "stage_started" and event["stage"] == "source" and not idle:
                    idle = _resident(watched)
                    sampler.start()
            process.wait(RUN_TIMEOUT)
        finally:
            ended.set()
            process.kill()
    if not idle or process.returncode != 0:
        raise MeasureError("the deployment of the large context failed")
    sampler.join()
    return idle, peak


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _say(what: str, pair: Pair) -> None:
    print(f"{what}: pachops {pair.pachops:.2f} s, script {pair.script:.2f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
