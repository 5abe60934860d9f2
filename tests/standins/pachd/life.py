"""What happens by itself: workers come up, images are missing, jobs run."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.standins.pachd.datums import Datum, datums_of, digest
from tests.standins.pachd.pipelines import files_of, inputs_of
from tests.standins.pachd.specs import Spec
from tests.standins.pachd.state import Cluster, Job, Pipeline, Version

ImageExists = Callable[[str], bool]
DatumFails = Callable[[str, str, str], bool]
"""(pipeline, image, path of the datum) -> whether the user's code fails on it."""


@dataclass(frozen=True)
class Timing:
    """Seconds. The states of a pipeline are late in a real cluster as well."""

    starting: float = 0.2
    """From the update until the workers are asked for."""
    workers: float = 1.0
    """From the update until they are there."""
    crashing: float = 3.0
    """From the update until a missing image shows."""
    job: float = 0.5
    datum: float = 0.1


@dataclass(frozen=True)
class Sight:
    """What pachd says of a pipeline at a moment."""

    state: str
    reason: str
    workers_available: int


class Life:
    """Brings a cluster's state up to a moment."""

    def __init__(self, timing: Timing, image_exists: ImageExists, datum_fails: DatumFails) -> None:
        self.timing = timing
        self.image_exists = image_exists
        self.datum_fails = datum_fails

    def settle(self, cluster: Cluster, now: float) -> None:
        """Let everything happen that happened until now."""
        for pipeline in cluster.pipelines.values():
            if not pipeline.stopped and not _spec(pipeline).get("autoscaling"):
                self._pull(pipeline, pipeline.current.created, now)
        moved = True
        while moved:
            open_jobs = [job for job in cluster.jobs if not job.is_finished]
            moved = sum(self._step(cluster, job, now) for job in open_jobs) > 0

    def sight(self, cluster: Cluster, pipeline: Pipeline, now: float) -> Sight:
        """The state that a caller sees; `settle` first."""
        version = pipeline.current
        if version.forced_state:
            return Sight(version.forced_state, version.forced_reason, 0)
        if pipeline.stopped:
            return Sight("PAUSED", "", 0)
        if now < version.created + self.timing.starting:
            return Sight("STARTING", "", 0)
        awake_since = self._awake_since(cluster, pipeline)
        if awake_since is None:
            return Sight("STANDBY", "", 0)
        if version.image_found is False and now >= awake_since + self.timing.crashing:
            image = _spec(pipeline)["transform"]["image"]
            return Sight("CRASHING", f'ErrImagePull: failed to pull "{image}": not found', 0)
        up = version.image_found is True and now >= awake_since + self.timing.workers
        return Sight("RUNNING", "", parallelism(_spec(pipeline)) if up else 0)

    def _awake_since(self, cluster: Cluster, pipeline: Pipeline) -> float | None:
        if not _spec(pipeline).get("autoscaling"):
            return pipeline.current.created
        waiting = [job for job in cluster.jobs_of(pipeline.key) if not job.is_finished]
        return waiting[0].created if waiting else None

    def _pull(self, pipeline: Pipeline, since: float, now: float) -> bool:
        """Whether workers are up; asks for the image when they first could be."""
        version = pipeline.current
        if version.image_found is None and now >= since + self.timing.workers:
            version.image_found = self.image_exists(_spec(pipeline)["transform"]["image"])
        return version.image_found is True

    def _step(self, cluster: Cluster, job: Job, now: float) -> bool:
        """Take a job one state further; whether something changed."""
        pipeline = cluster.pipelines[job.pipeline]
        if job.state == "RUNNING":
            return self._finish(cluster, pipeline, job, now)
        ready = self._ready_at(cluster, job)
        if ready is None:
            return job.is_finished
        since = job.created if _spec(pipeline).get("autoscaling") else pipeline.current.created
        if pipeline.current.forced_state or not self._pull(pipeline, since, now):
            return False
        start = max(ready, since + self.timing.workers)
        if now < start:
            return False
        for source in inputs_of(pipeline):
            job.inputs.setdefault(source, files_of(cluster, source))
        todo, skipped = _divide(pipeline, job)
        job.state, job.started = "RUNNING", start
        job.total, job.skipped = len(todo) + len(skipped), len(skipped)
        rounds = -(-len(todo) // parallelism(_spec(pipeline)))
        job.ends = start + self.timing.job + self.timing.datum * rounds
        return True

    def _ready_at(self, cluster: Cluster, job: Job) -> float | None:
        """When nothing stood before the job; None while something does."""
        before = [other for other in cluster.jobs_of(job.pipeline) if other.created <= job.created]
        before = before[: before.index(job)]
        above = [other for other in cluster.jobs if job.above.get(other.pipeline) == other.id]
        if not all(other.is_finished for other in before + above):
            return None
        ready = max([job.created, *(other.finished or 0.0 for other in before + above)])
        bad = [other.pipeline for other in above if other.state != "SUCCESS"]
        if bad:
            job.state, job.finished = "UNRUNNABLE", ready
            job.reason = f"unrunnable because the following upstream provenance failed: {bad}"
            return None
        return ready

    def _finish(self, cluster: Cluster, pipeline: Pipeline, job: Job, now: float) -> bool:
        assert job.ends is not None
        if now < job.ends:
            return False
        version, image = pipeline.current, _spec(pipeline)["transform"]["image"]
        todo, skipped = _divide(pipeline, job)
        bad = [
            datum
            for datum in todo
            if any(self.datum_fails(pipeline.key, image, path) for path in datum.paths)
        ]
        job.finished = job.ends
        job.skipped, job.failed = len(skipped), len(bad)
        job.processed = len(todo) - len(bad)
        job.total = len(todo) + len(skipped)
        if bad:
            job.state, job.reason = "FAILURE", f"datum {bad[0].id} failed"
            return True
        job.state = "SUCCESS"
        outputs = {datum.hash(version.salt): _output(datum, image) for datum in todo}
        kept = [datum.hash(version.salt) for datum in skipped]
        pipeline.outputs = outputs | {known: pipeline.outputs[known] for known in kept}
        repo = cluster.repos[pipeline.key]
        repo.files = {
            _path(datum): pipeline.outputs[datum.hash(version.salt)] for datum in todo + skipped
        }
        return True


def _divide(pipeline: Pipeline, job: Job) -> tuple[list[Datum], list[Datum]]:
    """What is to be done and what is skipped because the last good job did it."""
    spec, salt = _spec(pipeline), pipeline.current.salt
    datums = datums_of(spec, pipeline.project, pipeline.name, job.inputs)
    every = spec.get("reprocessSpec") == "every_job"
    known = set() if every else set(pipeline.outputs)
    todo = [datum for datum in datums if datum.hash(salt) not in known]
    skipped = [datum for datum in datums if datum.hash(salt) in known]
    return todo, skipped


def _spec(pipeline: Pipeline) -> Spec:
    return spec_of(pipeline.current)


def spec_of(version: Version) -> Spec:
    """The effective spec of a version."""
    spec: Spec = json.loads(version.effective_spec)
    return spec


def parallelism(spec: Spec) -> int:
    """The number of workers that a spec asks for."""
    return int(spec.get("parallelismSpec", {}).get("constant", 0)) or 1


def _output(datum: Datum, image: str) -> str:
    """New code makes something new of old data, where it gets to see it."""
    return digest(datum.hash(""), image)


def _path(datum: Datum) -> str:
    if len(datum.parts) == 1 and datum.parts[0].path != "/":
        return datum.parts[0].path
    return f"/{datum.id[:12]}"
