"""Which events are handled, and by whom."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from types import MappingProxyType

from pydantic import ValidationError

from bot.domain.reasons import Code, StoppedError
from bot.store.deliveries import Delivery
from handlers.github import (
    awaiting,
    check_run,
    check_suite,
    comment,
    pull_request,
    push,
    release,
    renamed,
)
from handlers.github.desk import Desk
from handlers.github.moving import BeginsAnewError

Handler = Callable[[Desk, Delivery], Awaitable[str | None]]

HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "push": push.handle,
        "pull_request": pull_request.handle,
        "issue_comment": comment.handle,
        "release": release.handle,
        "check_run": check_run.handle,
        "check_suite": check_suite.handle,
        "status": awaiting.handle,
        "repository": renamed.handle,
        "installation_target": renamed.handle_account,
    }
)

GREETINGS: Mapping[str, Callable[[Desk, Delivery], Awaitable[bool]]] = MappingProxyType(
    {"issue_comment": comment.greet}
)
"""Who shows that it is here, by event."""

WANTED: Mapping[str, Collection[str] | None] = MappingProxyType(
    {
        "push": None,
        "pull_request": frozenset(
            {"opened", "synchronize", "reopened", "ready_for_review", "closed"}
        ),
        "issue_comment": frozenset({"created"}),
        "release": frozenset({"published", "released"}) | release.GONE,
        # Every App that may write checks is told of these two, whatever it subscribes to.
        "check_run": frozenset({"rerequested", "requested_action"}),
        "check_suite": frozenset({"rerequested", check_suite.ENDED}),
        "status": frozenset({"success", "failure", "error"}),
        "repository": frozenset({"renamed", "transferred"}),
        "installation_target": frozenset({"renamed"}),
    }
)
"""The actions, or a status' states, that are handled; None: the event has none. All else is answered and
forgotten."""


async def handle(desk: Desk, delivery: Delivery) -> str | None:
    """Act on a delivery, and say in a line what was done; None where it is begun anew."""
    try:
        return await HANDLERS[delivery.event](desk, delivery)
    except BeginsAnewError:
        return None
    except ValidationError as error:
        # Its text would have parts of the payload.
        places = {".".join(map(str, each["loc"])) for each in error.errors(include_input=False)}
        fact = f"the {delivery.event} webhook lacks or changes: {', '.join(sorted(places))}"
        raise StoppedError(Code.GITHUB_REFUSED, fact) from None


async def greet(desk: Desk, delivery: Delivery) -> bool:
    """Show that it is here while others are before it; False where there is nothing to show."""
    try:
        return await GREETINGS[delivery.event](desk, delivery)
    except ValidationError:
        # It is said when it is handled.
        return False
