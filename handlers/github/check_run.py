"""The buttons of our own checks: again, cancel, deploy."""

import logging

from bot.domain.approval import Verdict
from bot.domain.deployment import Deployment, Kind, Trigger
from bot.domain.gate import may_act
from bot.domain.reasons import Reason, StoppedError
from bot.store.deliveries import Delivery
from handlers.commands.again import again
from handlers.commands.answers import Refused
from handlers.commands.approving import NOTHING_SEEN, cast_vote
from handlers.commands.asking import ask, origin_of, reasons_of
from handlers.commands.gathering import Wish, gather
from handlers.commands.noting import About, note_command, note_decision
from handlers.commands.words import no_second_rollback
from handlers.github import words
from handlers.github.answering import answer
from handlers.github.desk import Desk
from handlers.github.errand import Errand
from handlers.github.payloads import Event, Payload
from handlers.reports.github.check import Button

LOG = logging.getLogger(__name__)

_VERDICTS = {Button.APPROVE: Verdict.APPROVE, Button.REJECT: Verdict.REJECT}


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
    app = event.check_run.app
    pressed = _pressed(event) if app is not None and app.id == desk.app_id else None
    if pressed is None:
        return "not a button of ours"
    button, seen = pressed
    errand = Errand(desk, delivery, event)
    identity = event.check_run.external_id or ""
    deployment = await desk.deployer.deployments.get(identity)
    origin = await origin_of(errand, deployment) if deployment else None
    if deployment is None or deployment.id != identity or origin is None:
        return "a check of no deployment"
    wish = again(deployment, Trigger.CHECK, origin.pull_request)
    line = f"{button} {deployment.id}"
    await note_command(errand, button.value, line, origin.pull_request)
    if button in _VERDICTS:
        return await _vote(errand, wish, deployment, button, seen)
    return await _press(errand, wish, deployment, button)


async def _press(errand: Errand, wish: Wish, deployment: Deployment, button: Button) -> str:
    if button is not Button.CANCEL and deployment.request.kind is Kind.ROLLBACK:
        return await _refuse(errand, wish, button, (no_second_rollback(errand.desk.word),))
    if button is Button.CANCEL:
        reasons = may_act(*await gather(errand, wish, content=False))
        about = About(button.value, wish.command.environment, deployment.id, wish.pull_request)
        await note_decision(errand, button.value, about, reasons)
        if not reasons:
            result = await errand.desk.deployer.cancel(deployment.id, errand.actor)
            return f"cancel of {deployment.id}: {result}"
    else:
        answered = await ask(errand, wish, button.value)
        if isinstance(answered, Deployment):
            return f"{button} of {deployment.id}: {answered.id}"
        reasons = answered
    return await _refuse(errand, wish, button, reasons)


def _pressed(event: CheckRun) -> tuple[Button, str] | None:
    if event.action == "rerequested":
        return Button.RERUN, ""
    if event.action != "requested_action" or event.requested_action is None:
        return None
    return Button.pressed(event.requested_action.identifier)


async def _vote(
    errand: Errand, wish: Wish, deployment: Deployment, button: Button, seen: str
) -> str:
    """Whoever may press a button has write permission; whether they approve is seen here."""
    try:
        cast = await cast_vote(errand, deployment, _VERDICTS[button], seen or NOTHING_SEEN)
    except StoppedError as stopped:
        return await _refuse(errand, wish, button, reasons_of(stopped))
    if isinstance(cast, Refused):
        return await _refuse(errand, wish, button, cast.reasons)
    return f"{button} of {deployment.id} by {errand.person.login}"


async def _refuse(errand: Errand, wish: Wish, button: Button, reasons: tuple[Reason, ...]) -> str:
    codes = ", ".join(each.code for each in reasons)
    LOG.info("%s by %s is refused: %s", button, errand.person.login, codes)
    if wish.pull_request is not None:
        line = f"{button} ({wish.command.environment})"
        body = words.refused_command(line, reasons, errand.desk.safe)
        marker = words.marker(errand.source.id, button.value)
        await answer(errand, wish.pull_request, body, marker)
    return f"{button}: refused, {codes}"
