"""The line of a target: who is before whom, how long it usually takes, and what is superseded."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.deployment import Deployment, Kind, Request, Stage, State
from bot.domain.progress import InLine

COUNTED = 20
"""Past deployments from which it is told how long one usually takes."""


class Wait(StrEnum):
    """Why a deployment is not finished yet."""

    BEHIND = "behind"
    """Others of its target are before it."""
    APPROVAL = "approval"
    """Others have to approve it."""
    NEXT = "next"
    """It is its turn; a worker takes it up at once."""
    RUNNING = "running"
    FINISHED = "finished"


@dataclass(frozen=True)
class Place:
    """A deployment's place in the line of its target."""

    wait: Wait
    before: tuple[Deployment, ...] = ()
    """Those that must end first, the next to end first."""
    usual: float | None = None
    """Seconds that a deployment of the target usually takes; None where none ended well yet."""
    begins_in: float | None = None
    """Seconds until it begins, if all goes as usual; None where that cannot be told."""


@dataclass(frozen=True)
class Newer:
    """A deployment that takes the place of an older one."""

    deployment: str
    sha: str


def place_of(
    deployment: Deployment, unfinished: Sequence[Deployment], past: Sequence[float], now: float
) -> Place:
    """Where a deployment stands.

    Args:
        deployment: the one that is asked about.
        unfinished: all of its target that wait or run, in the order asked.
        past: how long the target's last deployments took, in seconds; approvals left out.
        now: seconds since the epoch.
    """
    usual = usual_duration(past)
    if deployment.state is State.FINISHED:
        return Place(Wait.FINISHED, usual=usual)
    if deployment.state is State.RUNNING:
        waits = deployment.stage is Stage.APPROVE
        return Place(Wait.APPROVAL if waits else Wait.RUNNING, usual=usual)
    ids = [each.id for each in unfinished]
    index = ids.index(deployment.id) if deployment.id in ids else len(ids)
    before = tuple(unfinished[:index])
    wait = Wait.BEHIND if before else Wait.NEXT
    return Place(wait, before, usual, _begins_in(before, usual, now))


def in_line(place: Place) -> InLine | None:
    """What is said of its place when it is asked for; None where nobody is before it."""
    if not place.before:
        return None
    return InLine(tuple(each.id for each in place.before), place.usual, place.begins_in)


def usual_duration(past: Sequence[float]) -> float | None:
    """The median of the last ones; None where there are none."""
    return statistics.median(past) if past else None


def newer_than(deployment: Deployment, behind: Sequence[Deployment]) -> Newer | None:
    """The newest of those behind it that makes it needless; None where none does.

    It must bring another commit of the same branch, and do all that the older one would.

    Args:
        deployment: one that has not changed anything yet.
        behind: those of its target that wait, in the order asked.
    """
    for each in reversed(behind):
        if _covers(each.request, deployment.request):
            return Newer(each.id, each.request.commit.sha)
    return None


def urgent_among(behind: Sequence[Deployment]) -> Deployment | None:
    """The first that one does not keep waiting which waits for approval itself: it may take a day.

    A rollback and a forced deployment are for when something is wrong already.
    """
    urgent = (each for each in behind if each.request.force or each.request.kind is Kind.ROLLBACK)
    return next(urgent, None)


def _covers(newer: Request, older: Request) -> bool:
    branch = older.commit.branch
    return (
        newer.kind is older.kind is Kind.DEPLOY
        # Asked for later, it need not be newer.
        and not newer.again
        and newer.target == older.target
        and newer.trust is older.trust
        and branch is not None
        and newer.commit.branch == branch
        and newer.commit.sha != older.commit.sha
        # A release's tags are its own; a forced deployment is somebody's emergency.
        and older.release is None
        and older.force is None
        and (older.reprocess <= newer.reprocess)
        and (not newer.only or (bool(older.only) and set(older.only) <= set(newer.only)))
    )


def _begins_in(before: Sequence[Deployment], usual: float | None, now: float) -> float | None:
    if not before:
        return 0.0
    if usual is None or any(each.stage is Stage.APPROVE for each in before):
        return None
    total = 0.0
    for each in before:
        begun = each.started_at if each.state is State.RUNNING else None
        total += max(0.0, usual - (now - begun)) if begun is not None else usual
    return total
