"""A button below a deployment: whoever clicks is authorised at the click."""

import logging
import time
from typing import Any

from bot.domain.approval import Verdict
from bot.domain.command import Cancel, Command, Rollback, render
from bot.domain.deployment import Deployment, Kind, Outcome, Trigger
from bot.domain.reasons import StoppedError
from bot.services.slack import Message
from bot.stages.go_back import newer_than
from bot.store.deliveries import Delivery
from bot.store.deployments import CancelResult
from bot.store.values import JSON
from handlers.commands.again import again
from handlers.commands.answers import Answer, CancelAsked, Refused, Started
from handlers.commands.approving import Seen, cast_vote
from handlers.commands.asking import ask, reasons_of, submitted_before
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
from handlers.slack import home, modal, refusals, words
from handlers.slack.caller import Caller, caller_of, read_payload
from handlers.slack.desk import Desk
from handlers.slack.errand import Errand, errand_for
from handlers.slack.noting import note_refused
from handlers.slack.repositories import read
from handlers.slack.views import REPOSITORY

LOG = logging.getLogger(__name__)

_PART = "0"
"""A click is one thing."""
_VERDICTS = {Button.APPROVE: Verdict.APPROVE, Button.REJECT: Verdict.REJECT}
_AGAIN_AND_AGAIN = frozenset({Button.APPROVE, Button.REJECT, Button.VIEW_LOG})
"""Buttons that several may use; what is done with them the message itself says."""


async def handle(desk: Desk, delivery: Delivery) -> str:
    """Do what the button says, where whoever clicked may."""
    payload = read_payload(delivery)
    action = payload["actions"][0]
    if action["action_id"] == REPOSITORY:
        return await modal.choose(desk, delivery)
    caller = who_clicked(delivery)
    if caller is None:
        return "not a button of ours"
    done = await _click(desk, caller, action)
    if (payload.get("view") or {}).get("type") == "home":
        await home.publish(desk, delivery, caller.slack)
    return done


def who_clicked(delivery: Delivery) -> Caller | None:
    """Who used one of our buttons, and where; None for what is none of them."""
    payload = read_payload(delivery)
    if payload["actions"][0]["action_id"] not in set(Button):
        return None
    message = payload.get("message") or {}
    return caller_of(
        delivery,
        team=(payload.get("team") or {}).get("id", ""),
        user=payload["user"]["id"],
        channel=payload.get("channel") or {},
        thread=message.get("thread_ts"),
        trigger=payload.get("trigger_id", ""),
    )


async def _click(desk: Desk, caller: Caller, action: dict[str, Any]) -> str:
    button = Button(action["action_id"])
    pressed = Pressed.read(str(action.get("value") or ""))
    deployment = await desk.deployer.deployments.get(pressed.deployment)
    if deployment is None:
        await caller.tell(desk, words.gone())
        return "a button of no deployment"
    try:
        told, done = await _press(desk, caller, button, deployment, pressed)
    except StoppedError as stopped:
        told, done = _in_vain(
            desk, button, deployment, Refused(reasons_of(stopped, is_last=caller.is_last))
        )
    # Not until here: what was done stays so, whether or not Slack takes the answer.
    if told is not None:
        await caller.tell(desk, told)
    return done


async def _press(
    desk: Desk, caller: Caller, button: Button, deployment: Deployment, pressed: Pressed
) -> tuple[Message | None, str]:
    """What whoever clicked is told, and what was done."""
    of_now = await _of_now(desk, button, deployment)
    is_blind = button in _VERDICTS and not pressed.is_bound
    is_offered = button in offered_for(deployment) and of_now is deployment and not is_blind
    if not is_offered and not await _was_pressed(desk, caller, deployment):
        return words.stale(button, of_now, desk), f"{button} of {deployment.id}: too late"
    try:
        errand = await _errand(desk, caller, deployment, needs_link=button is not Button.VIEW_LOG)
    except StoppedError as stopped:
        reasons = reasons_of(stopped, is_last=caller.is_last)
        await note_refused(desk, caller, f"{button} {deployment.id}", reasons)
        raise
    if button is Button.VIEW_LOG:
        await errand.check_may_read()
        page = desk.page(deployment.id)
        return words.where_the_log_is(deployment, page), f"{button} of {deployment.id}"
    if button in _AGAIN_AND_AGAIN:
        return await _act(errand, button, deployment, pressed)
    if of_now is not deployment and await submitted_before(errand, _PART) is None:
        # Used before something newer came, and not carried out by then.
        await _let_go(desk, caller, button, deployment)
        return words.stale(button, of_now, desk), f"{button} of {deployment.id}: too late"
    first = await _claim(desk, caller, button, deployment)
    if first is not None:
        told = words.used_before(first, deployment, desk)
        return told, f"{button} of {deployment.id}: was used before"
    return await _act(errand, button, deployment, pressed)


async def _of_now(desk: Desk, button: Button, deployment: Deployment) -> Deployment:
    """The one that a click would act upon: a rollback is of what is in force."""
    if button is not Button.ROLL_BACK:
        return deployment
    return await newer_than(desk.deployer.deployments, deployment) or deployment


async def _act(
    errand: Errand, button: Button, deployment: Deployment, pressed: Pressed
) -> tuple[Message | None, str]:
    desk, caller = errand.desk, errand.caller
    try:
        answered = await _carry_out(errand, button, deployment, pressed)
    except StoppedError:
        await _let_go(desk, caller, button, deployment)
        raise
    if isinstance(answered, Refused):
        await _let_go(desk, caller, button, deployment)
        return _in_vain(desk, button, deployment, answered)
    if isinstance(answered, CancelAsked) and answered.result is CancelResult.FINISHED:
        return await _ended_before(desk, caller, deployment)
    try:
        await desk.look_again(deployment.id)
    except StoppedError as stopped:
        # It is done, whatever its message shows.
        LOG.warning(
            "the message of %s does not show that %s was used: %s", deployment.id, button, stopped
        )
    told = None
    if not isinstance(answered, Started):
        told = words.answer(answered, button.value, desk, errand.repository)
    return told, f"{button} of {deployment.id}: done"


def _in_vain(
    desk: Desk, button: Button, deployment: Deployment, answered: Refused
) -> tuple[Message, str]:
    codes = ", ".join(each.code for each in answered.reasons)
    told = words.pressed_in_vain(button, deployment, answered, desk)
    return told, f"{button} of {deployment.id}: refused, {codes}"


async def _ended_before(desk: Desk, caller: Caller, deployment: Deployment) -> tuple[Message, str]:
    """It could not be cancelled any more; on a repeat, because the first attempt had done it."""
    of_now = await desk.deployer.deployments.get(deployment.id) or deployment
    if not (caller.is_repeat and of_now.outcome is Outcome.CANCELLED):
        await _let_go(desk, caller, Button.CANCEL, deployment)
    told = words.stale(Button.CANCEL, of_now, desk)
    return told, f"{Button.CANCEL} of {deployment.id}: it had ended"


async def _carry_out(
    errand: Errand, button: Button, deployment: Deployment, pressed: Pressed
) -> Answer:
    if button in _VERDICTS:
        seen = Seen(pressed.sha, pressed.digest)
        return await cast_vote(errand, deployment, _VERDICTS[button], seen)
    if button is Button.RETRY:
        return await _retry(errand, deployment)
    given = Given(render(_command(button, deployment)), _PART, Trigger.SLACK, at=errand.caller.at)
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
    answered = await ask(errand, wish, _PART)
    return Started(answered) if isinstance(answered, Deployment) else Refused(answered)


async def _was_pressed(desk: Desk, caller: Caller, deployment: Deployment) -> bool:
    """Whether this very click has done its work before, and only its end is to be told again."""
    if not caller.is_repeat:
        return False
    clicks = clicks_from_json(await desk.deployer.deployments.load(deployment.id, CLICKS))
    return any(each.delivery == caller.delivery for each in clicks)


async def _claim(
    desk: Desk, caller: Caller, button: Button, deployment: Deployment
) -> Click | None:
    """Use the button up, before anything is done; the click that came first, where one did."""
    own = Click(button, caller.user, time.time(), caller.delivery)

    def use(clicks: object) -> JSON:
        known = clicks_from_json(clicks)
        is_used = any(each.button is button for each in known)
        return [each.to_json() for each in (known if is_used else (*known, own))]

    kept = clicks_from_json(await desk.deployer.deployments.change(deployment.id, CLICKS, use))
    first = next(each for each in kept if each.button is button)
    return None if first.delivery == caller.delivery else first


async def _let_go(desk: Desk, caller: Caller, button: Button, deployment: Deployment) -> None:
    """Nothing was done: others may use it."""

    def free(clicks: object) -> JSON:
        known = clicks_from_json(clicks)
        return [
            each.to_json()
            for each in known
            if each.button is not button or each.delivery != caller.delivery
        ]

    if button not in _AGAIN_AND_AGAIN:
        await desk.deployer.deployments.change(deployment.id, CLICKS, free)


async def _errand(
    desk: Desk, caller: Caller, deployment: Deployment, *, needs_link: bool
) -> Errand:
    origin = await _origin(desk, deployment)
    if origin is None:
        raise refusals.not_on_github(deployment)
    repository = await read(desk, f"{origin.owner}/{origin.name}")
    return await errand_for(desk, caller, repository, needs_link=needs_link)


async def _origin(desk: Desk, deployment: Deployment) -> Origin | None:
    stored = await desk.deployer.deployments.load(deployment.id, ORIGIN)
    return Origin.from_json(stored) if stored else None
