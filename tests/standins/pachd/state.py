"""What the stand-in remembers: plain data, saved as JSON."""

from dataclasses import dataclass, field

from pydantic import TypeAdapter

TERMINAL = frozenset({"SUCCESS", "FAILURE", "KILLED", "UNRUNNABLE"})


@dataclass
class Repo:
    """A repository of PFS: the head of its master branch."""

    project: str
    name: str
    created: float
    description: str = ""
    files: dict[str, str] = field(default_factory=dict)
    """Path, with its first slash, to the hash of the content."""


@dataclass
class Version:
    """One version of a pipeline."""

    number: int
    user_spec: str
    effective_spec: str
    salt: str
    spec_commit: str
    created: float
    created_by: str
    image_found: bool | None = None
    """None until a worker has tried to pull the image."""
    forced_state: str = ""
    forced_reason: str = ""


@dataclass
class Pipeline:
    """A pipeline with all its versions; the last one runs."""

    project: str
    name: str
    created: float
    versions: list[Version]
    stopped: bool = False
    outputs: dict[str, str] = field(default_factory=dict)
    """Hash of each datum of the last good job -> hash of what came out of it."""

    @property
    def key(self) -> str:
        return f"{self.project}/{self.name}"

    @property
    def current(self) -> Version:
        return self.versions[-1]


@dataclass
class Job:
    """A job; its id is shared by all jobs of one change."""

    id: str
    pipeline: str
    """project/name."""
    version: int
    created: float
    state: str = "CREATED"
    started: float | None = None
    finished: float | None = None
    ends: float | None = None
    """When a running job will be done."""
    reason: str = ""
    processed: int = 0
    skipped: int = 0
    failed: int = 0
    total: int = 0
    inputs: dict[str, dict[str, str]] = field(default_factory=dict)
    """The files of the commits that it reads, by repository; complete when it runs."""
    above: dict[str, str] = field(default_factory=dict)
    """Pipeline -> id of its job that makes what this one reads."""

    @property
    def is_finished(self) -> bool:
        return self.state in TERMINAL


@dataclass
class Request:
    """A CreatePipelineV2 that passed what is checked before the database."""

    user_spec: str
    effective_spec: str
    update: bool
    reprocess: bool
    user: str


@dataclass
class Transaction:
    """Requests that wait for their FinishTransaction."""

    id: str
    started: float
    requests: list[Request] = field(default_factory=list)


@dataclass
class Cluster:
    """Everything."""

    projects: dict[str, float] = field(default_factory=dict)
    """Name -> when it was created."""
    repos: dict[str, Repo] = field(default_factory=dict)
    pipelines: dict[str, Pipeline] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    """Oldest first."""
    transactions: dict[str, Transaction] = field(default_factory=dict)
    secrets: dict[str, list[str]] = field(default_factory=dict)
    """Kubernetes secret -> its keys."""

    def jobs_of(self, pipeline: str) -> list[Job]:
        return [job for job in self.jobs if job.pipeline == pipeline]


CLUSTER_JSON = TypeAdapter(Cluster)
