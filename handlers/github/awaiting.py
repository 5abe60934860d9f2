"""What brought a commit before its checks had ended waits for them."""

import time
from collections.abc import Callable, Collection, Sequence

from bot.domain.awaiting import Awaited
from bot.domain.deployment import Actor, Commit, Kind, Request
from bot.domain.reasons import Code, Reason
from bot.store.awaiting import Wait
from bot.store.deliveries import Delivery
from handlers.commands.gathering import Wish
from handlers.github.desk import Desk
from handlers.github.errand import Errand
from handlers.github.payloads import Event

LONGEST_WAIT = 86_400.0
"""Seconds after the delivery, beyond which nobody expects it to be deployed."""
LOOK_SECONDS = 300.0
"""Between two looks where no webhook tells that they have ended, as not all do; then a tenth of the
time that it has waited already, so that many that wait in vain cost few calls."""
_AWAITED = frozenset({Code.CHECKS_PENDING, Code.CHECKS_MISSING})


class Status(Event):
    """Somebody has reported on a commit."""

    sha: str


def may_await(errand: Errand, reasons: Collection[Reason]) -> bool:
    """Whether time alone may do away with all that stands in the way."""
    if errand.desk.deliveries is None or {each.code for each in reasons} - _AWAITED:
        return False
    return time.time() < errand.source.received_at + LONGEST_WAIT


def awaited(errand: Errand, wish: Wish, environment: str, reasons: Sequence[Reason]) -> Awaited:
    """What `wish`, which brought a commit, would lead to if these reasons were gone."""
    request = Request(
        Kind.DEPLOY,
        errand.address,
        environment,
        wish.commit or Commit("", ""),
        wish.trigger,
        errand.actor,
        release=wish.release,
    )
    why = "; ".join(each.fact for each in reasons)
    identity, since = errand.deployment_id(environment), errand.source.received_at
    return Awaited(identity, request, since, why, wish.pull_request)


async def await_checks(
    errand: Errand, left: Sequence[Awaited], environments: Sequence[str], line: str
) -> None:
    """The delivery is handled again when they have ended; `line` says what was done so far.

    An earlier one that awaits them for the same environments gives way to it.
    """
    now, request = time.time(), left[0].request
    what = (request.trigger, left[0].pull_request, request.commit.ref, *environments)
    until = now + max(LOOK_SECONDS, (now - errand.source.received_at) / 10)
    wait = Wait(request.commit.sha, repr(what), until, line)
    await errand.desk.deployer.awaiting.begin(errand.source.id, wait, left)


async def stopped_by(errand: Errand, environment: str) -> Actor | None:
    """Who has cancelled it while it awaited its checks; None where nobody has."""
    if not errand.source.has_awaited:
        return None
    identity = errand.deployment_id(environment)
    found = await errand.desk.deployer.awaiting.of(errand.source.id)
    return next((each.stopped_by for each in found if each.id == identity), None)


async def noted_commit(errand: Errand) -> str | None:
    """The SHA of the one whose checks it has awaited; None where it has awaited none."""
    if not errand.source.has_awaited:
        return None
    found = await errand.desk.deployer.awaiting.of(errand.source.id)
    return next((each.request.commit.sha for each in found), None)


async def look_at_older(errand: Errand, wish: Wish) -> None:
    """What a commit that came before on the same way awaits checks for may be superseded."""
    if errand.source.is_repeat or wish.commit is None:
        return
    way = (wish.trigger, wish.pull_request, wish.commit.ref)
    await look_again(
        errand,
        lambda each: (
            (each.request.trigger, each.pull_request, each.request.commit.ref) == way
            and each.request.commit != wish.commit
        ),
    )


async def look_again(errand: Errand, which: Callable[[Awaited], bool]) -> int:
    """Those go on, for what they wait for may not come any more; how many."""
    deployer = errand.desk.deployer
    found = [each.id for each in await deployer.awaiting.list(errand.address) if which(each)]
    return await deployer.awaiting.look_again(found)


async def handle(desk: Desk, delivery: Delivery) -> str:
    """A commit status: whoever waits for it looks again."""
    status = Status.model_validate_json(delivery.payload)
    return await checks_ended(desk, status, status.sha)


async def checks_ended(desk: Desk, event: Event, sha: str) -> str:
    """Some checks of a commit have ended."""
    count = await desk.deployer.awaiting.checks_ended(event.place.full_name, sha)
    return f"{count} waited for it" if count else "nobody waits for it"
