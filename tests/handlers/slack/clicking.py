"""Buttons below a deployment, and who clicks them."""

from typing import Any

from bot.domain.deployment import Deployment
from bot.services.slack import Message
from handlers.reports.slack.blocks import actions, button, section
from handlers.reports.slack.buttons import Button
from tests.handlers.slack.world import World
from tests.standins.slack.state import Message as Shown


async def shown(world: World, deployment: Deployment, *which: Button) -> Shown:
    """A message with these buttons, as a report has them."""
    row: list[Any] = [button(each, each.value, deployment.id) for each in which]
    message = Message("a deployment", [section("a deployment"), actions(row)])
    await world.client.post(world.ml.id, message, identity=f"{deployment.id} {which}")
    return world.slack.own_messages(world.ml)[-1]


async def click(world: World, message: Shown, which: Button, user: Any = None) -> None:
    """Ann does, or somebody else, until it was handled."""
    await world.slack.clicks(user or world.ann, message, which)
    await world.settled()
