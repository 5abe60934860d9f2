"""Which deployments of a repository a command means."""

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

from bot.domain.awaiting import Awaited
from bot.domain.command import Approve, Cancel, Reject, Why
from bot.domain.deployment import ID_LENGTH, Deployment, Stage, State
from bot.domain.reasons import StoppedError
from handlers.commands import words
from handlers.commands.asking import origin_of
from handlers.commands.errand import Errand

AboutOne: TypeAlias = Cancel | Approve | Reject | Why
One = TypeVar("One", bound=Deployment | Awaited)

_SEARCHED = 500
"""The newest deployments of a repository, among which an id is looked for."""


async def newest(errand: Errand, pull_request: int | None) -> Deployment | None:
    """That of the pull request; without one, of the repository. None where there is none."""
    for each in await all_of(errand):
        origin = await origin_of(errand, each) if pull_request is not None else None
        if pull_request is None or (origin is not None and origin.pull_request == pull_request):
            return each
    return None


async def meant(errand: Errand, pull_request: int | None, command: AboutOne) -> Deployment:
    """The deployment of this repository with this id, or the one that waits for approval here."""
    part = command.deployment
    if part is not None:
        found = await _with_id(errand, part)
        none = words.no_such_deployment(part)
    else:
        under_way = await _under_way(errand, pull_request)
        found = [each for each in under_way if each.stage is Stage.APPROVE]
        none = words.none_to_approve(pull_request)
    return _only(errand, command, found, none)


async def to_cancel(
    errand: Errand, pull_request: int | None, command: Cancel
) -> Deployment | Awaited:
    """Likewise, or the one that is under way here; also one that awaits its checks."""
    part, found = command.deployment, list[Deployment | Awaited]()
    if part is not None:
        found += await _with_id(errand, part)
        found += [] if found else [each for each in await awaiting(errand) if _has_id(each, part)]
        none = words.no_such_deployment(part)
    else:
        found += await _under_way(errand, pull_request)
        found += [
            each
            for each in await awaiting(errand)
            if pull_request is None or each.pull_request == pull_request
        ]
        none = words.none_under_way(pull_request)
    return _only(errand, command, found, none)


async def awaiting(errand: Errand) -> tuple[Awaited, ...]:
    """What of the repository is asked for by itself when its checks have succeeded."""
    return await errand.desk.deployer.awaiting.list(errand.address)


def _only(errand: Errand, command: AboutOne, found: Sequence[One], none: StoppedError) -> One:
    if not found:
        raise none
    if len(found) > 1:
        raise words.several_deployments(found, f"{errand.desk.word} {command.form.name}")
    return found[0]


async def _with_id(errand: Errand, part: str) -> list[Deployment]:
    found = [each for each in await all_of(errand) if _has_id(each, part)]
    return found or await _older(errand, part)


async def _under_way(errand: Errand, pull_request: int | None) -> list[Deployment]:
    """Those of the pull request; without one, of the repository."""
    found = []
    for each in await all_of(errand):
        if each.state is State.FINISHED:
            continue
        origin = await origin_of(errand, each) if pull_request is not None else None
        if pull_request is None or (origin is not None and origin.pull_request == pull_request):
            found.append(each)
    return found


async def _older(errand: Errand, identity: str) -> list[Deployment]:
    """One that is not among the newest, by its whole id: parts may be of others' repositories."""
    if len(identity) != ID_LENGTH:
        return []
    found = await errand.desk.deployer.deployments.get(identity)
    return [found] if found and found.request.repository == errand.address else []


def _has_id(deployment: Deployment | Awaited, part: str) -> bool:
    return deployment.id.startswith(part) or deployment.id.endswith(part)


async def all_of(errand: Errand) -> Sequence[Deployment]:
    """The repository's deployments, the newest first; of no other repository."""
    return await errand.desk.deployer.deployments.list(repository=errand.address, limit=_SEARCHED)


def standing_of(found: Sequence[Deployment]) -> tuple[Deployment, ...]:
    """What is under way, and the last that ended of each environment."""
    shown = [each for each in found if each.state is not State.FINISHED]
    seen = set()
    for each in found:
        if each.state is State.FINISHED and each.request.environment not in seen:
            seen.add(each.request.environment)
            shown.append(each)
    return tuple(shown)
