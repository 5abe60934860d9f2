"""State -> the SDK's messages."""

import json
from datetime import UTC, datetime

from tests.standins.pachd.life import Sight, parallelism, spec_of
from tests.standins.pachd.sdk import Message, pfs, pps, transaction
from tests.standins.pachd.state import Job, Pipeline, Repo, Transaction, Version

DETAIL_FIELDS = (
    "transform", "parallelismSpec", "egress", "outputBranch", "resourceRequests",
    "resourceLimits", "sidecarResourceLimits", "sidecarResourceRequests", "input", "description",
    "service", "spout", "datumSetSpec", "datumTimeout", "jobTimeout", "datumTries",
    "schedulingSpec", "podSpec", "podPatch", "s3Out", "metadata", "reprocessSpec", "autoscaling",
    "tolerations", "determined", "maximumExpectedUptime",
)  # fmt: skip


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def pipeline_ref(project: str, name: str) -> Message:
    return pps.Pipeline(project=pfs.Project(name=project), name=name)


def commit(project: str, repo: str, kind: str, commit_id: str) -> Message:
    owner = pfs.Repo(name=repo, type=kind, project=pfs.Project(name=project))
    return pfs.Commit(repo=owner, id=commit_id, branch=pfs.Branch(repo=owner, name="master"))


def pipeline_info(
    pipeline: Pipeline, version: Version, sight: Sight, last_job: Job | None, *, details: bool
) -> Message:
    spec = spec_of(version)
    info = pps.PipelineInfo(
        pipeline=pipeline_ref(pipeline.project, pipeline.name),
        version=version.number,
        spec_commit=commit(pipeline.project, pipeline.name, "spec", version.spec_commit),
        stopped=pipeline.stopped,
        state=pps.PipelineState[f"PIPELINE_{sight.state}"],
        reason=sight.reason,
        parallelism=parallelism(spec),
        type=_type(spec),
        user_spec_json=version.user_spec,
        effective_spec_json=version.effective_spec,
    )
    if last_job:
        info.last_job_state = pps.JobState[f"JOB_{last_job.state}"]
    if details:
        info.details = _details(pipeline, version, sight)
    return info


def _type(spec: dict[str, object]) -> Message:
    kinds = pps.PipelineInfoPipelineType
    if "spout" in spec:
        return kinds.PIPELINE_TYPE_SPOUT
    return kinds.PIPELINE_TYPE_SERVICE if "service" in spec else kinds.PIPELINE_TYPE_TRANSFORM


def _details(pipeline: Pipeline, version: Version, sight: Sight) -> Message:
    spec = spec_of(version)
    details = pps.PipelineInfoDetails().from_dict(
        {name: spec[name] for name in DETAIL_FIELDS if name in spec}
    )
    details.created_at = moment(pipeline.created)
    details.updated_at = moment(version.created)
    details.created_by = version.created_by
    details.salt = version.salt
    details.recent_error = sight.reason
    details.workers_requested = parallelism(spec)
    details.workers_available = sight.workers_available
    return details


def job_info(job: Job, *, details: bool, spec: dict[str, object] | None = None) -> Message:
    project, _, name = job.pipeline.partition("/")
    info = pps.JobInfo(
        job=pps.Job(pipeline=pipeline_ref(project, name), id=job.id),
        pipeline_version=job.version,
        output_commit=commit(project, name, "user", job.id),
        data_processed=job.processed,
        data_skipped=job.skipped,
        data_failed=job.failed,
        data_total=job.total,
        state=pps.JobState[f"JOB_{job.state}"],
        reason=job.reason,
        created=moment(job.created),
    )
    if job.started is not None:
        info.started = moment(job.started)
    if job.finished is not None:
        info.finished = moment(job.finished)
    if details and spec:
        fields = {name: spec[name] for name in ("transform", "input") if name in spec}
        info.details = pps.JobInfoDetails().from_dict(fields)
    return info


def repo_info(repo: Repo) -> Message:
    owner = pfs.Repo(name=repo.name, type="user", project=pfs.Project(name=repo.project))
    return pfs.RepoInfo(
        repo=owner,
        created=moment(repo.created),
        description=repo.description,
        branches=[pfs.Branch(repo=owner, name="master")],
    )


def transaction_info(found: Transaction) -> Message:
    requests = [
        transaction.TransactionRequest(
            create_pipeline_v2=pps.CreatePipelineTransaction(
                user_json=request.user_spec,
                effective_json=request.effective_spec,
                create_pipeline_request=pps.CreatePipelineRequest().from_dict(
                    json.loads(request.effective_spec)
                    | {"update": request.update, "reprocess": request.reprocess}
                ),
            )
        )
        for request in found.requests
    ]
    return transaction.TransactionInfo(
        transaction=transaction.Transaction(id=found.id),
        requests=requests,
        responses=[transaction.TransactionResponse() for _ in requests],
        started=moment(found.started),
    )
