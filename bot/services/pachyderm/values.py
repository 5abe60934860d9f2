"""What Pachyderm says of its pipelines and jobs, and what it is told."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LivePipeline:
    """A pipeline as it is in Pachyderm now."""

    project: str
    name: str
    version: int
    state: str
    """starting, running, restarting, failure, paused, standby, crashing or unknown."""
    stopped: bool
    reason: str
    """Pachyderm's own words for an error; empty where there is none."""
    image: str
    user_spec: str
    """JSON, as it was sent."""
    effective_spec: str
    """JSON, with the cluster's and project's defaults."""
    autoscaling: bool
    workers_requested: int
    workers_available: int
    recent_error: str

    @property
    def in_error(self) -> bool:
        """Whether this version cannot work as it is."""
        return self.state in {"failure", "crashing", "restarting"}


@dataclass(frozen=True)
class PipelineUpdate:
    """One pipeline's new spec."""

    project: str
    name: str
    spec_json: str
    reprocess: bool = False
    """Whether datums that were processed before are processed again."""


@dataclass(frozen=True)
class Job:
    """One run of a pipeline over its input."""

    id: str
    state: str
    """created, starting, running, egressing, finishing, success, failure, killed or unrunnable."""
    data_processed: int
    data_skipped: int
    """Datums that an earlier version had processed: they say nothing about this image."""
    data_failed: int
    reason: str

    @property
    def finished(self) -> bool:
        """Whether the job has come to its end."""
        return self.state in {"success", "failure", "killed", "unrunnable"}

    @property
    def failed(self) -> bool:
        """Whether the job ended without a result."""
        return self.finished and self.state != "success"
