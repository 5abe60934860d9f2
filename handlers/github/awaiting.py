"""What brought a commit before its checks had ended waits for them."""

import time
from collections.abc import Collection, Sequence

from bot.domain.reasons import Code, Reason
from bot.store.deliveries import Delivery
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


async def await_checks(errand: Errand, sha: str, what: Sequence[object], line: str) -> None:
    """The delivery is handled again when they have ended; `line` says what was done so far.

    `what` tells what it is about: an earlier one that awaits them for the same gives way to it.
    """
    if errand.desk.deliveries is not None:
        now = time.time()
        until = now + max(LOOK_SECONDS, (now - errand.source.received_at) / 10)
        about = repr(tuple(what))
        await errand.desk.deliveries.await_checks(errand.source.id, sha, about, until, line)


async def handle(desk: Desk, delivery: Delivery) -> str:
    """A commit status: whoever waits for it looks again."""
    status = Status.model_validate_json(delivery.payload)
    return await checks_ended(desk, status, status.sha)


async def checks_ended(desk: Desk, event: Event, sha: str) -> str:
    """Some checks of a commit have ended."""
    if desk.deliveries is None:
        return "nothing waits here"
    count = await desk.deliveries.checks_ended(event.place.full_name, sha)
    return f"{count} waited for it" if count else "nobody waits for it"
