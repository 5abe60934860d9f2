"""The way of a deployment: its stages in order, each a checkpoint, and how it ends."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from pydantic import TypeAdapter

from bot.checkpoints import Checkpoints
from bot.domain.deployment import (
    BuiltImage,
    Deployment,
    Kind,
    Outcome,
    Request,
    Stage,
    Trigger,
    UpdatedPipeline,
)
from bot.domain.history import Return
from bot.domain.plan import (
    Change,
    Destination,
    ImagePlan,
    PipelinePlan,
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
from bot.domain.reasons import Code, Reason, StoppedError
from bot.domain.reasons import Kind as ReasonKind
from bot.domain.trust import Trust
from bot.engine.run import Run, stopped_for
from bot.project import Environment
from bot.redact import Redactor
from bot.services.docker import DockerEngine
from bot.services.git import Git
from bot.services.pachyderm import Pachyderm
from bot.services.registry import Registry
from bot.settings import Settings
from bot.stages.build import Workshop, build, check_secrets
from bot.stages.fork import DefaultBranch, check_forks
from bot.stages.go_back import (
    PREPARATION,
    STANDS,
    UNDONE,
    lines,
    plan_return,
    returning_images,
    returning_pipelines,
)
from bot.stages.patience import patiently
from bot.stages.plan import make_plan
from bot.stages.push import push
from bot.stages.roll_back import PutBack, is_untouched, roll_back
from bot.stages.source import Source, open_default, open_source
from bot.stages.test import TestResult, test
from bot.stages.update import prepare, update
from bot.stages.verify import Watch, verify
from bot.store.deployments import Deployments

Result = TypeVar("Result")
Report = Callable[[Progress], None]
SecondLook = Callable[[Deployment], Awaitable[tuple[Reason, ...]]]
"""Why a deployment that was allowed may not be carried to its update now; empty where it may."""
_log = logging.getLogger(__name__)


class Services(Protocol):
    """The outside systems, opened when a stage first needs them."""

    settings: Settings
    git: Git
    registry: Registry
    public_registry: Registry
    """Without any login."""
    deployments: Deployments
    redactor: Redactor
    second_look: SecondLook

    async def docker(self) -> DockerEngine:
        """The engine; raises ENGINE_UNREACHABLE."""

    def pachyderm(self, cluster: str) -> Pachyderm:
        """The cluster of that name; raises CLUSTER_UNKNOWN."""


@dataclass(frozen=True)
class _Read:
    """What the source stage found out."""

    title: str
    destination: Destination
    default_sha: str | None = None
    """Of the default branch; None where the command's own commit says all."""


@dataclass
class _Journey:
    """What a deployment has come to so far."""

    images: tuple[BuiltImage, ...] = ()
    pipelines: tuple[UpdatedPipeline, ...] = ()
    notes: list[str] = field(default_factory=list)
    preparation: Preparation | None = None
    """Set as soon as the update may have begun."""
    stands: bool = False
    """Whether the update is in place."""


class Workflow:
    """One deployment's run.

    Between its checkpoints it only reads what they kept: after a restart nothing outside is
    needed to get back to where it was, so that an update can always be undone.
    """

    def __init__(self, run: Run, services: Services, report: Report) -> None:
        self._run = run
        self._services = services
        self._report = report
        self._journey = _Journey()
        self._steps = Checkpoints(run, services.deployments, services.redactor, report)

    async def carry_out(self) -> None:
        """Run all stages and finish the deployment, however it ends."""
        if self._run.resumed:
            self._report(Resumed(self._id))
        outcome, reason = await self._attempt()
        if reason is not None:
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
        except Exception as error:  # noqa: BLE001 - said and stored; see below
            # Whatever it is, the update must not stay half-way.
            _log.exception("deployment %s", self._id)
            fact = f"{type(error).__name__} between two stages"
            return Outcome.FAILED, StoppedError(Code.INTERNAL_ERROR, fact).reason
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
        read = await self._steps.stage(
            Stage.SOURCE, _Read, self._read, limits.source, detail=lambda read: read.title
        )
        plan = await self._steps.stage(
            Stage.PLAN,
            Plan,
            lambda: self._plan(read),
            limits.plan,
            detail=_plan_in_short,
        )
        if any(image.digest is None for image in plan.images):
            await self._make(plan)
        if plan.images:
            self._journey.images = await self._steps.stage(
                Stage.PUSH,
                tuple[BuiltImage, ...],
                lambda: self._push(plan),
                limits.push,
                detail=_push_in_short,
            )
        await self._update(plan.pipelines, read.destination)

    async def _go_back(self) -> None:
        """A rollback: specs from the store instead of images from a commit."""
        back = await self._steps.keep("return", Return, self._plan_return)
        pipelines = returning_pipelines(back)
        for step in back.steps:
            if step.before is None:
                self._note(
                    f"{step.full_name} was created by a deployment that is undone; "
                    "it is left as it is."
                )
        to = await self._services.deployments.get(back.to) if back.to else None
        self._journey.images, oddity = returning_images(back, to)
        if oddity:
            self._note(oddity)
        await self._update(pipelines, back.destination)

    async def _plan_return(self) -> Return:
        deployments = self._services.deployments
        back = await plan_return(deployments, self._request)
        await deployments.save(self._id, UNDONE, list(back.undone))
        self._report(Planned((), lines(returning_pipelines(back))))
        return back

    # --- stages

    async def _read(self) -> _Read:
        if self._request.trigger is Trigger.CLI:
            return await self._look()
        return await patiently(self._look)

    async def _look(self) -> _Read:
        request = self._request
        check_forks(request, self._services.settings)
        source = await self._open_source()
        is_own = request.trigger is Trigger.CLI and request.trust is Trust.TRUSTED
        # A pull request must not choose where it is deployed.
        rules = source if is_own else await open_default(self._services.git, request.repository)
        _, environment = rules.project.environment(request.environment)
        title = (await source.mirror.describe(source.sha)).title
        return _Read(title, _destination(environment), None if is_own else rules.sha)

    async def _open_source(self) -> Source:
        return await open_source(
            self._services.git, self._request.repository, self._request.commit.sha
        )

    async def _plan(self, read: _Read) -> Plan:
        destination = read.destination
        source = await self._open_source()
        plan = await make_plan(
            source,
            self._request,
            project=destination.project,
            registry=self._services.registry,
            pachyderm=self._services.pachyderm(destination.cluster),
            default=await self._default_branch(read.default_sha),
        )
        check_secrets(plan, self._services.settings.build_secrets)
        for warning in plan.warnings:
            self._report(Warned(warning))
        self._report(Planned(image_lines(plan), pipeline_lines(plan)))
        return plan

    async def _default_branch(self, sha: str | None) -> DefaultBranch | None:
        """For a fork's commit, as it was when the deployment began."""
        if self._request.trust is Trust.TRUSTED:
            return None
        git, repository = self._services.git, self._request.repository
        source = await (open_source(git, repository, sha) if sha else open_default(git, repository))
        return DefaultBranch(source, self._services.public_registry)

    async def _make(self, plan: Plan) -> None:
        built = await self._steps.stage(
            Stage.BUILD,
            tuple[str, ...],
            lambda: self._build(plan),
            self._services.settings.timeouts.build,
            detail=", ".join,
        )
        tested = [plan.image(name) for name in built if plan.image(name).test]
        if tested:
            await self._steps.stage(
                Stage.TEST,
                tuple[TestResult, ...],
                lambda: self._test(tested),
                None,
                detail=lambda results: ", ".join(f"{each.image} passed" for each in results),
            )

    async def _build(self, plan: Plan) -> tuple[str, ...]:
        settings = self._services.settings
        workshop = Workshop(
            await self._services.docker(),
            (await self._open_source()).mirror,
            settings.build_secrets,
            parallel=settings.parallel_builds,
            least_free=settings.minimum_free_space,
        )
        return await build(plan, self._request, workshop, self._report)

    async def _test(self, images: list[ImagePlan]) -> tuple[TestResult, ...]:
        docker = await self._services.docker()
        parallel = self._services.settings.parallel_builds
        return await test(images, self._id, docker, parallel, self._report)

    async def _push(self, plan: Plan) -> tuple[BuiltImage, ...]:
        missing = any(image.digest is None for image in plan.images)
        docker = await self._services.docker() if missing else None
        return await push(plan, docker, self._services.registry, self._report)

    async def _look_again(self) -> tuple[str, ...]:
        """Hours may have gone by since the gate was asked."""
        first, *others = await self._services.second_look(self._run.deployment) or (None,)
        for each in others:
            if each is not None:
                self._report(Warned(f"{each.title}: {each.fact}"))
        if first is not None:
            raise stopped_for(first)
        return ()

    async def _update(self, pipelines: tuple[PipelinePlan, ...], destination: Destination) -> None:
        await self._steps.keep("second_look", tuple[str, ...], self._look_again)
        pachyderm = self._services.pachyderm(destination.cluster)
        preparation = await self._steps.keep(
            "prepare", Preparation, lambda: self._prepare(pipelines, destination)
        )
        for note in preparation.notes:
            self._note(note)
        if not preparation.steps:
            self._journey.stands = True
            return
        self._journey.preparation = preparation
        self._journey.pipelines = await self._steps.stage(
            Stage.UPDATE,
            tuple[UpdatedPipeline, ...],
            lambda: self._apply(preparation, pachyderm),
            self._services.settings.timeouts.update,
            detail=_update_in_short,
        )
        self._journey.stands = True
        watch = Watch(timeout=destination.timeout, window=destination.window)
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
        self, pipelines: tuple[PipelinePlan, ...], destination: Destination
    ) -> Preparation:
        preparation = await prepare(
            pipelines,
            self._journey.images,
            self._services.pachyderm(destination.cluster),
            destination,
            reprocess=self._request.reprocess,
        )
        await self._services.deployments.save(
            self._id, PREPARATION, TypeAdapter(Preparation).dump_python(preparation, mode="json")
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

    async def _undo(self, outcome: Outcome, reason: Reason) -> tuple[Outcome, Reason]:
        """Put back what the update may have changed; says so in the notes."""
        preparation = self._journey.preparation
        if preparation is None:
            return outcome, reason
        keep = outcome is Outcome.FAILED and not preparation.destination.roll_back
        try:
            pachyderm = self._services.pachyderm(preparation.destination.cluster)
            if keep and not await is_untouched(preparation.steps, pachyderm):
                self._journey.stands = True
                self._note("The new specs are left in place (verify: rollback: false).")
                return outcome, reason
            put_back = await self._steps.stage(
                Stage.ROLL_BACK,
                PutBack,
                lambda: roll_back(preparation.steps, pachyderm),
                None,
                detail=lambda done: f"{done.restored} of {len(preparation.steps)} pipelines",
                cancellable=False,
            )
        except StoppedError as error:
            self._journey.stands = True
            fact = f"{error.reason.fact}. It was needed because: {reason.title}: {reason.fact}"
            where = error.reason.where
            return Outcome.FAILED, StoppedError(Code.ROLL_BACK_FAILED, fact, where=where).reason
        # What was said of the update is not true of what is back.
        self._journey.notes = [*put_back.notes]
        self._journey.stands = False
        if put_back.untouched:
            self._note("No pipeline had been changed.")
            self._journey.pipelines = ()
        if put_back.restored and outcome is Outcome.FAILED:
            return Outcome.ROLLED_BACK, reason
        return outcome, reason

    async def _finish(self, outcome: Outcome, reason: Reason | None) -> None:
        journey, deployments = self._journey, self._services.deployments
        await deployments.save(self._id, STANDS, journey.stands)
        clean = self._services.redactor.clean
        notes = tuple(clean(note) for note in journey.notes)
        await deployments.finish(
            self._id, outcome, reason, journey.images, journey.pipelines, notes
        )

    def _note(self, text: str) -> None:
        self._journey.notes.append(text)


def _destination(environment: Environment) -> Destination:
    return Destination(
        cluster=environment.cluster,
        project=environment.project,
        timeout=environment.verify.timeout,
        window=environment.verify.window,
        roll_back=environment.verify.rollback,
    )


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
