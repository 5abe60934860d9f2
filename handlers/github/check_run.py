"""The buttons of our own checks: again, cancel, deploy."""

import logging

from bot.domain.deployment import Deployment, Kind, Trigger
from bot.domain.gate import may_act
from bot.domain.reasons import Reason
from bot.store.deliveries import Delivery
from handlers.commands.again import again
from handlers.commands.asking import ask, origin_of
from handlers.commands.gathering import Wish, gather
from handlers.commands.words import no_second_rollback
from handlers.github import words
from handlers.github.answering import answer
from handlers.github.desk import Desk
from handlers.github.errand import Errand
from handlers.github.payloads import Event, Payload
from handlers.reports.github.check import Button

LOG = logging.getLogger(__name__)


class App(Payload):
    """Whose check it is."""

    id: int


class CheckRunPart(Payload):
    """The check."""

    head_sha: str
    external_id: str | None = None
    """The deployment's id, in our own."""
    app: App | None = None


class RequestedAction(Payload):
    """The button that was pressed."""

    identifier: str = ""


class CheckRun(Event):
    """Something happened to a check."""

    action: str
    check_run: CheckRunPart
    requested_action: RequestedAction | None = None


async def handle(desk: Desk, delivery: Delivery) -> str:
    """Do what the button says, where whoever pressed it may."""
    event = CheckRun.model_validate_json(delivery.payload)
    button = _button(event)
    app = event.check_run.app
    if button is None or app is None or app.id != desk.app_id:
        return "not a button of ours"
    errand = Errand(desk, delivery, event)
    identity = event.check_run.external_id or ""
    deployment = await desk.deployer.deployments.get(identity)
    origin = await origin_of(errand, deployment) if deployment else None
    if deployment is None or deployment.id != identity or origin is None:
        return "a check of no deployment"
    wish = again(deployment, Trigger.CHECK, origin.pull_request)
    if button is not Button.CANCEL and deployment.request.kind is Kind.ROLLBACK:
        return await _refuse(errand, wish, button, (no_second_rollback(desk.word),))
    if button is Button.CANCEL:
        reasons = may_act(*await gather(errand, wish, content=False))
        if not reasons:
            result = await desk.deployer.cancel(deployment.id, errand.person.login)
            return f"cancel of {deployment.id}: {result}"
    else:
        answered = await ask(errand, wish, button.value)
        if isinstance(answered, Deployment):
            return f"{button} of {deployment.id}: {answered.id}"
        reasons = answered
    return await _refuse(errand, wish, button, reasons)


def _button(event: CheckRun) -> Button | None:
    if event.action == "rerequested":
        return Button.RERUN
    pressed = event.requested_action.identifier if event.requested_action else ""
    is_known = event.action == "requested_action" and pressed in set(Button)
    return Button(pressed) if is_known else None


async def _refuse(errand: Errand, wish: Wish, button: Button, reasons: tuple[Reason, ...]) -> str:
    codes = ", ".join(each.code for each in reasons)
    LOG.info("%s by %s is refused: %s", button, errand.person.login, codes)
    if wish.pull_request is not None:
        line = f"{button} ({wish.command.environment})"
        body = words.refused_command(line, reasons, errand.desk.safe)
        marker = words.marker(errand.source.id, button.value)
        await answer(errand, wish.pull_request, body, marker)
    return f"{button}: refused, {codes}"
