"""A button below a deployment: whoever clicks is authorised at the click."""

import logging
import time
from typing import Any

from bot.domain.approval import Verdict
from bot.domain.command import Cancel, Command, Rollback, render
from bot.domain.deployment import Deployment, Kind, Trigger
from bot.domain.reasons import StoppedError
from bot.store.deliveries import Delivery
from handlers.commands.again import again
from handlers.commands.answers import Answer, Refused, Started
from handlers.commands.approving import Seen, cast_vote
from handlers.commands.asking import ask, reasons_of
from handlers.commands.obey import Given, obey
from handlers.commands.words import no_second_rollback
from handlers.reports.github.origin import ORIGIN, Origin
from handlers.reports.slack.buttons import (
    CLICKS,
    Button,
    Click,
    Pressed,
    clicks_from_json,
    offered_for,
)
from handlers.slack import home, modal, words
from handlers.slack.caller import Caller, caller_of, read_payload
from handlers.slack.desk import Desk
from handlers.slack.errand import Errand, errand_for
from handlers.slack.repositories import read
from handlers.slack.views import REPOSITORY

LOG = logging.getLogger(__name__)

_VERDICTS = {Button.APPROVE: Verdict.APPROVE, Button.REJECT: Verdict.REJECT}
_AGAIN_AND_AGAIN = frozenset({Button.APPROVE, Button.REJECT, Button.VIEW_LOG})
"""Buttons that several may use; what is done with them the message itself says."""


async def handle(desk: Desk, delivery: Delivery) -> str:
    """Do what the button says, where whoever clicked may."""
    payload = read_payload(delivery)
    action = payload["actions"][0]
    if action["action_id"] == REPOSITORY:
        return await modal.choose(desk, delivery)
    if action["action_id"] not in set(Button):
        return "not a button of ours"
    done = await _click(desk, _caller(delivery, payload), action)
    if (payload.get("view") or {}).get("type") == "home":
        await home.publish(desk, delivery, _caller(delivery, payload).slack)
    return done


async def _click(desk: Desk, caller: Caller, action: dict[str, Any]) -> str:
    button = Button(action["action_id"])
    pressed = Pressed.read(str(action.get("value") or ""))
    deployment = await desk.deployer.deployments.get(pressed.deployment)
    if deployment is None:
        await caller.tell(desk, words.gone())
        return "a button of no deployment"
    try:
        return await _press(desk, caller, button, deployment, pressed)
    except StoppedError as stopped:
        answered = Refused(reasons_of(stopped))
    await caller.tell(desk, words.pressed_in_vain(button, deployment, answered, desk))
    return f"{button} of {deployment.id}: refused, {answered.reasons[0].code}"


async def _press(
    desk: Desk, caller: Caller, button: Button, deployment: Deployment, pressed: Pressed
) -> str:
    if button not in offered_for(deployment) and not await _was_pressed(desk, caller, deployment):
        await caller.tell(desk, words.stale(button, deployment, desk))
        return f"{button} of {deployment.id}: too late"
    errand = await _errand(desk, caller, deployment, needs_link=button is not Button.VIEW_LOG)
    if button is Button.VIEW_LOG:
        await errand.check_may_read()
        await caller.tell(desk, words.where_the_log_is(deployment, desk.page(deployment.id)))
        return f"{button} of {deployment.id}"
    answered = await _carry_out(errand, button, deployment, pressed)
    if isinstance(answered, Refused):
        await caller.tell(desk, words.pressed_in_vain(button, deployment, answered, desk))
        codes = ", ".join(each.code for each in answered.reasons)
        return f"{button} of {deployment.id}: refused, {codes}"
    if button not in _AGAIN_AND_AGAIN:
        await _note_click(desk, caller, button, deployment)
    await desk.look_again(deployment.id)
    if not isinstance(answered, Started):
        await caller.tell(desk, words.answer(answered, button.value, desk, errand.repository))
    return f"{button} of {deployment.id}: done"


async def _carry_out(
    errand: Errand, button: Button, deployment: Deployment, pressed: Pressed
) -> Answer:
    if button in _VERDICTS:
        seen = Seen(pressed.sha, pressed.digest)
        return await cast_vote(errand, deployment, _VERDICTS[button], seen)
    if button is Button.RETRY:
        return await _retry(errand, deployment)
    given = Given(render(_command(button, deployment)), "0", Trigger.SLACK, at=errand.caller.at)
    return await obey(errand, given)


def _command(button: Button, deployment: Deployment) -> Command:
    if button is Button.ROLL_BACK:
        return Rollback(deployment.request.environment)
    return Cancel(deployment.id)


async def _retry(errand: Errand, deployment: Deployment) -> Answer:
    if deployment.request.kind is Kind.ROLLBACK:
        return Refused((no_second_rollback(errand.desk.word),))
    origin = await _origin(errand.desk, deployment)
    wish = again(deployment, Trigger.SLACK, origin.pull_request if origin else None)
    answered = await ask(errand, wish, "0")
    return Started(answered) if isinstance(answered, Deployment) else Refused(answered)


async def _was_pressed(desk: Desk, caller: Caller, deployment: Deployment) -> bool:
    """Whether this very click has done its work before, and only its end is to be told again."""
    if not caller.is_repeat:
        return False
    clicks = clicks_from_json(await desk.deployer.deployments.load(deployment.id, CLICKS))
    return any(each.user == caller.user for each in clicks)


async def _note_click(desk: Desk, caller: Caller, button: Button, deployment: Deployment) -> None:
    deployments = desk.deployer.deployments
    clicks = clicks_from_json(await deployments.load(deployment.id, CLICKS))
    if any(each.button is button for each in clicks):
        return
    made = Click(button, caller.user, time.time())
    await deployments.save(deployment.id, CLICKS, [each.to_json() for each in (*clicks, made)])


async def _errand(
    desk: Desk, caller: Caller, deployment: Deployment, *, needs_link: bool
) -> Errand:
    origin = await _origin(desk, deployment)
    if origin is None:
        raise words.not_on_github(deployment)
    repository = await read(desk, f"{origin.owner}/{origin.name}")
    return await errand_for(desk, caller, repository, needs_link=needs_link)


async def _origin(desk: Desk, deployment: Deployment) -> Origin | None:
    stored = await desk.deployer.deployments.load(deployment.id, ORIGIN)
    return Origin.from_json(stored) if stored else None


def _caller(delivery: Delivery, payload: dict[str, Any]) -> Caller:
    message = payload.get("message") or {}
    return caller_of(
        delivery,
        team=(payload.get("team") or {}).get("id", ""),
        user=payload["user"]["id"],
        channel=payload.get("channel") or {},
        thread=message.get("thread_ts"),
        trigger=payload.get("trigger_id", ""),
    )
