"""What the calls do to the state, once it is clear that they may."""

import json
import uuid
from collections.abc import Iterable

import grpc

from tests.standins.pachd import specs
from tests.standins.pachd.datums import digest
from tests.standins.pachd.errors import refuse, refuse_missing
from tests.standins.pachd.state import Cluster, Job, Pipeline, Repo, Request, Version

NOBODY = "unknown_username"
"""pachd's name for who calls while auth is off."""


def new_id() -> str:
    return uuid.uuid4().hex


def find(cluster: Cluster, project: str, name: str) -> Pipeline:
    pipeline = cluster.pipelines.get(f"{project}/{name}")
    if pipeline is None:
        refuse_missing(f'pipeline "{name}" not found')
    return pipeline


def check_secrets(cluster: Cluster, spec: specs.Spec) -> None:
    """Done before the transaction, as pachd does it."""
    for secret in spec.get("transform", {}).get("secrets", []):
        name, key = secret.get("name", ""), secret.get("key", "")
        if secret.get("envVar") and not key:
            refuse(f"secret {name} has env_var set but is missing key")
        if name not in cluster.secrets:
            refuse(f"missing Kubernetes secret {name}")
        if secret.get("envVar") and key not in cluster.secrets[name]:
            refuse(f"Kubernetes secret {name} missing key {key}")


def create(cluster: Cluster, request: Request, now: float) -> str:
    """Create or update a pipeline; its key."""
    spec = json.loads(request.effective_spec)
    project, name = specs.identity(spec)
    key = f"{project}/{name}"
    old = cluster.pipelines.get(key)
    if old and not request.update:
        refuse(f'pipeline "{name}" already exists', grpc.StatusCode.ALREADY_EXISTS)
    specs.check(spec)
    if project not in cluster.projects:
        refuse_missing(f'project "{project}" not found')
    _provide_inputs(cluster, spec, now)
    if old and "specCommit" in spec:
        refuse("Cannot update a pipeline and provide a spec commit at the same time")
    if not old:
        if key in cluster.repos:
            refuse(
                f'pipeline "{name}" cannot be created because a repo with the same name '
                "already exists"
            )
        cluster.repos[key] = Repo(project, name, now, f"Output repo for pipeline {name}.")
        cluster.pipelines[key] = Pipeline(project, name, now, [])
    _check_circle(cluster, key, spec)
    pipeline = cluster.pipelines[key]
    salt = spec.get("salt") or new_id()
    if request.reprocess:
        salt = new_id()
    elif old:
        salt = old.current.salt
    pipeline.versions.append(
        Version(
            number=len(pipeline.versions) + 1,
            user_spec=request.user_spec,
            effective_spec=request.effective_spec,
            salt=salt,
            spec_commit=new_id(),
            created=now,
            created_by=request.user,
        )
    )
    if old:
        reason = f"all jobs killed because pipeline was updated for user {request.user}"
        kill_jobs(cluster, key, reason, now)
    return key


def _provide_inputs(cluster: Cluster, spec: specs.Spec, now: float) -> None:
    for kind, project, name in specs.input_repos(spec):
        key = f"{project}/{name}"
        if kind == "cron":
            cluster.repos.setdefault(key, Repo(project, name, now, "Cron tick repo."))
        elif key not in cluster.repos:
            refuse_missing(f"repo {key} not found")


def _check_circle(cluster: Cluster, key: str, spec: specs.Spec) -> None:
    waiting = [f"{project}/{name}" for _, project, name in specs.input_repos(spec)]
    while waiting:
        source = waiting.pop()
        if source == key:
            refuse(f"branch {key}@master cannot be in its own provenance")
        if source in cluster.pipelines and cluster.pipelines[source].versions:
            waiting += inputs_of(cluster.pipelines[source])


def inputs_of(pipeline: Pipeline) -> list[str]:
    """Keys of the repositories that a pipeline reads."""
    spec = json.loads(pipeline.current.effective_spec)
    return [f"{project}/{name}" for _, project, name in specs.input_repos(spec)]


def kill_jobs(cluster: Cluster, key: str, reason: str, now: float) -> None:
    for job in cluster.jobs_of(key):
        if not job.is_finished:
            job.state, job.reason, job.finished = "KILLED", reason, now


def propagate(cluster: Cluster, roots: Iterable[str], job_id: str, now: float) -> None:
    """New commits at the roots: a job for each pipeline that is one or reads from one."""
    reached = set(roots)
    for pipeline in in_order(cluster):
        key = pipeline.key
        if key not in reached and not reached.intersection(inputs_of(pipeline)):
            continue
        if pipeline.stopped or "spout" in json.loads(pipeline.current.effective_spec):
            continue
        job = Job(job_id, key, pipeline.current.number, now)
        for source in inputs_of(pipeline):
            making = [other for other in cluster.jobs_of(source) if not other.is_finished]
            if making:
                job.above[source] = making[-1].id
            else:
                job.inputs[source] = files_of(cluster, source)
        cluster.jobs.append(job)
        reached.add(key)


def files_of(cluster: Cluster, key: str) -> dict[str, str]:
    """A copy of what is in a repository; nothing where it was deleted by force."""
    repo = cluster.repos.get(key)
    return dict(repo.files) if repo else {}


def in_order(cluster: Cluster) -> list[Pipeline]:
    """The pipelines, each after those it reads from."""
    ordered: dict[str, Pipeline] = {}

    def visit(key: str) -> None:
        pipeline = cluster.pipelines.get(key)
        if pipeline is None or key in ordered:
            return
        for source in inputs_of(pipeline):
            visit(source)
        ordered[key] = pipeline

    for key in cluster.pipelines:
        visit(key)
    return list(ordered.values())


def stop(cluster: Cluster, pipeline: Pipeline, user: str, now: float) -> None:
    pipeline.stopped = True
    reason = f"all jobs killed because pipeline was stopped for user {user}"
    kill_jobs(cluster, pipeline.key, reason, now)


def start(cluster: Cluster, pipeline: Pipeline, now: float) -> None:
    if not pipeline.stopped:
        return
    pipeline.stopped = False
    propagate(cluster, [pipeline.key], new_id(), now)


def delete(cluster: Cluster, pipeline: Pipeline, *, force: bool, keep_repo: bool) -> None:
    key = pipeline.key
    readers = [other.key for other in in_order(cluster) if key in inputs_of(other)]
    if readers and not force and not keep_repo:
        refuse(
            f"error deleting pipeline repo: branch {key}@master has [{' '.join(readers)}] as "
            "subvenance, deleting it would break those branches"
        )
    crons = [
        f"{project}/{name}"
        for kind, project, name in specs.input_repos(json.loads(pipeline.current.effective_spec))
        if kind == "cron"
    ]
    for repo in crons if keep_repo else [key, *crons]:
        cluster.repos.pop(repo, None)
    del cluster.pipelines[key]
    cluster.jobs = [job for job in cluster.jobs if job.pipeline != key]


def put_files(cluster: Cluster, repo: Repo, files: dict[str, str], now: float) -> None:
    """A commit to a repository: contents by path."""
    for path, content in files.items():
        repo.files["/" + path.strip("/")] = digest(content)
    propagate(cluster, [f"{repo.project}/{repo.name}"], new_id(), now)
