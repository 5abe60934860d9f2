"""The checks of a commit: others' have ended, or ours are asked for again by GitHub's buttons for all."""

from collections.abc import Mapping
from types import MappingProxyType

from bot.domain.approval import ApprovalState
from bot.domain.deployment import Outcome, Stage, State
from bot.services.github import Conclusion, OwnCheck
from bot.store.deliveries import Delivery
from handlers.github.awaiting import checks_ended
from handlers.github.brought import Refusal
from handlers.github.check_run import (
    App,
    deployment_of,
    end,
    end_without_deployment,
    repeat,
    resume,
)
from handlers.github.desk import Desk
from handlers.github.errand import Errand, errand_for
from handlers.github.payloads import Event, Payload
from handlers.reports.github.check import conclusion_of

ENDED = "completed"
_STAY: Mapping[Outcome, Conclusion] = MappingProxyType(
    {
        Outcome.SUCCEEDED: Conclusion.SUCCESS,
        # A later one came instead, which nobody wants to take back.
        Outcome.SUPERSEDED: Conclusion.CANCELLED,
    }
)
"""Deployments that are not made again by who wants all checks again, those of others too."""
_QUEUED, _RUNNING = "queued", "in_progress"


class CheckSuitePart(Payload):
    """The suite."""

    id: int
    head_sha: str
    app: App | None = None


class CheckSuite(Event):
    """Something happened to the checks of a commit."""

    action: str
    check_suite: CheckSuitePart


async def handle(desk: Desk, delivery: Delivery) -> str:
    """Our own: deploy again what did not succeed, and give every other check its end back."""
    event = CheckSuite.model_validate_json(delivery.payload)
    app = event.check_suite.app
    is_ours = app is not None and app.id == desk.app_id
    if not is_ours and event.action == ENDED:
        return await checks_ended(desk, event, event.check_suite.head_sha)
    if not is_ours or event.action == ENDED:
        return "nothing to do for it"
    errand = await errand_for(desk, delivery, event)
    checks = await errand.client.checks_of_suite(event.check_suite.id)
    return "; ".join([await _again(errand, each) for each in checks]) or "no checks"


async def _again(errand: Errand, check: OwnCheck) -> str:
    shown = await deployment_of(errand, check)
    if shown is None and Refusal.read(check.external_id) is not None:
        # By a command it would end a rollback's hold, which nobody means who wants all checks again.
        await end(errand, check, Conclusion.ACTION_REQUIRED)
        return "a refusal stays"
    if shown is None:
        return await end_without_deployment(errand, check)
    deployment, pull_request = shown
    if deployment.state is not State.FINISHED or deployment.outcome is None:
        await _go_on(errand, check, deployment.id)
        return f"{deployment.id} goes on"
    if deployment.outcome in _STAY:
        await end(errand, check, _STAY[deployment.outcome])
        return f"{deployment.id} stays"
    return await repeat(errand, check, deployment, pull_request)


async def _go_on(errand: Errand, check: OwnCheck, deployment: str) -> None:
    """Show how far it is, which the reports do not say again.

    What they say meanwhile may be written over, so it is looked at until it stays.
    """
    shown, now = _QUEUED, await _standing(errand, deployment)
    while now not in {shown, _QUEUED}:
        if now == _RUNNING:
            await resume(errand, check)
        else:
            await end(errand, check, Conclusion(now))
        shown, now = now, await _standing(errand, deployment)


async def _standing(errand: Errand, deployment_id: str) -> str:
    """A conclusion where the check has one."""
    deployer = errand.desk.deployer
    deployment = await deployer.deployments.get(deployment_id)
    if deployment is None or deployment.state is State.WAITING:
        return _QUEUED
    if deployment.outcome is not None:
        return conclusion_of(deployment.outcome, deployment.reason)
    asked = await deployer.approvals.get(deployment_id)
    is_open = asked is not None and asked.state is ApprovalState.OPEN
    if deployment.stage is Stage.APPROVE and is_open:
        return Conclusion.ACTION_REQUIRED
    return _RUNNING
