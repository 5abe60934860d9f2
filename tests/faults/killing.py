"""Runs a worker process and kills it with SIGKILL at moments that its step log decides."""

import random
import signal
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
    patience: float = 300.0
    """Seconds for all of it: many times what it takes, for machines that do much else."""

    def run(self) -> Ending:
        """Kill, start again, and wait for the end."""
        chance = random.Random(self.seed)  # noqa: S311 - a moment, not a secret
        deadline = time.monotonic() + self.patience
        status = None
        with self.output.open("wb") as out:
            for kills in range(self.kills + 1):
                last = kills == self.kills
                lines = None if last else self.log.size() + chance.randint(1, self.most_lines)
                status = self._live(out, lines, deadline)
                if status != -signal.SIGKILL:
                    break
        return Ending(kills, status, self.output.read_text())

    def _live(self, out: IO[bytes], lines: int | None, deadline: float) -> int | None:
        """One worker's life until the log has so many lines: how it ended, None where in no time."""
        worker = subprocess.Popen(  # noqa: S603 - the test's own command
            self.command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
        try:
            while lines is None or self.log.size() < lines:
                status = worker.poll()
                if status is not None:
                    return status
                if time.monotonic() > deadline:
                    return None
                time.sleep(0.001)
            return -signal.SIGKILL
        finally:
            worker.kill()
            worker.wait()
