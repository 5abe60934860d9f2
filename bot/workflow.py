"""The way of a deployment: its stages in order, each a checkpoint, and how it ends."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pydantic import TypeAdapter

from bot.checkpoints import Checkpoints
from bot.domain.deployment import (
    BuiltImage,
    Kind,
    Outcome,
    Request,
    Stage,
    UpdatedPipeline,
)
from bot.domain.history import Past, going_back, same_target
from bot.domain.plan import (
    Change,
    PipelinePlan,
    PipelineStep,
    Plan,
    Preparation,
    image_lines,
    pipeline_lines,
)
from bot.domain.progress import (
    Planned,
    Progress,
    Resumed,
    Warned,
)
from bot.domain.reasons import Kind as ReasonKind
from bot.domain.reasons import Reason, StoppedError
from bot.engine.run import Run
from bot.project import Environment
from bot.services.docker import DockerEngine
from bot.services.git import Git
from bot.services.pachyderm import Pachyderm
from bot.services.registry import Registry
from bot.settings import Settings
from bot.stages.build import Workshop, build
from bot.stages.plan import make_plan
from bot.stages.push import push
from bot.stages.roll_back import PutBack, roll_back
from bot.stages.source import Source, open_source
from bot.stages.test import TestResult, test
from bot.stages.update import prepare, update
from bot.stages.verify import Watch, verify
from bot.store.deployments import Deployments

Result = TypeVar("Result")
Report = Callable[[Progress], None]


class Services(Protocol):
    """The outside systems, opened when a stage first needs them."""

    settings: Settings
    git: Git
    registry: Registry
    deployments: Deployments

    async def docker(self) -> DockerEngine:
        """The engine; raises ENGINE_UNREACHABLE."""

    def pachyderm(self, cluster: str) -> Pachyderm:
        """The cluster of that name; raises CLUSTER_UNKNOWN."""


@dataclass
class _Journey:
    """What a deployment has come to so far."""

    images: tuple[BuiltImage, ...] = ()
    pipelines: tuple[UpdatedPipeline, ...] = ()
    notes: list[str] = field(default_factory=list)
    preparation: Preparation | None = None
    """Set as soon as the update may have begun."""
    environment: Environment | None = None


class Workflow:
    """One deployment's run."""

    def __init__(self, run: Run, services: Services, report: Report) -> None:
        self._run = run
        self._services = services
        self._report = report
        self._journey = _Journey()
        self._steps = Checkpoints(run, services.deployments, report)

    async def carry_out(self) -> None:
        """Run all stages and finish the deployment, however it ends."""
        if self._run.resumed:
            self._report(Resumed(self._run.deployment.id))
        outcome, reason = await self._attempt()
        if outcome is not Outcome.SUCCEEDED:
            outcome, reason = await self._undo(outcome, reason)
        await self._finish(outcome, reason)

    async def _attempt(self) -> tuple[Outcome, Reason | None]:
        try:
            if self._request.kind is Kind.DEPLOY:
                await self._deploy()
            else:
                await self._go_back()
        except StoppedError as error:
            return _outcome_of(error.reason), error.reason
        return Outcome.SUCCEEDED, None

    @property
    def _request(self) -> Request:
        return self._run.deployment.request

    @property
    def _id(self) -> str:
        return self._run.deployment.id

    # --- the two kinds of deployment

    async def _deploy(self) -> None:
        limits = self._services.settings.timeouts
        await self._steps.stage(Stage.SOURCE, str, self._fetch, limits.source, detail=str)
        source = await self._open_source()
        _, environment = source.project.environment(self._request.environment)
        self._journey.environment = environment
        pachyderm = self._services.pachyderm(environment.cluster)
        plan = await self._steps.stage(
            Stage.PLAN,
            Plan,
            lambda: self._plan(source, environment, pachyderm),
            limits.plan,
            detail=_plan_in_short,
        )
        if any(image.digest is None for image in plan.images):
            await self._make(plan, source)
        self._journey.images = await self._push(plan)
        await self._update(plan.pipelines, pachyderm, environment)

    async def _go_back(self) -> None:
        """A rollback: specs from the store instead of images from a commit."""
        past = await stored_past(self._services.deployments, self._request)
        back = going_back(past, self._request.steps)
        source_of = back.undone[0].request
        environment = await self._environment_of(source_of)
        self._journey.environment = environment
        pachyderm = self._services.pachyderm(environment.cluster)
        pipelines = []
        for step in back.steps:
            if step.before is None:
                self._note(
                    f"{step.full_name} was created by a deployment that is undone; "
                    "it is left as it is."
                )
                continue
            pipelines.append(
                PipelinePlan(
                    project=step.project,
                    name=step.name,
                    place=f"the spec of version {step.version}",
                    spec=step.before,
                    image=None,
                    change=Change.UPDATE,
                    version=step.next_version,
                )
            )
        self._report(
            Planned(
                (), tuple(f"{each.project}/{each.name}: back to {each.place}" for each in pipelines)
            )
        )
        if back.to is not None:
            self._journey.images = tuple(
                BuiltImage(each.name, each.repository, each.tag, each.digest, built=False)
                for each in back.to.images
            )
        await self._update(tuple(pipelines), pachyderm, environment)

    async def _environment_of(self, request: Request) -> Environment:
        source = await open_source(self._services.git, request.repository, request.commit.sha)
        return source.project.environment(request.environment)[1]

    # --- stages

    async def _fetch(self) -> str:
        source = await self._open_source()
        return (await source.mirror.describe(source.sha)).title

    async def _open_source(self) -> Source:
        return await open_source(
            self._services.git, self._request.repository, self._request.commit.sha
        )

    async def _plan(self, source: Source, environment: Environment, pachyderm: Pachyderm) -> Plan:
        plan = await make_plan(
            source,
            self._request,
            environment,
            registry=self._services.registry,
            pachyderm=pachyderm,
        )
        for warning in plan.warnings:
            self._report(Warned(warning))
        self._report(Planned(image_lines(plan), pipeline_lines(plan)))
        return plan

    async def _make(self, plan: Plan, source: Source) -> None:
        settings = self._services.settings
        docker = await self._services.docker()
        workshop = Workshop(
            docker,
            source.mirror,
            settings.build_secrets,
            parallel=settings.parallel_builds,
            least_free=settings.minimum_free_space,
        )
        built = await self._steps.stage(
            Stage.BUILD,
            tuple[str, ...],
            lambda: build(plan, self._request, workshop, self._report),
            settings.timeouts.build,
            detail=", ".join,
        )
        tested = [plan.image(name) for name in built if plan.image(name).test]
        if tested:
            await self._steps.stage(
                Stage.TEST,
                tuple[TestResult, ...],
                lambda: test(tested, self._id, docker, settings.parallel_builds, self._report),
                None,
                detail=lambda results: ", ".join(f"{each.image} passed" for each in results),
            )

    async def _push(self, plan: Plan) -> tuple[BuiltImage, ...]:
        missing = any(image.digest is None for image in plan.images)
        docker = await self._services.docker() if missing else None
        if not plan.images:
            return ()
        return await self._steps.stage(
            Stage.PUSH,
            tuple[BuiltImage, ...],
            lambda: push(plan, docker, self._services.registry, self._report),
            self._services.settings.timeouts.push,
            detail=_push_in_short,
        )

    async def _update(
        self,
        pipelines: tuple[PipelinePlan, ...],
        pachyderm: Pachyderm,
        environment: Environment,
    ) -> None:
        limits = self._services.settings.timeouts
        preparation = await self._steps.keep(
            "prepare", Preparation, lambda: self._prepare(pipelines, pachyderm)
        )
        for note in preparation.notes:
            self._note(note)
        if not preparation.steps:
            return
        self._journey.preparation = preparation
        self._journey.pipelines = await self._steps.stage(
            Stage.UPDATE,
            tuple[UpdatedPipeline, ...],
            lambda: self._apply(preparation, pachyderm),
            limits.update,
            detail=_update_in_short,
        )
        watch = Watch(
            timeout=environment.verify.timeout,
            window=environment.verify.window,
        )
        seen = await self._steps.stage(
            Stage.VERIFY,
            tuple[str, ...],
            lambda: verify(self._journey.pipelines, pachyderm, watch, self._report),
            None,
            detail=lambda lines: f"{len(lines)} pipelines work" if len(lines) > 1 else lines[0],
        )
        for line in seen:
            self._note(line)

    async def _prepare(
        self, pipelines: tuple[PipelinePlan, ...], pachyderm: Pachyderm
    ) -> Preparation:
        preparation = await prepare(
            pipelines, self._journey.images, pachyderm, reprocess=self._request.reprocess
        )
        await self._services.deployments.save(
            self._id, "preparation", TypeAdapter(Preparation).dump_python(preparation, mode="json")
        )
        return preparation

    async def _apply(
        self, preparation: Preparation, pachyderm: Pachyderm
    ) -> tuple[UpdatedPipeline, ...]:
        stored = await self._services.deployments.load(self._id, "transaction")

        async def started(transaction: str) -> None:
            await self._services.deployments.save(self._id, "transaction", transaction)

        return await update(
            preparation.steps,
            pachyderm,
            transaction=stored if isinstance(stored, str) else None,
            started=started,
        )

    # --- the end

    async def _undo(self, outcome: Outcome, reason: Reason | None) -> tuple[Outcome, Reason | None]:
        """Put back what the update may have changed; says so in the notes."""
        preparation, environment = self._journey.preparation, self._journey.environment
        if preparation is None or environment is None:
            return outcome, reason
        if outcome is Outcome.FAILED and not environment.verify.rollback:
            self._note("The new specs are left in place (verify: rollback: false).")
            return outcome, reason
        pachyderm = self._services.pachyderm(environment.cluster)
        try:
            put_back = await self._steps.stage(
                Stage.ROLL_BACK,
                PutBack,
                lambda: roll_back(preparation.steps, pachyderm),
                None,
                detail=lambda done: f"{done.restored} of {len(preparation.steps)} pipelines",
                cancellable=False,
            )
        except StoppedError as error:
            self._note(f"The old specs could not be put back: {error.reason.fact}")
            return Outcome.FAILED, error.reason if reason is None else reason
        for note in put_back.notes:
            self._note(note)
        if not put_back.restored:
            self._note("No pipeline had been changed.")
            self._journey.pipelines = ()
            return outcome, reason
        return (Outcome.ROLLED_BACK if outcome is Outcome.FAILED else outcome), reason

    async def _finish(self, outcome: Outcome, reason: Reason | None) -> None:
        journey = self._journey
        notes = tuple(journey.notes)
        await self._services.deployments.finish(
            self._id, outcome, reason, journey.images, journey.pipelines, notes
        )

    def _note(self, text: str) -> None:
        self._journey.notes.append(text)


async def stored_past(deployments: Deployments, request: Request) -> tuple[Past, ...]:
    """The target's finished deployments with the steps of their updates, oldest first."""
    adapter = TypeAdapter(Preparation)
    past = []
    found = await deployments.list(target=request.target, limit=500)
    for deployment in same_target(found, request):
        if deployment.outcome is None:
            continue
        stored = await deployments.load(deployment.id, "preparation")
        steps: tuple[PipelineStep, ...] = ()
        if stored is not None and deployment.pipelines:
            steps = adapter.validate_python(stored).steps
        past.append(Past(deployment, steps))
    return tuple(past)


def _outcome_of(reason: Reason) -> Outcome:
    if reason.kind in {ReasonKind.USAGE, ReasonKind.REFUSED}:
        return Outcome.REFUSED
    return Outcome.CANCELLED if reason.kind is ReasonKind.CANCELLED else Outcome.FAILED


def _plan_in_short(plan: Plan) -> str:
    build_count = sum(image.digest is None for image in plan.images)
    change_count = sum(pipeline.change is not Change.NONE for pipeline in plan.pipelines)
    return (
        f"{build_count} of {len(plan.images)} images to build, "
        f"{change_count} of {len(plan.pipelines)} pipelines to change"
    )


def _push_in_short(images: tuple[BuiltImage, ...]) -> str:
    return ", ".join(f"{image.name} {'pushed' if image.built else 'was there'}" for image in images)


def _update_in_short(pipelines: tuple[UpdatedPipeline, ...]) -> str:
    return ", ".join(
        f"{each.name} {'new' if each.from_version is None else each.from_version} "
        f"-> {each.to_version}"
        for each in pipelines
    )
