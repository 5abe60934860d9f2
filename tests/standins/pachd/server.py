"""The stand-in as a gRPC server in this process."""

import json
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc

from tests.standins.pachd import pipelines, specs
from tests.standins.pachd.answers import Answers
from tests.standins.pachd.calls import Caller
from tests.standins.pachd.faults import Fault, Faults
from tests.standins.pachd.images import image_exists as ask_registry
from tests.standins.pachd.life import DatumFails, ImageExists, Life, Timing
from tests.standins.pachd.sdk import pps
from tests.standins.pachd.state import Job, Pipeline, Repo
from tests.standins.pachd.world import World


class Pachd:
    """A pachd to test against: `async with Pachd() as pachd: ... pachd.address`.

    Its clock stands still until `advance`, unless `real_time`.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        version: tuple[int, int, int] = (2, 12, 2),
        tokens: Mapping[str, str] | None = None,
        readers: frozenset[str] = frozenset(),
        tls: tuple[bytes, bytes] | None = None,
        image_exists: ImageExists = ask_registry,
        datum_fails: DatumFails = lambda _pipeline, _image, _path: False,
        timing: Timing | None = None,
        real_time: bool = False,
        state_file: Path | None = None,
        cluster_defaults: specs.Spec = specs.CLUSTER_DEFAULTS,
    ) -> None:
        """`tokens` (token -> user) turn auth on; `readers` may change nothing.

        `tls` is a key and a certificate, PEM.
        """
        self.faults = Faults()
        self._port, self._tls = port, tls
        life = Life(timing or Timing(), image_exists, datum_fails)
        self._world = World(
            life, version, cluster_defaults, real_time=real_time, state_file=state_file
        )
        self._answers = Answers(self._world, self.faults, dict(tokens or {}), readers)
        self._server: Any = None

    # life

    @property
    def address(self) -> str:
        """Where it listens, as a client is told."""
        return f"{'grpcs' if self._tls else 'grpc'}://localhost:{self._port}"

    def start(self) -> None:
        """Listen."""
        self._answers.stopping.clear()
        self._server = grpc.server(
            ThreadPoolExecutor(16, "pachd"), options=[("grpc.so_reuseport", 0)]
        )
        self._server.add_generic_rpc_handlers(self._answers.handlers())
        where = f"localhost:{self._port}"
        if self._tls:
            credentials = grpc.ssl_server_credentials([self._tls])
            self._port = self._server.add_secure_port(where, credentials)
        else:
            self._port = self._server.add_insecure_port(where)
        self._server.start()

    def stop(self) -> None:
        """Stop listening; the state stays, and `start` listens on the same port again."""
        self._answers.stopping.set()
        if self._server:
            self._server.stop(None).wait()
            self._server = None

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    # what a test does to it

    def advance(self, seconds: float) -> None:
        """Let time pass, and with it everything that happens by itself."""
        self._world.advance(seconds)

    def create_project(self, name: str) -> None:
        """Make a project, where it is not there yet."""
        with self._world.state() as cluster:
            cluster.projects.setdefault(name, self._world.now)

    def create_repo(self, name: str, *, project: str = "default") -> None:
        """Make a repository and its project, where they are not there yet."""
        with self._world.state() as cluster:
            cluster.projects.setdefault(project, self._world.now)
            cluster.repos.setdefault(f"{project}/{name}", Repo(project, name, self._world.now))

    def put_files(
        self, repo: str, files: list[str] | Mapping[str, str], *, project: str = "default"
    ) -> None:
        """Commit files (contents by path, or paths) to a repository; it is made if need be."""
        self.create_repo(repo, project=project)
        contents = files if isinstance(files, Mapping) else {path: path for path in files}
        with self._world.state() as cluster:
            pipelines.put_files(
                cluster, cluster.repos[f"{project}/{repo}"], dict(contents), self._world.now
            )

    def create_secret(self, name: str, *keys: str) -> None:
        """Make a Kubernetes secret."""
        with self._world.state() as cluster:
            cluster.secrets[name] = list(keys)

    def set_project_defaults(self, project: str, spec: specs.Spec) -> None:
        """Set the defaults of a project, with camel-case keys."""
        self._world.calls.project_defaults[project] = spec

    def break_pipeline(
        self, name: str, state: str = "FAILURE", reason: str = "broken", *, project: str = "default"
    ) -> None:
        """Put a pipeline's current version in a state, until it is updated."""
        with self._world.state() as cluster:
            version = pipelines.find(cluster, project, name).current
            version.forced_state, version.forced_reason = state, reason

    def update(self, spec: specs.Spec, *, reprocess: bool = False) -> None:
        """Create or update a pipeline as somebody else would, by hand."""
        request = pps.CreatePipelineV2Request(
            create_pipeline_request_json=json.dumps(spec), update=True, reprocess=reprocess
        )
        with self._world.state():
            self._world.calls.create_pipeline_v2(request, Caller(None))

    def fail(
        self,
        method: str,
        code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE,
        message: str = "fault",
        *,
        times: int = 1,
        after: bool = False,
    ) -> None:
        """Let the next calls fail; with `after` the work is done and the answer lost."""
        self.faults.add(method, Fault(code, message, after, 0.0), times)

    def delay(self, method: str, seconds: float, *, times: int = 1) -> None:
        """Let the next calls take real seconds longer."""
        self.faults.add(method, Fault(None, "", after=False, delay=seconds), times)

    def hold(self, method: str) -> threading.Event:
        """Let the next call wait until the event is set (or its caller has gone)."""
        event = threading.Event()
        self.faults.add(method, Fault(None, "", after=False, delay=0.0, hold=event), 1)
        return event

    # what a test sees of it

    def files(self, repo: str, *, project: str = "default") -> frozenset[str]:
        """The paths in a repository, which may be the output of a pipeline."""
        with self._world.state() as cluster:
            return frozenset(pipelines.files_of(cluster, f"{project}/{repo}"))

    def pipeline(self, name: str, *, project: str = "default") -> Pipeline:
        """A pipeline's state."""
        with self._world.state() as cluster:
            return pipelines.find(cluster, project, name)

    def has_pipeline(self, name: str, *, project: str = "default") -> bool:
        """Whether there is such a pipeline."""
        with self._world.state() as cluster:
            return f"{project}/{name}" in cluster.pipelines

    def jobs(self, name: str, *, project: str = "default") -> tuple[Job, ...]:
        """A pipeline's jobs, oldest first."""
        with self._world.state() as cluster:
            return tuple(cluster.jobs_of(f"{project}/{name}"))

    @property
    def waiting_requests(self) -> int:
        """How many requests open transactions hold."""
        with self._world.state() as cluster:
            return sum(len(each.requests) for each in cluster.transactions.values())

    @property
    def transactions(self) -> tuple[str, ...]:
        """The ids of the open transactions."""
        with self._world.state() as cluster:
            return tuple(cluster.transactions)
