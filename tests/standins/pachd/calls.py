"""The methods of pachd that the stand-in has: one function each, over the state."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field

import _jsonnet
import grpc

from tests.standins.pachd import messages, pipelines, specs
from tests.standins.pachd.errors import Refused, refuse, refuse_invalid, refuse_missing
from tests.standins.pachd.life import Life, spec_of
from tests.standins.pachd.sdk import Empty, Message, admin, auth, pfs, pps, transaction, version
from tests.standins.pachd.state import Cluster, Job, Pipeline, Repo, Request, Transaction, Version

OF_READERS = frozenset(
    {
        auth.Permission.REPO_READ,
        auth.Permission.REPO_INSPECT_COMMIT,
        auth.Permission.REPO_LIST_COMMIT,
        auth.Permission.REPO_LIST_BRANCH,
        auth.Permission.REPO_LIST_FILE,
        auth.Permission.REPO_INSPECT_FILE,
        auth.Permission.PIPELINE_LIST_JOB,
        auth.Permission.PROJECT_LIST_REPO,
    }
)
"""What the role repoReader gives, with projectViewer."""


@dataclass(frozen=True)
class Caller:
    """Who calls, and in which transaction."""

    user: str | None
    """None while auth is off."""
    transaction: str = ""
    reads_only: bool = False

    @property
    def name(self) -> str:
        return self.user or pipelines.NOBODY


@dataclass
class Calls:
    """What a call does. The server holds the lock, settles the state and saves it."""

    cluster: Cluster
    life: Life
    version: tuple[int, int, int]
    cluster_defaults: specs.Spec
    now: float = 0.0
    project_defaults: dict[str, specs.Spec] = field(default_factory=dict)

    # versionpb_v2, admin_v2, auth_v2

    def get_version(self, _: Message, __: Caller) -> Message:
        major, minor, micro = self.version
        return version.Version(major=major, minor=minor, micro=micro)

    def inspect_cluster(self, request: Message, _: Caller) -> Message:
        name = request.current_project.name
        if name and name not in self.cluster.projects:
            refuse_missing(f'project "{name}" not found')
        return admin.ClusterInfo(id="stand-in", deployment_id="stand-in", warnings_ok=True)

    def who_am_i(self, _: Message, caller: Caller) -> Message:
        if caller.user is None:
            refuse("the auth service is not activated", grpc.StatusCode.UNIMPLEMENTED)
        return auth.WhoAmIResponse(username=caller.user)

    def authorize(self, request: Message, caller: Caller) -> Message:
        if caller.user is None:
            refuse("the auth service is not activated", grpc.StatusCode.UNIMPLEMENTED)
        kind, name = auth.ResourceType(request.resource.type), request.resource.name
        there = {
            auth.ResourceType.CLUSTER: True,
            auth.ResourceType.PROJECT: name in self.cluster.projects,
            auth.ResourceType.REPO: name in self.cluster.repos,
        }
        if not there.get(kind):
            refuse(f"no role binding exists for {kind.name} {name}")
        asked = [auth.Permission(each) for each in request.permissions]
        missing = [each for each in asked if caller.reads_only and each not in OF_READERS]
        return auth.AuthorizeResponse(
            authorized=not missing,
            satisfied=[each for each in asked if each not in missing],
            missing=missing,
            principal=caller.user,
        )

    # pps_v2

    def create_pipeline_v2(self, request: Message, caller: Caller) -> Message:
        user = specs.user_spec(request.create_pipeline_request_json)
        project, _ = specs.identity(user) if user.get("pipeline") else ("default", "")
        effective = specs.effective_spec(
            self.cluster_defaults, self.project_defaults.get(project, {}), user
        )
        text = json.dumps(effective, sort_keys=True, separators=(",", ":"))
        if not request.dry_run:
            specs.identity(effective)
            pipelines.check_secrets(self.cluster, effective)
            step = Request(
                user_spec=request.create_pipeline_request_json,
                effective_spec=text,
                update=request.update,
                reprocess=request.reprocess,
                user=caller.name,
            )
            self._do(step, caller.transaction)
        return pps.CreatePipelineV2Response(effective_create_pipeline_request_json=text)

    def inspect_pipeline(self, request: Message, _: Caller) -> Message:
        project, name, ancestors = _ancestry(request.pipeline)
        pipeline = pipelines.find(self.cluster, project, name)
        index = len(pipeline.versions) - 1 - ancestors
        if index < 0:
            refuse(
                f'pipeline "{name}" has only {len(pipeline.versions)} versions, '
                f"not enough to find ancestor {ancestors}"
            )
        return self._info(pipeline, pipeline.versions[index], details=request.details)

    def list_pipeline(self, request: Message, _: Caller) -> Iterator[Message]:
        project, name, _ancestors = _ancestry(request.pipeline)
        projects = {item.name for item in request.projects}
        for pipeline in list(self.cluster.pipelines.values()):
            if name and (pipeline.project, pipeline.name) != (project, name):
                continue
            if projects and pipeline.project not in projects:
                continue
            for found in _history(pipeline, request.history):
                yield self._info(pipeline, found, details=True)

    def delete_pipeline(self, request: Message, _: Caller) -> Message:
        pipeline = self._found(request.pipeline, must_exist=request.must_exist)
        if pipeline:
            pipelines.delete(
                self.cluster, pipeline, force=request.force, keep_repo=request.keep_repo
            )
        return Empty()

    def start_pipeline(self, request: Message, _: Caller) -> Message:
        pipeline = self._found(request.pipeline, must_exist=True)
        assert pipeline
        pipelines.start(self.cluster, pipeline, self.now)
        return Empty()

    def stop_pipeline(self, request: Message, caller: Caller) -> Message:
        pipeline = self._found(request.pipeline, must_exist=request.must_exist)
        if pipeline:
            pipelines.stop(self.cluster, pipeline, caller.name, self.now)
        return Empty()

    def inspect_job(self, request: Message, _: Caller) -> Message:
        project, name, _ancestors = _ancestry(request.job.pipeline)
        jobs = {job.id: job for job in self.cluster.jobs_of(f"{project}/{name}")}
        if request.job.id not in jobs:
            refuse_missing(f"jobs {project}/{name}@{request.job.id} not found")
        return self._job(jobs[request.job.id], details=request.details)

    def list_job(self, request: Message, _: Caller) -> Iterator[Message]:
        project, name, _ancestors = _ancestry(request.pipeline)
        projects = {item.name for item in request.projects}
        left = request.number or len(self.cluster.jobs)
        order = self.cluster.jobs if request.reverse else self.cluster.jobs[::-1]
        for job in list(order):
            pipeline = self.cluster.pipelines[job.pipeline]
            if name and pipeline.key != f"{project}/{name}":
                continue
            if projects and pipeline.project not in projects:
                continue
            versions = {found.number for found in _history(pipeline, request.history)}
            if job.version not in versions or left == 0:
                continue
            left -= 1
            yield self._job(job, details=request.details)

    def open_jobs(self, request: Message, _: Caller) -> Iterator[Message]:
        """One look of SubscribeJob."""
        project, name, _ancestors = _ancestry(request.pipeline)
        if not name:
            refuse("pipeline must be specified")
        for job in self.cluster.jobs_of(f"{project}/{name}"):
            if not job.is_finished:
                yield self._job(job, details=request.details)

    def render_template(self, request: Message, _: Caller) -> Message:
        try:
            text = _jsonnet.evaluate_snippet(
                "template", request.template, tla_vars=dict(request.args), import_callback=_import
            )
        except RuntimeError as error:
            refuse(f"could not evaluate template: {error}".strip())
        found = json.loads(text)
        for item in found if isinstance(found, list) else [found]:
            specs.user_spec(json.dumps(item))
        return pps.RenderTemplateResponse(json=text)

    # transaction_v2

    def start_transaction(self, _: Message, __: Caller) -> Message:
        found = Transaction(pipelines.new_id(), self.now)
        self.cluster.transactions[found.id] = found
        return transaction.Transaction(id=found.id)

    def inspect_transaction(self, request: Message, _: Caller) -> Message:
        return messages.transaction_info(self._transaction(request.transaction.id))

    def list_transaction(self, _: Message, __: Caller) -> Message:
        infos = [messages.transaction_info(item) for item in self.cluster.transactions.values()]
        return transaction.TransactionInfos(transaction_info=infos)

    def delete_transaction(self, request: Message, _: Caller) -> Message:
        del self.cluster.transactions[self._transaction(request.transaction.id).id]
        return Empty()

    def finish_transaction(self, request: Message, _: Caller) -> Message:
        found = self._transaction(request.transaction.id)
        self._run(found.requests, found.id)
        del self.cluster.transactions[found.id]
        return messages.transaction_info(found)

    def batch_transaction(self, request: Message, caller: Caller) -> Message:
        found = Transaction(pipelines.new_id(), self.now)
        for item in request.requests:
            step = item.create_pipeline_v2
            if not step.user_json:
                refuse_invalid("the stand-in batches create_pipeline_v2 only")
            found.requests.append(
                Request(
                    user_spec=step.user_json,
                    effective_spec=step.effective_json,
                    update=step.create_pipeline_request.update,
                    reprocess=step.create_pipeline_request.reprocess,
                    user=caller.name,
                )
            )
        self._run(found.requests, found.id)
        return messages.transaction_info(found)

    # pfs_v2

    def create_project(self, request: Message, _: Caller) -> Message:
        name = request.project.name
        if not specs.NAME.fullmatch(name):
            refuse(f"project name ({name}) invalid")
        if name in self.cluster.projects and not request.update:
            refuse(f'project "{name}" already exists', grpc.StatusCode.ALREADY_EXISTS)
        self.cluster.projects.setdefault(name, self.now)
        return Empty()

    def inspect_project(self, request: Message, _: Caller) -> Message:
        name = request.project.name
        if name not in self.cluster.projects:
            refuse_missing(f'project "{name}" not found')
        return self._project(name)

    def list_project(self, _: Message, __: Caller) -> Iterator[Message]:
        for name in list(self.cluster.projects):
            yield self._project(name)

    def create_repo(self, request: Message, caller: Caller) -> Message:
        if caller.transaction:
            refuse("only pipelines in transactions", grpc.StatusCode.UNIMPLEMENTED)
        project, name = request.repo.project.name or "default", request.repo.name
        if project not in self.cluster.projects:
            refuse_missing(f'project "{project}" not found')
        key = f"{project}/{name}"
        if key in self.cluster.repos and not request.update:
            refuse(f"repo {key} already exists", grpc.StatusCode.ALREADY_EXISTS)
        self.cluster.repos.setdefault(key, Repo(project, name, self.now, request.description))
        return Empty()

    def inspect_repo(self, request: Message, _: Caller) -> Message:
        key = f"{request.repo.project.name or 'default'}/{request.repo.name}"
        if key not in self.cluster.repos:
            refuse_missing(f"repo {key} not found")
        return messages.repo_info(self.cluster.repos[key])

    def list_repo(self, request: Message, _: Caller) -> Iterator[Message]:
        projects = {item.name for item in request.projects}
        for repo in list(self.cluster.repos.values()):
            if not projects or repo.project in projects:
                yield messages.repo_info(repo)

    # what they share

    def _do(self, step: Request, transaction_id: str) -> None:
        """At once; or tried on a copy and kept for the end of the transaction."""
        if not transaction_id:
            self._run([step], pipelines.new_id(), single=True)
            return
        found = self._transaction(transaction_id)
        self._try([*found.requests, step], found.id)
        found.requests.append(step)

    def _try(self, steps: list[Request], commit_set: str, *, single: bool = False) -> Cluster:
        """The state after the steps; this state stays."""
        after = deepcopy(self.cluster)
        roots = []
        for number, step in enumerate(steps, 1):
            try:
                roots.append(pipelines.create(after, step, self.now))
            except Refused as error:
                if single:
                    raise
                text = f"error running request {number} of {len(steps)}: {error.message}"
                refuse(text, error.code)
        pipelines.propagate(after, roots, commit_set, self.now)
        return after

    def _run(self, steps: list[Request], commit_set: str, *, single: bool = False) -> None:
        vars(self.cluster).update(vars(self._try(steps, commit_set, single=single)))

    def _transaction(self, transaction_id: str) -> Transaction:
        found = self.cluster.transactions.get(transaction_id)
        if found is None:
            refuse_missing(f"transactions {transaction_id} not found")
        return found

    def _found(self, ref: Message, *, must_exist: bool) -> Pipeline | None:
        project, name, _ = _ancestry(ref)
        if must_exist:
            return pipelines.find(self.cluster, project, name)
        return self.cluster.pipelines.get(f"{project}/{name}")

    def _info(self, pipeline: Pipeline, found: Version, *, details: bool) -> Message:
        jobs = self.cluster.jobs_of(pipeline.key)
        sight = self.life.sight(self.cluster, pipeline, self.now)
        return messages.pipeline_info(
            pipeline, found, sight, jobs[-1] if jobs else None, details=details
        )

    def _job(self, job: Job, *, details: bool) -> Message:
        found = self.cluster.pipelines[job.pipeline].versions[job.version - 1]
        return messages.job_info(job, details=details, spec=spec_of(found))

    def _project(self, name: str) -> Message:
        created = messages.moment(self.cluster.projects[name])
        return pfs.ProjectInfo(project=pfs.Project(name=name), created_at=created)


def _history(pipeline: Pipeline, history: int) -> list[Version]:
    """The newest version and `history` before it, newest first; all for -1."""
    newest_first = pipeline.versions[::-1]
    return newest_first if history < 0 else newest_first[: history + 1]


def _ancestry(ref: Message) -> tuple[str, str, int]:
    """Project, name and how many versions back: `edges^`, `edges^2`, `edges~2`."""
    project = ref.project.name or "default"
    for sign in "^~":
        name, found, back = ref.name.partition(sign)
        if not found:
            continue
        if not back.strip(sign):
            return project, name, len(back) + 1
        if back.isdigit():
            return project, name, int(back)
        refuse(f'invalid ancestry syntax "{ref.name}"')
    return project, ref.name, 0


def _import(_: str, path: str) -> tuple[str, bytes]:
    text = f"import {path}: not from a file"
    raise RuntimeError(text)
