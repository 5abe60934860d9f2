"""Runs a worker process and kills it with SIGKILL at moments that its step log decides."""

import random
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.faults.steplog import StepLog

PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ending:
    """How it went."""

    kills: int
    status: int | None
    """The exit status of the run that ended by itself; None where none did in time."""
    output: str
    """What all runs wrote to stdout and stderr."""


@dataclass(frozen=True)
class Killing:
    """`command` is the worker; it ends by itself, with status 0, when nothing is left to do.

    It is killed `kills` times, each time after it wrote between 1 and `most_lines` further
    lines to `log`; the last run is left alone. The seed decides after how many.
    """

    command: Sequence[str]
    log: StepLog
    output: Path
    """A file for what it writes to stdout and stderr."""
    kills: int
    most_lines: int
    seed: int
    patience: float = 120.0
    """Seconds for all of it."""

    def run(self) -> Ending:
        """Kill, start again, and wait for the end."""
        chance = random.Random(self.seed)  # noqa: S311 - a moment, not a secret
        deadline = time.monotonic() + self.patience
        done = 0
        with self.output.open("wb") as out:
            while True:
                worker = self._start(out)
                try:
                    lines = self.log.size() + chance.randint(1, self.most_lines)
                    if done == self.kills:
                        worker.wait(max(0.0, deadline - time.monotonic()))
                    elif self._reached(worker, lines, deadline):
                        worker.kill()
                        done += 1
                except subprocess.TimeoutExpired:
                    return Ending(done, None, self.output.read_text())
                finally:
                    worker.kill()
                    status = worker.wait()
                if status >= 0 or time.monotonic() > deadline:
                    return Ending(done, status, self.output.read_text())

    def _start(self, out: IO[bytes]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - the test's own command
            self.command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )

    def _reached(self, worker: "subprocess.Popen[bytes]", lines: int, deadline: float) -> bool:
        """Whether the log has so many lines before the worker ends or the time is up."""
        while self.log.size() < lines:
            if worker.poll() is not None or time.monotonic() > deadline:
                return False
            time.sleep(0.0005)
        return True
