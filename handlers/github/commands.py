"""What each command does when it is given in a comment."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.command import (
    Cancel,
    Command,
    Deploy,
    Help,
    History,
    Plan,
    Rollback,
    Status,
    parse,
)
from bot.domain.command_form import Mistake
from bot.domain.deployment import Commit, Deployment, Kind, Request, State, Trigger
from bot.domain.gate import may_act
from bot.domain.gate_facts import Unknown
from bot.domain.github import PullRequest
from bot.domain.reasons import Code, Reason, StoppedError
from handlers.github import words
from handlers.github.answering import answer
from handlers.github.asking import ask, note_origin, origin_of, reasons_of
from handlers.github.errand import Errand
from handlers.github.gathering import Wish, gather

LOG = logging.getLogger(__name__)

_HISTORY = 20
_SEARCHED = 500
"""The newest deployments of a repository, among which an id is looked for."""


@dataclass(frozen=True)
class Given:
    """A command as it was written."""

    pull_request: int
    comment: int
    at: str
    """ISO 8601, by GitHub's clock."""
    part: str
    """Which one it is of its comment."""
    line: str
    """Without the word that commands begin with."""

    def wish(self, command: Deploy) -> Wish:
        """For the gate."""
        return Wish(
            Trigger.COMMENT,
            command,
            pull_request=self.pull_request,
            comment=self.comment,
            asked_at=self.at,
        )


class _RefusedError(Exception):
    def __init__(self, reasons: tuple[Reason, ...]) -> None:
        super().__init__(", ".join(each.code for each in reasons))
        self.reasons = reasons


async def obey(errand: Errand, given: Given) -> str:
    """Carry out a command and answer it, once; what was done, in a line."""
    marker = words.marker(errand.delivery.id, given.part)
    if errand.is_repeat and await errand.client.find_comment(given.pull_request, marker):
        return "answered before"
    command = parse(given.line)
    try:
        body = await _do(errand, given, command)
    except _RefusedError as refused:
        reasons = refused.reasons
    except StoppedError as stopped:
        reasons = reasons_of(stopped)
    else:
        if body is None:
            return f"{given.line}: deployment {errand.deployment_id(given.part)}"
        await answer(errand, given.pull_request, body, marker)
        return f"{given.line}: answered"
    line = f"{errand.desk.word} {given.line}"
    body = words.refused_command(line, reasons, errand.desk.safe)
    await answer(errand, given.pull_request, body, marker)
    return f"{given.line}: refused, {', '.join(each.code for each in reasons)}"


async def _do(errand: Errand, given: Given, command: Command | Mistake) -> str | None:
    """The answer; None where a deployment is the answer."""
    match command:
        case Mistake():
            raise _RefusedError((command.reason(errand.desk.word),))
        case Deploy():
            await _deploy(errand, given, command)
            return None
        case Rollback():
            await _roll_back(errand, given, command)
            return None
        case Plan():
            return await _plan(errand, given, command)
        case Cancel():
            return await _cancel(errand, given, command)
    return await _tell(errand, command)


async def _tell(errand: Errand, command: Command) -> str:
    """What everybody may know who reads the repository."""
    desk = errand.desk
    match command:
        case Status():
            return words.deployments(_standing(await _all(errand)), time.time(), desk.safe)
        case History():
            found = (await _all(errand))[:_HISTORY]
            return words.deployments(found, time.time(), desk.safe)
        case Help():
            return words.help_text(command, desk.word)
    return words.not_yet(command, desk.word, desk.safe)


async def _deploy(errand: Errand, given: Given, command: Deploy) -> None:
    answered = await ask(errand, given.wish(command), given.part)
    if not isinstance(answered, Deployment):
        raise _RefusedError(answered)
    await _accept(errand, given)


async def _roll_back(errand: Errand, given: Given, command: Rollback) -> None:
    deployer = errand.desk.deployer
    identity = errand.deployment_id(given.part)
    deployment = await deployer.deployments.get(identity) if errand.is_repeat else None
    if deployment is None:
        await _check_may_act(errand, given, command.environment)
        request = await deployer.rollback_request(
            errand.address, command.environment, command.steps, Trigger.COMMENT, errand.actor
        )
        deployment = Deployment(identity, request, created_at=time.time())
        await deployer.submit(deployment)
    await note_origin(errand, deployment, pull_request=given.pull_request, comment=given.comment)
    await _accept(errand, given)


async def _plan(errand: Errand, given: Given, command: Plan) -> str:
    environment = await _check_may_act(errand, given, command.environment)
    pull = await errand.pull_request(given.pull_request)
    if isinstance(pull, Unknown):
        raise StoppedError(Code.FACT_UNKNOWN, f"{pull.call}: {pull.why}")
    if pull.is_fork(errand.repository):
        # What a fork's files say is looked up with our rights.
        raise StoppedError(Code.FORK_NOT_ALLOWED, "a fork's commit is not planned")
    found = await errand.desk.deployer.plan(_plan_request(errand, pull, environment))
    return words.plan(found, environment, pull.head_sha, errand.desk.safe)


def _plan_request(errand: Errand, pull: PullRequest, environment: str) -> Request:
    return Request(
        kind=Kind.DEPLOY,
        repository=errand.address,
        environment=environment,
        commit=Commit(pull.head_sha, pull.head_ref, pull.head_ref, pull.title, pull.author),
        trigger=Trigger.COMMENT,
        actor=errand.actor,
    )


async def _cancel(errand: Errand, given: Given, command: Cancel) -> str:
    deployment = await _meant(errand, given, command.deployment)
    await _check_may_act(errand, given, deployment.request.environment)
    result = await errand.desk.deployer.cancel(deployment.id, errand.sender.login)
    return words.cancelled(result.value, deployment.id, errand.desk.safe)


async def _meant(errand: Errand, given: Given, part: str | None) -> Deployment:
    """The deployment of this repository with this id, or the one of this pull request."""
    if part is not None:
        found = [each for each in await _all(errand) if _has_id(each, part)]
        if not found:
            raise words.no_such_deployment(part)
    else:
        found = []
        for each in await _all(errand):
            origin = await origin_of(errand, each) if each.state is not State.FINISHED else None
            if origin is not None and origin.pull_request == given.pull_request:
                found.append(each)
        if not found:
            raise words.none_under_way()
    if len(found) > 1:
        raise words.several_deployments(found, errand.desk.word)
    return found[0]


def _has_id(deployment: Deployment, part: str) -> bool:
    return deployment.id.startswith(part) or deployment.id.endswith(part)


async def _all(errand: Errand) -> Sequence[Deployment]:
    """The repository's deployments, the newest first; of no other repository."""
    return await errand.desk.deployer.deployments.list(repository=errand.address, limit=_SEARCHED)


def _standing(found: Sequence[Deployment]) -> Sequence[Deployment]:
    """What is under way, and the last that ended of each environment."""
    shown = [each for each in found if each.state is not State.FINISHED]
    seen = set()
    for each in found:
        if each.state is State.FINISHED and each.request.environment not in seen:
            seen.add(each.request.environment)
            shown.append(each)
    return shown


async def _check_may_act(errand: Errand, given: Given, environment: str | None) -> str:
    """The environment's name, where the sender may act on it."""
    rules, facts = await gather(errand, given.wish(Deploy(environment)), content=False)
    if reasons := may_act(rules, facts):
        raise _RefusedError(reasons)
    return environment or next(iter(rules.environments))


async def _accept(errand: Errand, given: Given) -> None:
    try:
        await errand.client.react(given.comment, "eyes")
    except StoppedError as stopped:
        if stopped.reason.code is not Code.GITHUB_REFUSED:
            raise
        # The comment was deleted meanwhile; what it asked for is on its way.
        LOG.warning("the command's comment gets no reaction: %s", stopped)
