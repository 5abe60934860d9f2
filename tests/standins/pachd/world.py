"""The state, its clock and its file: one change at a time."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.standins.pachd.calls import Calls
from tests.standins.pachd.life import Life
from tests.standins.pachd.specs import Spec
from tests.standins.pachd.state import CLUSTER_JSON, Cluster

BEGINNING = 1_700_000_000.0
"""Where a clock that is moved by hand stands at first: seconds since the epoch."""


class World:
    """What there is, brought up to the moment whenever it is looked at."""

    def __init__(
        self,
        life: Life,
        version: tuple[int, int, int],
        cluster_defaults: Spec,
        *,
        real_time: bool,
        state_file: Path | None,
    ) -> None:
        self._real_time = real_time
        self._offset = 0.0 if real_time else BEGINNING
        self._file, self._saved = state_file, b""
        self._lock = threading.RLock()
        self._life = life
        cluster = Cluster(projects={"default": self.now})
        if state_file and state_file.exists():
            cluster = CLUSTER_JSON.validate_json(state_file.read_bytes())
        self.calls = Calls(cluster, life, version, cluster_defaults)

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self._offset + (time.time() if self._real_time else 0.0)

    def advance(self, seconds: float) -> None:
        """Let time pass, and with it everything that happens by itself."""
        with self.state():
            self._offset += seconds

    @contextmanager
    def state(self) -> Iterator[Cluster]:
        """The state of this moment, for one at a time; saved afterwards."""
        with self._lock:
            self._settle()
            try:
                yield self.calls.cluster
            finally:
                self._settle()
                self._save()

    def _settle(self) -> None:
        self.calls.now = self.now
        self._life.settle(self.calls.cluster, self.calls.now)

    def _save(self) -> None:
        if self._file is None:
            return
        state = CLUSTER_JSON.dump_json(self.calls.cluster)
        if state != self._saved:
            fresh = self._file.with_suffix(".fresh")
            fresh.write_bytes(state)
            fresh.replace(self._file)
            self._saved = state
