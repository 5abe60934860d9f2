"""The way of a deployment: its stages in order, each a checkpoint, and how it ends."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.checkpoints import Checkpoints, in_time
from bot.consent import Consent
from bot.domain.deployment import (
    Actor,
    BuiltImage,
    Kind,
    Outcome,
    Request,
    Stage,
    UpdatedPipeline,
)
from bot.domain.gate_rules import NO_APPROVALS, Approvals
from bot.domain.history import Return
from bot.domain.plan import Destination, PipelinePlan, Plan, Preparation
from bot.domain.progress import Resumed
from bot.domain.reasons import Code, Reason, StoppedError
from bot.domain.reasons import Kind as ReasonKind
from bot.engine.run import Run
from bot.services.pachyderm import Pachyderm
from bot.stage_work import Read, Report, Services, StageWork
from bot.stages.go_back import STANDS, returning_images, returning_pipelines
from bot.stages.in_short import approved_in_short, plan_in_short, push_in_short, update_in_short
from bot.stages.roll_back import PutBack, is_untouched, roll_back
from bot.stages.test import TestResult
from bot.stages.verify import Watch, verify

_log = logging.getLogger(__name__)


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
    was_looked_at: bool = False
    """Whether the second look is of this run, and not of one before a stop."""


class Workflow:
    """One deployment's run.

    Between its checkpoints it only reads what they kept: after a restart nothing outside is
    needed to get back to where it was, so that an update can always be undone.
    """

    def __init__(
        self,
        run: Run,
        services: Services,
        report: Report,
        write_report: Callable[[], Awaitable[None]],
    ) -> None:
        self._run = run
        self._services = services
        self._report = report
        self._write_report = write_report
        self._work = StageWork(run.deployment, services, report)
        self._consent = Consent(run.deployment, services, self._work, report)
        self._journey = _Journey()
        self._steps = Checkpoints(run, services.deployments, services.redactor, report)

    async def carry_out(self) -> None:
        """Run all stages and finish the deployment, however it ends."""
        if self._run.resumed:
            self._report(Resumed(self._id))
        outcome, reason = await self._attempt()
        if reason is not None:
            outcome, reason = await self._undo(outcome, reason)
            await self._clear()
        await self._finish(outcome, reason)

    async def _attempt(self) -> tuple[Outcome, Reason | None]:
        try:
            await self._steps.keep("admit", bool, self._consent.admit)
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
            Stage.SOURCE, Read, self._work.read, limits.source, detail=lambda read: read.title
        )
        plan = await self._steps.stage(
            Stage.PLAN,
            Plan,
            lambda: self._work.plan(read),
            limits.plan,
            detail=plan_in_short,
        )
        if any(image.digest is None for image in plan.images):
            await self._make(plan)
        if plan.images:
            self._journey.images = await self._steps.stage(
                Stage.PUSH,
                tuple[BuiltImage, ...],
                lambda: self._work.push(plan),
                limits.push,
                detail=push_in_short,
            )
        await self._update(plan.pipelines, read.destination, read.approvals)

    async def _make(self, plan: Plan) -> None:
        built = await self._steps.stage(
            Stage.BUILD,
            tuple[str, ...],
            lambda: self._work.build(plan),
            self._services.settings.timeouts.build,
            detail=", ".join,
        )
        tested = [plan.image(name) for name in built if plan.image(name).test]
        if tested:
            await self._steps.stage(
                Stage.TEST,
                tuple[TestResult, ...],
                lambda: self._work.test(plan, tested),
                None,
                detail=lambda results: ", ".join(f"{each.image} passed" for each in results),
            )

    async def _go_back(self) -> None:
        """A rollback: specs from the store instead of images from a commit."""
        back = await self._steps.keep("return", Return, self._work.plan_return)
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
        await self._update(pipelines, back.destination, NO_APPROVALS)

    async def _update(
        self,
        pipelines: tuple[PipelinePlan, ...],
        destination: Destination,
        approvals: Approvals,
    ) -> None:
        pachyderm = self._services.pachyderm(destination.cluster)
        preparation = await self._steps.keep(
            "prepare",
            Preparation,
            lambda: self._work.prepare(pipelines, self._journey.images, destination),
        )
        for note in preparation.notes:
            self._note(note)
        if not preparation.steps:
            self._journey.stands = True
            return
        if approvals.needed and self._request.force is None:
            await self._approve(preparation, approvals)
        await self._steps.keep(
            "second_look", tuple[str, ...], lambda: self._look_again(preparation)
        )
        self._journey.preparation = preparation
        self._journey.pipelines = await self._steps.stage(
            Stage.UPDATE,
            tuple[UpdatedPipeline, ...],
            lambda: self._apply(preparation, pachyderm),
            None,
            detail=update_in_short,
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

    async def _approve(self, preparation: Preparation, approvals: Approvals) -> None:
        """Between preparing the update and doing it: what is approved is what is done."""
        by = await self._steps.stage(
            Stage.APPROVE,
            tuple[Actor, ...],
            lambda: self._consent.approve(preparation, self._journey.images, approvals),
            None,
            detail=approved_in_short,
        )
        self._note(f"Approved by {', '.join(each.name for each in by)}.")

    async def _look_again(self, preparation: Preparation) -> tuple[str, ...]:
        self._journey.was_looked_at = True
        return await self._consent.look_again(preparation)

    async def _apply(
        self, preparation: Preparation, pachyderm: Pachyderm
    ) -> tuple[UpdatedPipeline, ...]:
        if not self._journey.was_looked_at and await is_untouched(preparation.steps, pachyderm):
            # Hours may have gone by since the bot was stopped.
            await self._work.discard_transaction(pachyderm)
            await self._consent.look_again(preparation)
        await self._consent.note_update(preparation, self._journey.images)
        limit = self._services.settings.timeouts.update
        return await in_time(self._work.apply(preparation), limit, Stage.UPDATE)

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
                lambda: self._put_back(preparation, pachyderm, reason),
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

    async def _put_back(
        self, preparation: Preparation, pachyderm: Pachyderm, reason: Reason
    ) -> PutBack:
        await self._consent.note_roll_back(preparation, self._journey.images, reason)
        return await roll_back(preparation.steps, pachyderm)

    async def _clear(self) -> None:
        """A test's container outlives a bot that is killed; a test that runs again removes it."""
        if not self._run.resumed or self._run.deployment.stage is not Stage.TEST:
            return
        try:
            await self._work.remove_leftovers()
        except StoppedError as error:
            self._note(f"A container of its test may be left: {error.reason.fact}.")

    async def _finish(self, outcome: Outcome, reason: Reason | None) -> None:
        journey, deployments = self._journey, self._services.deployments
        await deployments.save(self._id, STANDS, journey.stands)
        clean = self._services.redactor.clean
        notes = tuple(clean(note) for note in journey.notes)
        # Whoever follows it from afar reads no further than its end.
        await self._write_report()
        await deployments.finish(
            self._id, outcome, reason, journey.images, journey.pipelines, notes
        )

    def _note(self, text: str) -> None:
        self._journey.notes.append(text)


def _outcome_of(reason: Reason) -> Outcome:
    if reason.code in {Code.SUPERSEDED, Code.GAVE_WAY}:
        return Outcome.SUPERSEDED
    if reason.kind in {ReasonKind.USAGE, ReasonKind.REFUSED}:
        return Outcome.REFUSED
    return Outcome.CANCELLED if reason.kind is ReasonKind.CANCELLED else Outcome.FAILED
