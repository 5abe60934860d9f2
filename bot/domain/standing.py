"""What stands against a deployment that was accepted, when its turn comes and before its update."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from bot.domain.calendar import ALWAYS, Calendar
from bot.domain.deployment import Deployment, Kind, Request
from bot.domain.gate_case import closed_for
from bot.domain.gate_facts import Standing
from bot.domain.gate_standing import held, locked
from bot.domain.hold import BY_ITSELF
from bot.domain.reasons import Reason


def stands_against(
    request: Request, standing: Standing, calendar: Calendar, now: float
) -> tuple[Reason, ...]:
    """Why it must not go on; empty where it may. Whether force skips that is for who asks."""
    return tuple(_reasons(request, standing, calendar, now))


def may_go_on(
    deployments: Iterable[Deployment], standing: Standing, now: float
) -> tuple[Deployment, ...]:
    """Those of a target against which nothing stands but its calendar, or that are forced."""
    return tuple(
        each
        for each in deployments
        if each.request.force is not None or not stands_against(each.request, standing, ALWAYS, now)
    )


def _reasons(
    request: Request, standing: Standing, calendar: Calendar, now: float
) -> Iterator[Reason]:
    closed = calendar.closed_at(datetime.fromtimestamp(now, UTC))
    if closed is not None and request.kind is Kind.DEPLOY:
        yield closed_for(closed, request.environment)
    for lock in standing.locks:
        mine = lock.is_of(request.actor)
        if lock.covers(request.environment) and not lock.is_over(now) and not mine:
            yield locked(lock, request.environment)
    hold = standing.hold
    # Now that it is its turn, a rollback that has not ended is behind it, and undoes it.
    if hold and request.trigger in BY_ITSELF and hold.has_ended:
        yield held(hold, request.environment)
