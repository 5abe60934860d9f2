"""The work of each stage for one deployment: the stage's function, and what it needs."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from pydantic import TypeAdapter

from bot.domain.deployment import BuiltImage, Deployment, Request, Trigger, UpdatedPipeline
from bot.domain.gate_facts import Standing
from bot.domain.gate_rules import NO_APPROVALS, Approvals, EnvironmentRules
from bot.domain.history import Return
from bot.domain.place import EVERYWHERE, Reach
from bot.domain.plan import (
    Destination,
    ImagePlan,
    PipelinePlan,
    PipelineStep,
    Plan,
    Preparation,
    image_lines,
    pipeline_lines,
)
from bot.domain.plan_summary import PLAN, plan_json, summary
from bot.domain.progress import Planned, Progress, Warned
from bot.domain.reasons import Code, Reason, StoppedError
from bot.domain.trust import Trust
from bot.project import Environment
from bot.redact import Redactor
from bot.ruling import Ruled, reach_by, reach_of_return, ruled
from bot.services.docker import Buildx, DockerEngine
from bot.services.git import Git
from bot.services.pachyderm import Pachyderm
from bot.services.registry import Registry
from bot.settings import Settings
from bot.stages.build import Workshop, build, check_platforms, check_secrets, is_built
from bot.stages.fork import DefaultBranch, check_forks
from bot.stages.go_back import PREPARATION, UNDONE, lines, plan_return, returning_pipelines
from bot.stages.patience import patiently
from bot.stages.plan import make_plan
from bot.stages.push import push
from bot.stages.source import Source, open_default, open_source
from bot.stages.test import TestResult, test
from bot.stages.turns import Turns
from bot.stages.update import prepare, update
from bot.store.approvals import Approvals as ApprovalStore
from bot.store.audit import Audit
from bot.store.deployments import Deployments
from bot.store.queue import Queue

COMMITTED_AT = "committed_at"
"""Fact of a deployment: when its commit was made, in ISO 8601."""

Report: TypeAlias = Callable[[Progress], None]
SecondLook: TypeAlias = Callable[[Deployment], Awaitable[tuple[Reason, ...]]]
"""Why a deployment that was allowed may not be carried to its update now; empty where it may."""


class Services(Protocol):
    """The outside systems, opened when a stage first needs them."""

    settings: Settings
    git: Git
    registry: Registry
    public_registry: Registry
    """Without any login."""
    deployments: Deployments
    approvals: ApprovalStore
    audit: Audit
    queue: Queue
    redactor: Redactor
    second_look: SecondLook
    turns: Turns

    async def standing(self, repository: str, environment: str) -> Standing:
        """The locks of an environment, and whether a rollback holds it."""

    @property
    def buildx(self) -> Buildx | None:
        """What builds instead of an engine, where there is one."""

    async def docker(self, repository: str) -> DockerEngine:
        """The engine for a repository; raises ENGINE_UNREACHABLE."""

    def pachyderm(self, cluster: str) -> Pachyderm:
        """The cluster of that name; raises CLUSTER_UNKNOWN."""


@dataclass(frozen=True)
class Read:
    """What the source stage found out."""

    title: str
    destination: Destination
    default_sha: str | None = None
    """Of the default branch; None where the command's own commit says all."""
    approvals: Approvals = NO_APPROVALS
    reach: Reach = EVERYWHERE


class StageWork:
    """What the stages of one deployment do. The workflow says when, and keeps the results."""

    def __init__(self, deployment: Deployment, services: Services, report: Report) -> None:
        self._deployment = deployment
        self._services = services
        self._report = report

    async def read(self) -> Read:
        """The commit's title, and where it goes."""
        if self._request.trigger is Trigger.CLI:
            return await self._look()
        return await patiently(self._look)

    async def _look(self) -> Read:
        check_forks(self._request, self._services.settings)
        source = await self._open_source()
        found = await self._ruled()
        approvals = found.rules.approvals
        self._check_somebody_approves(approvals)
        described = await source.mirror.describe(source.sha)
        await self._services.deployments.save(self._id, COMMITTED_AT, described.committed_at)
        default_sha = None if self._request.is_own else found.declared.sha
        destination = _destination(found.environment)
        reach = self._reach(found.ruling, destination)
        return Read(described.title, destination, default_sha, approvals, reach)

    def _reach(self, ruling: Source, destination: Destination) -> Reach:
        request = self._request
        return reach_by(self._services.settings, ruling, request.environment, destination.cluster)

    def _check_somebody_approves(self, approvals: Approvals) -> None:
        """A workflow's database ends with its step: nobody could ever answer there."""
        request = self._request
        if request.trigger is Trigger.ACTION and approvals.needed and request.force is None:
            raise StoppedError(
                Code.APPROVAL_IMPOSSIBLE,
                f"{request.environment} needs {approvals.needed} approvals, and a workflow's step "
                "has nobody to ask",
            )

    async def rules(self, preparation: Preparation) -> EnvironmentRules:
        """The environment's rules as they are now, within the operator's own.

        Errors: also project_of_another, where a pipeline is in what is another's by now.
        """
        found = await (self._ruled() if self._request.is_own else patiently(self._ruled))
        _check_steps(self._reach(found.ruling, preparation.destination), preparation.steps)
        return found.rules

    async def _ruled(self) -> Ruled:
        return await ruled(self._services.git, self._services.settings, self._request)

    async def plan(self, read: Read) -> Plan:
        """What will be done; nothing is touched."""
        destination = read.destination
        source = await self._open_source()
        plan = await make_plan(
            source,
            self._request,
            project=destination.project,
            reach=read.reach,
            registry=self._services.registry,
            pachyderm=self._services.pachyderm(destination.cluster),
            default=await self._default_branch(read.default_sha),
        )
        check_secrets(plan, self._services.settings.build_secrets)
        check_platforms(plan, buildx=self._buildx is not None)
        for warning in plan.warnings:
            self._report(Warned(warning))
        await self._keep_plan(plan)
        self._report(Planned(image_lines(plan), pipeline_lines(plan)))
        return plan

    async def _keep_plan(self, plan: Plan) -> None:
        """What its page draws."""
        shown = plan_json(summary(plan), self._services.redactor.clean)
        await self._services.deployments.save(self._id, PLAN, shown)

    async def build(self, plan: Plan) -> tuple[str, ...]:
        """Build the images that the registry lacks; the names of those."""
        workshop = await self._workshop(_missing(plan))
        return await build(plan, self._request, workshop, self._report)

    async def test(self, plan: Plan, images: Sequence[ImagePlan]) -> tuple[TestResult, ...]:
        """Run the tests of freshly built images."""
        workshop = await self._workshop(images)
        await self._build_again(plan, workshop)
        return await test(images, self._id, workshop, self._report)

    async def remove_leftovers(self) -> None:
        """Remove the containers of tests that a killed bot left."""
        docker = await self._services.docker(self._request.repository)
        await docker.remove_leftovers(self._id)

    async def push(self, plan: Plan) -> tuple[BuiltImage, ...]:
        """Push what was built, and give every image its tags."""
        registry, missing = self._services.registry, _missing(plan)
        pushed = [await registry.digest(each.repository, each.content_tag) for each in missing]
        if None not in pushed:
            return await push(plan, None, registry, self._report)
        workshop = await self._workshop(missing)
        gone = await self._build_again(plan, workshop)
        if untested := [image for image in gone if image.test]:
            # Its like has passed the test, it has not.
            await test(untested, self._id, workshop, self._report)
        docker = None if workshop.buildx else workshop.docker
        return await push(plan, docker, registry, self._report)

    async def _build_again(self, plan: Plan, workshop: Workshop) -> list[ImagePlan]:
        """The images that are gone: built on another engine, before another worker took over."""
        gone = [image for image in _missing(plan) if not await is_built(image, workshop)]
        if gone:
            names = ", ".join(image.name for image in gone)
            self._report(Warned(f"Built again, for they are not on this builder: {names}."))
            await build(plan, self._request, workshop, self._report)
        return gone

    @property
    def _buildx(self) -> Buildx | None:
        """Never for a fork: it has docker's logins and a cache that all share."""
        return None if self._request.trust is Trust.UNTRUSTED else self._services.buildx

    async def _workshop(self, images: Sequence[ImagePlan]) -> Workshop:
        settings, buildx = self._services.settings, self._buildx
        needs_engine = buildx is None or any(image.test for image in images)
        return Workshop(
            await self._services.docker(self._request.repository) if needs_engine else None,
            (await self._open_source()).mirror,
            self._services.registry,
            settings.build_secrets,
            parallel=settings.parallel_builds,
            least_free=settings.minimum_free_space,
            data_dir=settings.data_dir,
            buildx=buildx,
            turns=self._services.turns,
        )

    async def prepare(
        self,
        pipelines: tuple[PipelinePlan, ...],
        images: tuple[BuiltImage, ...],
        destination: Destination,
    ) -> Preparation:
        """What the update will do; on disk before it is done, so that it can be undone."""
        preparation = await prepare(
            pipelines,
            images,
            self._services.pachyderm(destination.cluster),
            destination,
            reprocess=self._request.reprocess,
        )
        await self._services.deployments.save(
            self._id, PREPARATION, TypeAdapter(Preparation).dump_python(preparation, mode="json")
        )
        return preparation

    async def discard_transaction(self, pachyderm: Pachyderm) -> None:
        """Throw away what an earlier try may have left open."""
        stored = await self._services.deployments.load(self._id, "transaction")
        if isinstance(stored, str):
            await pachyderm.discard(stored)

    async def apply(self, preparation: Preparation) -> tuple[UpdatedPipeline, ...]:
        """Update the pipelines; an earlier try may have left a transaction open."""
        stored = await self._services.deployments.load(self._id, "transaction")

        async def started(transaction: str) -> None:
            await self._services.deployments.save(self._id, "transaction", transaction)

        return await update(
            preparation.steps,
            self._services.pachyderm(preparation.destination.cluster),
            transaction=stored if isinstance(stored, str) else None,
            started=started,
        )

    async def plan_return(self) -> Return:
        """What going back means; fixed when the rollback begins."""
        deployments = self._services.deployments
        back = await plan_return(deployments, self._request)
        _check_steps(await self._reach_of_return(back.destination.cluster), back.steps)
        await deployments.save(self._id, UNDONE, list(back.undone))
        if (to := await deployments.get(back.to) if back.to else None) is not None:
            await deployments.goes_back_to(self._id, to.request.commit)
        await self._keep_plan(Plan((), returning_pipelines(back)))
        self._report(Planned((), lines(returning_pipelines(back))))
        return back

    async def _reach_of_return(self, cluster: str) -> Reach:
        """What has become others' since."""

        def fell_back(fact: str) -> None:
            self._report(
                Warned(f"Whether a pipeline is another environment's is not known: {fact}")
            )

        services = self._services
        return await reach_of_return(
            services.git, services.settings, self._request, cluster, fell_back
        )

    async def _open_source(self) -> Source:
        return await open_source(
            self._services.git, self._request.repository, self._request.commit.sha
        )

    async def _default_branch(self, sha: str | None) -> DefaultBranch | None:
        """For a fork's commit, as it was when the deployment began."""
        if self._request.trust is Trust.TRUSTED:
            return None
        git, repository = self._services.git, self._request.repository
        source = await (open_source(git, repository, sha) if sha else open_default(git, repository))
        return DefaultBranch(source, self._services.public_registry)

    @property
    def _request(self) -> Request:
        return self._deployment.request

    @property
    def _id(self) -> str:
        return self._deployment.id


def _check_steps(reach: Reach, steps: Sequence[PipelineStep]) -> None:
    for step in steps:
        reach.check(step.project, f"pipeline {step.full_name}")


def _missing(plan: Plan) -> list[ImagePlan]:
    """The images that the registry does not have."""
    return [image for image in plan.images if image.digest is None]


def _destination(environment: Environment) -> Destination:
    return Destination(
        cluster=environment.cluster,
        project=environment.project,
        timeout=environment.verify.timeout,
        window=environment.verify.window,
        roll_back=environment.verify.rollback,
    )
