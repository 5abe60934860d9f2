"""How people are told: a reaction, a comment, or a check where there is nothing to comment on."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.domain.command import Deploy, render
from bot.domain.deployment import Actor, Commit, Deployment, Trigger
from bot.domain.reasons import Code, Reason, StoppedError
from bot.services.github import CheckReport
from handlers.commands.asking import ask, submitted_before
from handlers.commands.gathering import Wish
from handlers.commands.noting import About, note_command, note_decision
from handlers.commands.obey import LONGEST_WAY
from handlers.commands.overtaken import overtaken_by
from handlers.commands.words import overtaken, pressed_long_ago
from handlers.github import words
from handlers.github.awaiting import (
    await_checks,
    awaited,
    look_at_older,
    may_await,
    stopped_by,
)
from handlers.github.brought import Brought, Refusal
from handlers.github.errand import Errand
from handlers.reports.github.check import Button, check_name
from handlers.reports.github.origin import comment_marker
from handlers.reports.github.safe import LONGEST_BODY, packed

LOG = logging.getLogger(__name__)


async def answer(errand: Errand, number: int, body: str, marker: str) -> bool:
    """Comment once on a pull request, with what there is to say by now.

    False where GitHub does not take it, as on what is locked: nothing that was asked for hangs on it.
    """
    try:
        if errand.source.is_repeat:
            await say_on_pull_request(errand, number, body, marker)
        else:
            await errand.client.create_comment(number, body, marker=marker)
    except StoppedError as stopped:
        if stopped.reason.code is not Code.GITHUB_REFUSED:
            raise
        LOG.warning("the answer on pull request %d is not taken: %s", number, stopped)
        return False
    return True


async def tell(errand: Errand, number: int, answers: Sequence[str]) -> bool:
    """Answer all of a comment in one, where there is room: GitHub limits how many we may write.

    False as in `answer`.
    """
    told = packed(dict.fromkeys(filter(None, answers)), LONGEST_BODY)
    are_taken = [
        await answer(errand, number, body, words.marker(errand.source.id, str(index)))
        for index, body in enumerate(told)
    ]
    return all(are_taken)


async def say_on_pull_request(errand: Errand, number: int, body: str, marker: str) -> None:
    """Keep one comment of this kind on a pull request."""
    before = await errand.client.find_comment(number, marker)
    if before is None or not await errand.client.edit_comment(before, body, marker=marker):
        await errand.client.create_comment(number, body, marker=marker)


async def follow(errand: Errand, environments: Sequence[str], wish: Callable[[str], Wish]) -> str:
    """Deploy to every environment that follows an event; what was done, in a line."""
    if not environments:
        return "no environment follows it"
    done, left = [], []
    await look_at_older(errand, wish(environments[0]))
    for name in environments:
        wanted = wish(name)
        if (said := await _said_for_good(errand, wanted, name)) is not None:
            done.append(said)
            continue
        answered = await ask_at_last(errand, wanted, name)
        if isinstance(answered, Deployment):
            done.append(await _begun(errand, name, answered))
        elif may_await(errand, answered):
            left.append(awaited(errand, wanted, name, answered))
            done.append(await _say_awaited(errand, wanted, name, answered))
        else:
            done.append(await _say_refused(errand, wanted, name, answered))
            await errand.keep_answer(name, done[-1])
    line = "; ".join(done)
    if left:
        await await_checks(errand, left, environments, line)
    return line


async def note_not_followed(
    errand: Errand, what: str, stopped: StoppedError, *, pull_request: int | None = None
) -> None:
    """That it is not known which environments follow an event, so that none does."""
    about = About(what, pull_request=pull_request)
    await note_decision(errand, "follow", about, (stopped.reason,))


async def leave_stopped(
    errand: Errand, environments: Sequence[str], wish: Callable[[str], Wish]
) -> None:
    """What was cancelled while it awaited checks says so, where nothing else is done any more."""
    for name in environments:
        await _said_for_good(errand, wish(name), name)


async def leave(errand: Errand, report: CheckReport) -> None:
    """What of it awaited checks is not deployed by itself any more, as `report` says."""
    if not errand.desk.github.is_app or not errand.source.has_awaited:
        return
    for each in await errand.desk.deployer.awaiting.of(errand.source.id):
        if await submitted_before(errand, each.request.environment) is None:
            await errand.client.create_check(
                each.request.commit.sha,
                check_name(each.request.environment),
                report,
                external_id=each.id,
            )


async def ask_at_last(errand: Errand, wish: Wish, part: str) -> Deployment | tuple[Reason, ...]:
    """As `ask`; where nobody tries again, all that stops it is a reason, if there is a place for it."""
    if wish.pull_request is None and not errand.desk.github.is_app:
        # Nobody would see the reason: the delivery has failed.
        errand.source = replace(errand.source, is_last=False)
    try:
        return await ask(errand, wish, part)
    except StoppedError as stopped:
        if not errand.source.is_last:
            raise
        return (stopped.reason,)


async def ask_by_check(
    errand: Errand, environment: str, commit: Commit, part: str
) -> Deployment | tuple[Reason, ...]:
    """As `ask_at_last`, as who asks for a check again may: the push itself is long gone."""
    wish = Wish(Trigger.RERUN, Deploy(environment, commit.sha), known_as=commit)
    line = f"{Button.RERUN} {commit.sha} in {environment}"
    await note_command(errand, part, line, None)
    if reasons := await too_late(errand, part, About(line, environment), wish.command):
        return reasons
    return await ask_at_last(errand, wish, part)


async def too_late(
    errand: Errand, part: str, about: About, command: Deploy | None = None
) -> tuple[Reason, ...]:
    """Why a button does nothing that was pressed as long ago as a command may not be written.

    `command` is what it means, where that would undo what was said after it. Empty where it is neither,
    or has led to a deployment already.
    """
    at, late = await errand.sent_at(), None
    if time.time() - at > LONGEST_WAY * 3600:
        late = pressed_long_ago(at, LONGEST_WAY)
    elif command is not None and (later := await overtaken_by(errand, command, at)):
        late = overtaken(at, later, is_button=True)
    if late is None or await submitted_before(errand, part) is not None:
        return ()
    reasons = (late.reason,)
    await note_decision(errand, part, about, reasons)
    return reasons


async def refuse_at_last(
    errand: Errand, environments: Sequence[str], wish: Callable[[str], Wish], stopped: StoppedError
) -> str:
    """As `refuse`, where nobody tries again.

    Raises:
        StoppedError: as given, where it is tried again, or nobody can be told: it has failed.
    """
    if not errand.source.is_last or not errand.desk.github.is_app:
        raise stopped
    return await refuse(errand, environments, wish, stopped)


async def refuse(
    errand: Errand, environments: Sequence[str], wish: Callable[[str], Wish], stopped: StoppedError
) -> str:
    """Say of every environment that it does not follow, where nothing else was said or done before."""
    reasons = (stopped.reason,)
    done = []
    for name in environments:
        wanted = wish(name)
        if (before := await submitted_before(errand, name)) is not None:
            done.append(await _begun(errand, name, before))
            continue
        if (said := await _said_for_good(errand, wanted, name)) is not None:
            done.append(said)
            continue
        about = About(render(wanted.command), name, pull_request=wanted.pull_request)
        await note_decision(errand, name, about, reasons)
        done.append(await _say_refused(errand, wanted, name, reasons))
    return "; ".join(done)


async def _begun(errand: Errand, environment: str, deployment: Deployment) -> str:
    by = await stopped_by(errand, environment)
    if by is not None:
        # That was said while the gate was asked.
        await errand.desk.deployer.cancel(deployment.id, by)
    return f"{environment}: {deployment.id}"


async def _said_for_good(errand: Errand, wish: Wish, environment: str) -> str | None:
    """What nothing else follows: what was refused while others waited, or is cancelled, which is said."""
    if errand.source.is_repeat and (said := await errand.kept_answer(environment)) is not None:
        return said
    by = await stopped_by(errand, environment)
    return None if by is None else await _say_stopped(errand, wish, environment, by)


async def _say_stopped(errand: Errand, wish: Wish, environment: str, by: Actor) -> str:
    reason = StoppedError(Code.CANCELLED, f"{by.name} cancelled it while it awaited its checks")
    said = await _say_refused(errand, wish, environment, (reason.reason,))
    await errand.keep_answer(environment, said)
    return said


async def _say_awaited(
    errand: Errand, wish: Wish, environment: str, reasons: tuple[Reason, ...]
) -> str:
    """Once, however often it is looked at again."""
    if not errand.source.has_awaited:
        awaited = tuple(replace(each, next_step=words.AWAITED) for each in reasons)
        await _show_refused(errand, wish, environment, awaited)
    return f"{environment}: awaits checks"


async def _say_refused(
    errand: Errand, wish: Wish, environment: str, reasons: tuple[Reason, ...]
) -> str:
    LOG.info(
        "%s to %s of %s is refused: %s",
        wish.trigger,
        environment,
        errand.repository.full_name,
        "; ".join(f"{each.code}: {each.fact}" for each in reasons),
    )
    await _show_refused(errand, wish, environment, reasons)
    return f"{environment}: refused, {', '.join(each.code for each in reasons)}"


async def _refusal_marker(errand: Errand, environment: str) -> str:
    """The environment's one comment, which what is deployed later goes on with.

    Where something is under way, that would write over it soon.
    """
    unfinished = await errand.desk.deployer.deployments.list(
        repository=errand.address, environment=environment, unfinished=True, limit=1
    )
    return words.refusal_marker(environment) if unfinished else comment_marker(environment)


async def _show_refused(
    errand: Errand, wish: Wish, environment: str, reasons: tuple[Reason, ...]
) -> None:
    safe = errand.desk.safe
    if wish.pull_request is not None:
        body = words.refused_event(environment, reasons, safe)
        marker = await _refusal_marker(errand, environment)
        await say_on_pull_request(errand, wish.pull_request, body, marker)
        return
    if wish.commit is None or not errand.desk.github.is_app:
        return
    refusal = Refusal(environment, Brought(wish.trigger, wish.commit.ref))
    sha, name = wish.commit.sha, check_name(environment)
    identity = refusal.external_id or errand.deployment_id(environment)
    report = words.refused_check(environment, reasons, safe)
    try:
        if errand.source.is_repeat:
            before = await errand.client.find_check(sha, name, external_id=identity)
            if before is not None:
                await errand.client.update_check(before, report)
                return
        await errand.client.create_check(sha, name, report, external_id=identity)
    except StoppedError as stopped:
        if stopped.reason.code is not Code.GITHUB_REFUSED:
            raise
        # A commit that is gone has no check.
        LOG.warning("the refusal could not be shown: %s", stopped)
