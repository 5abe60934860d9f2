"""Several workers on one database, killed with SIGKILL at moments that their step log decides."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

from tests.faults.killing import PROJECT
from tests.faults.steplog import StepLog


@dataclass
class Fleet:
    """Workers of tests.faults.worker; each that is killed is replaced by a new one."""

    url: str
    log: Path
    output: Path
    seed: int
    patience: float = 300.0
    """Seconds for all of it: many times what it takes, for machines that do much else."""
    _workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @contextmanager
    def of(self, count: int) -> Iterator[None]:
        """Run so many; whatever is left at the end is killed."""
        with self.output.open("ab") as out:
            try:
                self._workers = [self._start(out) for _ in range(count)]
                yield
            finally:
                for worker in self._workers:
                    worker.kill()
                    worker.wait()

    def kill(self, times: int, *, most_lines: int) -> None:
        """Kill one of them at random, each time after 1 to `most_lines` further lines of the log."""
        chance = random.Random(self.seed)  # noqa: S311 - a moment, not a secret
        steps = StepLog(self.log)
        for _ in range(times):
            lines = steps.size() + chance.randint(1, most_lines)
            self.until(partial(_has, steps, lines))
            place = chance.randrange(len(self._workers))
            self._workers[place].kill()
            self._workers[place].wait()
            with self.output.open("ab") as out:
                self._workers[place] = self._start(out)

    def until(self, holds: Callable[[], bool], *, pause: float = 0.002) -> None:
        """Wait for it, looking every `pause` seconds."""
        deadline = time.monotonic() + self.patience
        while not holds():
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(pause)

    def stop(self) -> list[int]:
        """Tell all to stop; their exit statuses."""
        for worker in self._workers:
            worker.send_signal(signal.SIGTERM)
        return [worker.wait(self.patience) for worker in self._workers]

    def _start(self, out: IO[bytes]) -> "subprocess.Popen[bytes]":
        command = (sys.executable, "-m", "tests.faults.worker", self.url, str(self.log))
        return subprocess.Popen(  # noqa: S603 - our own program
            command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )


def _has(log: StepLog, lines: int) -> bool:
    return log.size() >= lines
