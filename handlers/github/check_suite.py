"""All our checks of a commit are asked for again: GitHub's buttons for all and for those that failed."""

from collections.abc import Mapping
from types import MappingProxyType

from bot.domain.deployment import Outcome, State
from bot.services.github import Conclusion, OwnCheck
from bot.store.deliveries import Delivery
from handlers.github.check_run import App, deployment_of, end, end_without_deployment, repeat
from handlers.github.desk import Desk
from handlers.github.errand import Errand
from handlers.github.payloads import Event, Payload

_STAY: Mapping[Outcome, Conclusion] = MappingProxyType(
    {
        Outcome.SUCCEEDED: Conclusion.SUCCESS,
        # A later one came instead, which nobody wants to take back.
        Outcome.SUPERSEDED: Conclusion.CANCELLED,
    }
)
"""Deployments that are not made again by who wants all checks again, those of others too."""


class CheckSuitePart(Payload):
    """The suite."""

    id: int
    app: App | None = None


class CheckSuite(Event):
    """Something happened to the checks of a commit."""

    check_suite: CheckSuitePart


async def handle(desk: Desk, delivery: Delivery) -> str:
    """Deploy again what did not succeed, and give every other check its end back."""
    event = CheckSuite.model_validate_json(delivery.payload)
    app = event.check_suite.app
    if app is None or app.id != desk.app_id:
        return "not checks of ours"
    errand = Errand(desk, delivery, event)
    checks = await errand.client.checks_of_suite(event.check_suite.id)
    return "; ".join([await _again(errand, each) for each in checks]) or "no checks"


async def _again(errand: Errand, check: OwnCheck) -> str:
    shown = await deployment_of(errand, check)
    if shown is None:
        return await end_without_deployment(errand, check)
    deployment, pull_request = shown
    if deployment.state is not State.FINISHED or deployment.outcome is None:
        return f"{deployment.id} goes on"
    if deployment.outcome in _STAY:
        await end(errand, check, _STAY[deployment.outcome])
        return f"{deployment.id} stays"
    return await repeat(errand, check, deployment, pull_request)
