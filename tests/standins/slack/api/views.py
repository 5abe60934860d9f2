"""Modals and App Homes."""

from typing import Any

from tests.standins.slack.blocks import check_view
from tests.standins.slack.calls import Call, Methods
from tests.standins.slack.errors import SlackError, invalid
from tests.standins.slack.state import View
from tests.standins.slack.world import World

METHODS = Methods()
DEEPEST = 3


@METHODS.add("views.open", tier=4)
def _open(call: Call) -> dict[str, Any]:
    content = _modal(call)
    trigger = call.world.use_trigger(call.text("trigger_id"))
    if trigger.view is not None:
        trigger.view.is_open = False
    made = View(call.world.new_id("V"), trigger.user, content, call.world.clock.stamp())
    made.root = made.id
    call.world.views[made.id] = made
    return {"view": shape(call.world, made)}


@METHODS.add("views.push", tier=4)
def _push(call: Call) -> dict[str, Any]:
    content = _modal(call)
    trigger = call.world.use_trigger(call.text("trigger_id"))
    if trigger.view is None:
        raise SlackError("not_found")
    return {"view": shape(call.world, push(call.world, trigger.view, content))}


@METHODS.add("views.update", tier=4)
def _update(call: Call) -> dict[str, Any]:
    content = _modal(call)
    view = call.world.views.get(call.optional("view_id"))
    if view is None or not view.is_open:
        raise SlackError("not_found")
    if call.optional("hash", view.hash) != view.hash:
        raise SlackError("hash_conflict")
    view.content, view.hash = content, call.world.clock.stamp()
    return {"view": shape(call.world, view)}


@METHODS.add("views.publish", tier=4)
def _publish(call: Call) -> dict[str, Any]:
    content = check_view(call.object("view"))
    if content["type"] != "home":
        raise invalid("view/type", "must be home")
    user = call.world.user(call.text("user_id"))
    before = call.world.homes.get(user.id)
    if before and call.optional("hash", before.hash) != before.hash:
        raise SlackError("hash_conflict")
    made = View(call.world.new_id("V"), user, content, call.world.clock.stamp())
    made.root = made.id
    call.world.homes[user.id] = made
    return {"view": shape(call.world, made)}


def push(world: World, below: View, content: dict[str, Any]) -> View:
    """A modal over another; three at most."""
    depth, under = 1, below
    while under.previous is not None:
        depth, under = depth + 1, world.views[under.previous]
    if depth >= DEEPEST:
        raise SlackError("push_limit_reached")
    made = View(
        world.new_id("V"),
        below.user,
        content,
        world.clock.stamp(),
        below.root,
        below.id,
    )
    world.views[made.id] = made
    return made


def shape(world: World, view: View) -> dict[str, Any]:
    """As Slack shows a view to the app."""
    return {
        "private_metadata": "",
        "callback_id": "",
        "state": {"values": {}},
        **view.content,
        "id": view.id,
        "team_id": world.app.team,
        "app_id": world.app.id,
        "bot_id": world.app.bot_id,
        "hash": view.hash,
        "root_view_id": view.root,
        "previous_view_id": view.previous,
    }


def _modal(call: Call) -> dict[str, Any]:
    content = check_view(call.object("view"))
    if content["type"] != "modal":
        raise invalid("view/type", "must be modal")
    return content
