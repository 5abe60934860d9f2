"""The buttons of our own checks: again, cancel, deploy."""

import logging
from collections.abc import Awaitable
from dataclasses import replace

from bot.domain.approval import Verdict
from bot.domain.awaiting import Awaited
from bot.domain.deployment import Commit, Deployment, Kind, Trigger
from bot.domain.reasons import Code, Reason, StoppedError
from bot.services.github import CheckReport, Conclusion, OwnCheck
from bot.store.deliveries import Delivery
from handlers.commands.again import again
from handlers.commands.answers import Refused
from handlers.commands.approving import NOTHING_SEEN, cast_vote
from handlers.commands.asking import ask, origin_of, reasons_of
from handlers.commands.gathering import Wish
from handlers.commands.noting import About, note_command, note_decision
from handlers.commands.stopping import objections_to_cancel
from handlers.commands.words import no_second_rollback
from handlers.github import awaiting, words
from handlers.github.answering import answer, ask_by_check, too_late
from handlers.github.brought import Refusal
from handlers.github.desk import Desk
from handlers.github.errand import Errand, errand_for
from handlers.github.payloads import Event, Payload
from handlers.github.rules_again import look_again
from handlers.github.rules_check import is_of_default_rules, is_of_rules, rules_report
from handlers.reports.github.check import Button, conclusion_of, deploy_again

LOG = logging.getLogger(__name__)

_AGAIN = "rerequested"
"""GitHub's own button."""
_VERDICTS = {Button.APPROVE: Verdict.APPROVE, Button.REJECT: Verdict.REJECT}


class App(Payload):
    """Whose check it is."""

    id: int


class CheckRunPart(Payload):
    """The check."""

    id: int
    head_sha: str
    external_id: str | None = None
    """The deployment's id, in our own."""
    app: App | None = None

    @property
    def own(self) -> OwnCheck:
        """As one of ours."""
        return OwnCheck(self.id, self.head_sha, self.external_id or "")


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
    errand, check = await errand_for(desk, delivery, event), event.check_run.own
    shown = await deployment_of(errand, check)
    if shown is None:
        return await _without_deployment(errand, check, event.action)
    deployment, pull_request = shown
    trigger = Trigger.RERUN if event.action == _AGAIN else Trigger.CHECK
    wish = again(deployment, trigger, pull_request)
    await note_command(errand, button.value, f"{button} {deployment.id}", pull_request)
    if button in _VERDICTS:
        return await _vote(errand, wish, deployment, button, seen)
    done = await _press(errand, wish, deployment, button)
    if isinstance(done, str):
        return done
    refused = await _refuse(errand, wish, button, done)
    if event.action == _AGAIN:
        await _end_refused(errand, check, deployment, done)
    return refused


async def deployment_of(errand: Errand, check: OwnCheck) -> tuple[Deployment, int | None] | None:
    """What a check of ours shows, and the pull request that it was asked for on."""
    deployment = await errand.desk.deployer.deployments.get(check.external_id)
    if deployment is None or deployment.id != check.external_id:
        return None
    origin = await origin_of(errand, deployment)
    return (deployment, origin.pull_request) if origin is not None else None


async def repeat(
    errand: Errand, check: OwnCheck, deployment: Deployment, pull_request: int | None
) -> str:
    """Deploy the same again for one check of several; what was done, in a line."""
    part = f"{Button.RERUN}:{deployment.request.environment}"
    wish = again(deployment, Trigger.RERUN, pull_request)
    await note_command(errand, part, f"{Button.RERUN} {deployment.id}", pull_request)
    done = await _press(errand, wish, deployment, Button.RERUN, part)
    if isinstance(done, str):
        return done
    await _end_refused(errand, check, deployment, done)
    return f"{deployment.id}: refused, {', '.join(each.code for each in done)}"


async def _press(
    errand: Errand, wish: Wish, deployment: Deployment, button: Button, part: str = ""
) -> str | tuple[Reason, ...]:
    """What was done in a line, or why nothing was; `part` as for `ask`."""
    part, about = part or button.value, _about(wish, deployment, button)
    deploys = None if button is Button.CANCEL else wish.command
    if reasons := await too_late(errand, part, about, deploys):
        return reasons
    if button is not Button.CANCEL and deployment.request.kind is Kind.ROLLBACK:
        return (no_second_rollback(errand.desk.word),)
    if button is Button.CANCEL:
        reasons = await objections_to_cancel(errand, wish, deployment.request)
        await note_decision(errand, part, about, reasons)
        if not reasons:
            result = await errand.desk.deployer.cancel(deployment.id, errand.actor)
            return f"cancel of {deployment.id}: {result}"
    else:
        answered = await ask(errand, wish, part)
        if isinstance(answered, Deployment):
            return f"{button} of {deployment.id}: {answered.id}"
        reasons = answered
    return reasons


def _about(wish: Wish, deployment: Deployment, button: Button) -> About:
    return About(button.value, wish.command.environment, deployment.id, wish.pull_request)


async def _without_deployment(errand: Errand, check: OwnCheck, action: str) -> str:
    if action != _AGAIN:
        return "a check of no deployment"
    refusal = Refusal.read(check.external_id)
    if refusal is not None:
        return await _ask_after_refusal(errand, check, refusal)
    return await end_without_deployment(errand, check)


async def end_without_deployment(errand: Errand, check: OwnCheck) -> str:
    """A check on rules, or one that says why nothing was deployed; or somebody else's database."""
    if is_of_default_rules(check.external_id):
        await end(errand, check, await look_again(errand, check))
        return "the default branch's rules are looked at again"
    if is_of_rules(check.external_id):
        await end(errand, check, await rules_report(errand, check.head_sha))
        return "the rules are checked again"
    await end(errand, check, words.nothing_to_repeat(errand.desk.word, errand.desk.safe))
    return "a check of no deployment is asked for again"


async def _ask_after_refusal(errand: Errand, check: OwnCheck, refusal: Refusal) -> str:
    """What was refused then may be allowed now, or to who asks now."""
    desk, name, brought = errand.desk, refusal.environment, refusal.brought
    if brought.trigger is not Trigger.PUSH:
        # Whether it still should be, where a later one was published, is for people to say.
        left = words.deploy_yourself(brought.name, check.head_sha, [name], desk.word, desk.safe)
        await end(errand, check, left)
        return f"{brought} is left to people"
    if pending := await _still_awaits(errand, name, check.head_sha):
        await end(errand, check, words.refused_check(name, pending, desk.safe))
        return f"{brought} awaits checks, which are looked at again"
    commit = Commit(check.head_sha, brought.name, brought.name)
    answered = await ask_by_check(errand, name, commit, f"{Button.RERUN}:{name}")
    if isinstance(answered, Deployment):
        return f"{Button.RERUN} of {commit.sha}: {answered.id}"
    await end(errand, check, words.refused_check(name, answered, desk.safe))
    return f"{Button.RERUN}: refused, {', '.join(each.code for each in answered)}"


async def _still_awaits(errand: Errand, environment: str, sha: str) -> tuple[Reason, ...]:
    """What there is to wait for, where the push itself waits still: it is looked at again now."""
    reasons: list[Reason] = []

    def is_it(each: Awaited) -> bool:
        request = each.request
        if (request.environment, request.commit.sha) != (environment, sha) or each.stopped_by:
            return False
        pending = StoppedError(Code.CHECKS_PENDING, each.why, next_step=words.AWAITED)
        reasons.append(pending.reason)
        return True

    return tuple(reasons) if await awaiting.look_again(errand, is_it) else ()


async def _end_refused(
    errand: Errand, check: OwnCheck, deployment: Deployment, reasons: tuple[Reason, ...]
) -> None:
    environment, outcome = deployment.request.environment, deployment.outcome
    is_held = any(each.code is Code.HELD for each in reasons)
    if outcome is None or not is_held:
        await end(errand, check, words.refused_check(environment, reasons, errand.desk.safe))
        return
    report = words.refused_check(environment, words.with_button(reasons), errand.desk.safe)
    conclusion = conclusion_of(outcome, deployment.reason)
    await end(
        errand, check, replace(report, conclusion=conclusion, actions=(deploy_again(outcome),))
    )


async def end(errand: Errand, check: OwnCheck, how: CheckReport | Conclusion) -> None:
    """GitHub takes a check that is asked for again for queued, which it would stay for ever.

    With a conclusion alone it goes on to show what it showed.
    """
    if isinstance(how, Conclusion):
        await _if_there(errand.client.end_check(check.id, how))
    else:
        await _if_there(errand.client.update_check(check.id, how))


async def resume(errand: Errand, check: OwnCheck) -> None:
    """Likewise, of one whose deployment runs."""
    await _if_there(errand.client.resume_check(check.id))


async def _if_there(changing: Awaitable[None]) -> None:
    try:
        await changing
    except StoppedError as stopped:
        if stopped.reason.code is not Code.GITHUB_REFUSED:
            raise
        LOG.warning("a check that is asked for again could not be changed: %s", stopped)


def _pressed(event: CheckRun) -> tuple[Button, str] | None:
    if event.action == _AGAIN:
        return Button.RERUN, ""
    if event.action != "requested_action" or event.requested_action is None:
        return None
    return Button.pressed(event.requested_action.identifier)


async def _vote(
    errand: Errand, wish: Wish, deployment: Deployment, button: Button, seen: str
) -> str:
    """Whoever may press a button has write permission; whether they approve is seen here."""
    late = await too_late(errand, button.value, _about(wish, deployment, button))
    if late:
        return await _refuse(errand, wish, button, late)
    try:
        cast = await cast_vote(
            errand,
            deployment,
            _VERDICTS[button],
            seen or NOTHING_SEEN,
            pull_request=wish.pull_request,
        )
    except StoppedError as stopped:
        return await _refuse(
            errand, wish, button, reasons_of(stopped, is_last=errand.source.is_last)
        )
    if isinstance(cast, Refused):
        return await _refuse(errand, wish, button, cast.reasons)
    return f"{button} of {deployment.id} by {errand.person.login}"


async def _refuse(errand: Errand, wish: Wish, button: Button, reasons: tuple[Reason, ...]) -> str:
    codes = ", ".join(each.code for each in reasons)
    LOG.info("%s by %s is refused: %s", button, errand.person.login, codes)
    # The check is as it was, and who presses it once more is told of in the same words.
    await errand.forget_body()
    if wish.pull_request is not None:
        line = f"{button} ({wish.command.environment})"
        body = words.refused_command(line, reasons, errand.desk.safe)
        marker = words.marker(errand.source.id, button.value)
        await answer(errand, wish.pull_request, body, marker)
    return f"{button}: refused, {codes}"
