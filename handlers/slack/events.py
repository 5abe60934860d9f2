"""What Slack tells: written down before it is acknowledged, and who acts on each kind."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from bot.domain.reasons import GITHUB_PASSES, Code, StoppedError
from bot.services.slack import Kind, Told
from bot.store.deliveries import SLACK_EVENT, Deliveries, Delivery, Taken
from handlers.slack import actions, commands, home, modal, words
from handlers.slack.caller import Caller, caller_of, read_payload
from handlers.slack.desk import Desk

LOG = logging.getLogger(__name__)
_MENTION = "app_mention"
_MESSAGE = "message"
_HOME = "app_home_opened"


class Ear:
    """Writes down what Slack tells.

    Args:
        deliveries: where it is kept.
        taken: called when there is something new.
    """

    def __init__(self, deliveries: Deliveries, taken: Callable[[], None]) -> None:
        self._deliveries = deliveries
        self._taken = taken

    async def take(self, told: Told) -> None:
        """Keep it, once. Errors: those of the database, and where too much waits."""
        taken = await self._deliveries.take(
            told.identity,
            f"{SLACK_EVENT}{told.kind}",
            f"{told.team}/{told.user}",
            json.dumps(told.payload),
        )
        if taken is Taken.FULL:
            raise StoppedError(Code.DATABASE_IN_USE, "too many deliveries wait")
        if taken is Taken.NEW:
            self._taken()


async def handle(desk: Desk, delivery: Delivery) -> str:
    """Act on what Slack told, and say in a line what was done."""
    kind = Kind(delivery.event.removeprefix(SLACK_EVENT))
    try:
        return await _HANDLERS[kind](desk, delivery)
    except StoppedError as stopped:
        if stopped.reason.code in GITHUB_PASSES and delivery.attempts == 1:
            await _say_later(desk, _WHO[kind](delivery), stopped)
        raise
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        # Its text would have parts of what was told.
        fact = f"what Slack told ({kind}) has another form: {type(error).__name__}"
        raise StoppedError(Code.SLACK_REFUSED, fact) from error


async def _say_later(desk: Desk, caller: Caller | None, stopped: StoppedError) -> None:
    """Nobody waits before a screen on which nothing happens."""
    if caller is None:
        return
    try:
        await caller.tell(desk, words.later(stopped.reason, desk), "later")
    except StoppedError as silent:
        LOG.warning("who asked could not be told: %s", silent)


async def _view(desk: Desk, delivery: Delivery) -> str:
    payload = read_payload(delivery)
    caller = modal.who_sent(delivery)
    line = modal.line_of(payload)
    if line is None:
        await caller.tell(desk, words.not_whole())
        return "a modal that was not whole"
    return await commands.carry_out(desk, caller, line)


async def _event(desk: Desk, delivery: Delivery) -> str:
    payload = read_payload(delivery)
    event = payload["event"]
    kind = event.get("type")
    if kind == _HOME:
        return await home.show(desk, delivery, payload.get("team_id", ""), event)
    caller = _who_spoke(delivery)
    if caller is None:
        return f"nothing to do: {kind}"
    line = words.as_typed(event.get("text") or "")
    return await commands.carry_out(desk, caller, line or "help")


def _who_spoke(delivery: Delivery) -> Caller | None:
    """Who mentioned the bot or wrote to it; None for everything else that happens."""
    payload = read_payload(delivery)
    event = payload["event"]
    kind = event.get("type")
    is_private = kind == _MESSAGE and event.get("channel_type") == "im"
    if kind != _MENTION and not is_private:
        return None
    return caller_of(
        delivery,
        team=payload.get("team_id", ""),
        user=event["user"],
        channel={"id": event.get("channel")},
        thread=event.get("thread_ts"),
    )


_HANDLERS: Mapping[Kind, Callable[[Desk, Delivery], Awaitable[str]]] = MappingProxyType(
    {
        Kind.COMMAND: commands.handle,
        Kind.ACTION: actions.handle,
        Kind.VIEW: _view,
        Kind.EVENT: _event,
    }
)
_WHO: Mapping[Kind, Callable[[Delivery], Caller | None]] = MappingProxyType(
    {
        Kind.COMMAND: commands.who_typed,
        Kind.ACTION: actions.who_clicked,
        Kind.VIEW: modal.who_sent,
        Kind.EVENT: _who_spoke,
    }
)
