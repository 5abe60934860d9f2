"""A deployment asked for in a modal: repository, environment, ref."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.domain.command import Deploy, render
from bot.domain.deployment import Trigger
from bot.domain.gate import may_act
from bot.domain.reasons import StoppedError
from bot.services.slack import SlackRefusedError
from bot.services.together import both
from bot.store.deliveries import Delivery
from handlers.commands.gathering import Wish, gather
from handlers.slack import view_words, words
from handlers.slack.caller import Caller, caller_of, read_payload
from handlers.slack.desk import Desk
from handlers.slack.errand import Errand, errand_for
from handlers.slack.repositories import FLAG, read, visible_repositories
from handlers.slack.views import REPOSITORY, Choice, deploy_view, offered_repositories

_MOST = 100
"""Options that a select may have."""
_TOO_LATE = frozenset({"expired_trigger_id", "trigger_expired", "exchanged_trigger_id"})


async def open_deploy(desk: Desk, caller: Caller) -> str:
    """Open it at once, and fill it in when GitHub has answered: a trigger lasts three seconds."""
    heard = [each.repository for each in await desk.subscriptions.of_channel(caller.channel)]
    chosen = heard[0] if len(heard) == 1 else None
    metadata = _remember(caller)
    looking = Choice(heard if chosen else (), chosen, is_looking=True)
    try:
        view = await desk.slack.open_view(caller.trigger, deploy_view(looking, metadata))
    except SlackRefusedError as refused:
        if refused.error not in _TOO_LATE:
            raise
        await caller.tell(desk, words.too_late(desk.word))
        return "the modal came too late"
    choice = await _first_choice(desk, caller, chosen)
    try:
        await desk.slack.update_view(view, deploy_view(choice, metadata))
    except SlackRefusedError as refused:
        return f"the modal was closed: {refused.error}"
    return "a modal was opened"


async def _first_choice(desk: Desk, caller: Caller, chosen: str | None) -> Choice:
    if chosen is not None:
        visible, choice = await both(
            visible_repositories(desk, caller), _choice(desk, caller, (), chosen)
        )
        others = (each for each in visible.names if each != chosen)
        return replace(choice, repositories=[chosen, *others][:_MOST])
    visible = await visible_repositories(desk, caller)
    names = visible.names[:_MOST]
    if visible.missing is not None:
        return Choice(names, trouble=view_words.trouble(visible.missing.reason, desk))
    return await _choice(desk, caller, names, names[0]) if len(names) == 1 else Choice(names)


async def choose(desk: Desk, delivery: Delivery) -> str:
    """A repository was chosen: show the environments that the person may deploy to."""
    payload = read_payload(delivery)
    view = payload["view"]
    caller = _recall(delivery, payload)
    chosen = payload["actions"][0]["selected_option"]["value"]
    choice = await _choice(desk, caller, offered_repositories(view), chosen)
    try:
        await desk.slack.update_view(
            view["id"], deploy_view(choice, view["private_metadata"]), unless_changed=view["hash"]
        )
    except SlackRefusedError as refused:
        # It was closed, or something else was chosen meanwhile.
        return f"the modal is another now: {refused.error}"
    return f"{chosen} was chosen"


def line_of(payload: dict[str, Any]) -> str | None:
    """The command that a modal which was sent off stands for; None where it is not whole."""
    values: dict[str, Any] = {}
    for block in payload["view"]["state"]["values"].values():
        values |= block
    repository = _option(values.get(REPOSITORY))
    environment = _option(values.get("environment"))
    if not repository or not environment:
        return None
    ref = ((values.get("ref") or {}).get("value") or "").strip() or None
    chosen = (values.get("options") or {}).get("selected_options") or []
    reprocess = any(each["value"] == "reprocess" for each in chosen)
    line = render(Deploy(environment, ref, reprocess=reprocess))
    return f"{line} {FLAG} {repository}"


def who_sent(delivery: Delivery) -> Caller:
    """Who sent a modal off, and where they had typed."""
    return _recall(delivery, read_payload(delivery))


async def _choice(desk: Desk, caller: Caller, known: Sequence[str], chosen: str) -> Choice:
    try:
        repository = await read(desk, chosen)
        errand = await errand_for(desk, caller, repository, needs_link=True)
        allowed = await _allowed(errand)
    except StoppedError as stopped:
        return Choice(known, chosen, trouble=view_words.trouble(stopped.reason, desk))
    if not allowed:
        return Choice(known, chosen, trouble=view_words.nothing_allowed(chosen, desk))
    return Choice(known, chosen, tuple(allowed))


async def _allowed(errand: Errand) -> list[str]:
    """The environments that the person may deploy to; the facts are asked for once."""
    found = []
    for name in (await errand.rules()).environments:
        wish = Wish(Trigger.SLACK, Deploy(name))
        if not may_act(*await gather(errand, wish, content=False)):
            found.append(name)
    return found


def _remember(caller: Caller) -> str:
    return json.dumps({"channel": caller.channel, "name": caller.channel_name})


def _recall(delivery: Delivery, payload: dict[str, Any]) -> Caller:
    remembered = json.loads(payload["view"].get("private_metadata") or "{}")
    return caller_of(
        delivery,
        team=(payload.get("team") or {}).get("id", ""),
        user=payload["user"]["id"],
        channel={"id": remembered.get("channel"), "name": remembered.get("name")},
        trigger=payload.get("trigger_id", ""),
    )


def _option(value: dict[str, Any] | None) -> str | None:
    chosen = (value or {}).get("selected_option") or {}
    found = chosen.get("value")
    return str(found) if found else None
