"""Whether a deployment may still go on: when its turn comes, before its update, and by whose leave.

What is done to pipelines is written into the audit here too, before it is done.
"""

import logging
import time
from collections.abc import Sequence

from bot.domain.approval import ApprovalRequest, approvers, proposal
from bot.domain.audit import BOT, Action, Entry
from bot.domain.calendar import ALWAYS, Calendar
from bot.domain.deployment import Actor, BuiltImage, Deployment, Kind, Request
from bot.domain.gate_approver import lacking
from bot.domain.gate_facts import Standing
from bot.domain.gate_rules import Approvals, EnvironmentRules
from bot.domain.gate_terminal import AT_TERMINAL, may_deploy, may_vote
from bot.domain.plan import PipelineStep, Preparation
from bot.domain.progress import Warned
from bot.domain.queue import newer_than, urgent_among
from bot.domain.reasons import Code, Reason, StoppedError
from bot.domain.standing import may_go_on, stands_against
from bot.engine.run import stopped_for
from bot.services.pachyderm import Pachyderm
from bot.services.together import together
from bot.stage_work import Report, Services, StageWork
from bot.stages.approve import approve
from bot.store.deployments import SKIPPED

_log = logging.getLogger(__name__)


class Consent:
    """What is asked about one deployment. Refusals are StoppedErrors."""

    def __init__(
        self, deployment: Deployment, services: Services, work: StageWork, report: Report
    ) -> None:
        self._deployment = deployment
        self._services = services
        self._work = work
        self._report = report

    async def admit(self) -> bool:
        """Now that it is its turn: nothing was changed, and much may have been said meanwhile."""
        self._check_not_superseded(await self._behind())
        if self._request.force is not None:
            await self._say_forced(self._request.force)
        else:
            _stop_for_first(await self._against(ALWAYS))
        return True

    async def _say_forced(self, reason: str) -> None:
        """At once, wherever the deployment is reported."""
        self._report(Warned(f"Forced by {self._request.actor.name}: {reason}"))
        for each in await self._skipped():
            self._report(Warned(f"Skipped by force: {each}"))

    async def _skipped(self) -> Sequence[str]:
        """What was known to be when it was let through."""
        return await self._services.deployments.load(self._deployment.id, SKIPPED) or ()

    async def approve(
        self, preparation: Preparation, images: tuple[BuiltImage, ...], approvals: Approvals
    ) -> tuple[Actor, ...]:
        """Wait until others have approved exactly this; who they are."""
        pachyderm = self._services.pachyderm(preparation.destination.cluster)
        jobs = await together(_running_jobs(pachyderm, step) for step in preparation.steps)
        now = time.time()
        wanted = ApprovalRequest(
            self._deployment.id,
            proposal(self._request.commit.sha, images, preparation.steps, jobs),
            self._request.actor,
            approvals.needed,
            now,
            now + approvals.deadline,
        )
        return await approve(
            wanted,
            self._services.approvals,
            self._report,
            look=self._check_may_wait,
            named=approvals.named,
        )

    async def look_again(self, preparation: Preparation) -> tuple[str, ...]:
        """Hours may have gone by since the gate was asked, and with approvals a day."""
        calendar: Calendar = ALWAYS
        by_rules: tuple[Reason, ...] = ()
        if self._request.kind is Kind.DEPLOY:
            rules = await self._work.rules(preparation)
            calendar, by_rules = rules.calendar, await self._by_rules(rules)
        against = await self._against(calendar)
        if self._request.force is not None:
            said = await self._skipped()
            for each in against:
                if each.fact not in said:
                    self._report(Warned(f"Skipped by force: {each.fact}"))
            against = ()
        found = (*by_rules, *await self._services.second_look(self._deployment), *against)
        for each in found[1:]:
            # The gate may have said the same.
            if each.code is not found[0].code:
                self._report(Warned(f"{each.title}: {each.fact}"))
        _stop_for_first(found)
        return ()

    async def _by_rules(self, rules: EnvironmentRules) -> tuple[Reason, ...]:
        """Why what was asked for at a terminal is not let through by now.

        Of what was asked for on GitHub and in Slack the second look says it.
        """
        request = self._request
        if request.trigger not in AT_TERMINAL:
            return ()
        against = may_deploy(rules, request)
        if request.force is not None or not rules.approvals.needed:
            return against
        asked = await self._services.approvals.get(self._deployment.id)
        given = approvers(asked.request, asked.votes) if asked else ()
        votes = ((each, may_vote(rules, request.environment, each)) for each in given)
        # Whether others are still in a team only the bot that is logged in could ask.
        lost = [(each, why) for each, why in votes if why and each.login is None]
        return (*against, *lacking(request.environment, rules.approvals.needed, given, lost))

    async def note_update(self, preparation: Preparation, images: tuple[BuiltImage, ...]) -> None:
        """Write down what is about to be done, once, however often it is begun."""
        await self._note(Action.UPDATE, self._request.actor, preparation, images)

    async def note_roll_back(
        self, preparation: Preparation, images: tuple[BuiltImage, ...], reason: Reason
    ) -> None:
        """Likewise that the old specs are put back, and why."""
        await self._note(Action.ROLL_BACK, BOT, preparation, images, (reason.code.value,))

    async def _note(
        self,
        action: Action,
        by: Actor,
        preparation: Preparation,
        images: tuple[BuiltImage, ...],
        reasons: tuple[str, ...] = (),
    ) -> None:
        request, identity = self._request, self._deployment.id
        about = proposal(request.commit.sha, images, preparation.steps)
        facts = {
            "cluster": preparation.destination.cluster,
            "digest": about.digest,
            "images": list(about.images),
            "pipelines": [
                {
                    "name": step.full_name,
                    "from_version": step.version,
                    "to_version": step.next_version,
                }
                for step in preparation.steps
            ],
        }
        place = (request.repository, request.environment, identity)
        entry = Entry(action, by, time.time(), *place, reasons=reasons, facts=facts)
        await self._services.audit.append(entry, once=f"{action.value}:{identity}")

    def _check_not_superseded(self, behind: Sequence[Deployment]) -> None:
        newer = newer_than(self._deployment, behind)
        if newer is not None:
            raise StoppedError(
                Code.SUPERSEDED,
                f"deployment {newer.deployment} brings {newer.sha}, a newer commit of "
                f"{self._request.commit.branch}",
                where=newer.deployment,
            )

    async def _check_may_wait(self) -> None:
        """For its approval: whoever is behind waits as long."""
        behind = await self._behind()
        self._check_not_superseded(behind)
        urgent = urgent_among(behind)
        if urgent is not None:
            what = "is forced" if urgent.request.force else "is a rollback"
            fact = f"deployment {urgent.id} {what} and does not wait for an approval"
            raise StoppedError(Code.GAVE_WAY, fact, where=urgent.id)

    async def _behind(self) -> Sequence[Deployment]:
        """Those that may take its place: what is to be refused itself would leave nobody there."""
        behind = await self._services.queue.behind(self._deployment)
        return may_go_on(behind, await self._standing(), time.time()) if behind else ()

    async def _against(self, calendar: Calendar) -> tuple[Reason, ...]:
        return stands_against(self._request, await self._standing(), calendar, time.time())

    async def _standing(self) -> Standing:
        # Its repository may have got another name since it began.
        now = await self._services.deployments.get(self._deployment.id) or self._deployment
        return await self._services.standing(now.request.repository, now.request.environment)

    @property
    def _request(self) -> Request:
        return self._deployment.request


def _stop_for_first(reasons: tuple[Reason, ...]) -> None:
    if reasons:
        raise stopped_for(reasons[0])


async def _running_jobs(pachyderm: Pachyderm, step: PipelineStep) -> int | None:
    """How many jobs an update stops; None where pachd does not say."""
    if step.version is None:
        return 0
    try:
        jobs = await pachyderm.jobs(step.project, step.name, version=step.version)
    except StoppedError as stopped:
        _log.warning("the jobs of %s are not counted: %s", step.full_name, stopped)
        return None
    return sum(not each.finished for each in jobs)
