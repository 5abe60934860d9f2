"""Buttons below a deployment, and who clicks them."""

from typing import Any

from bot.domain.deployment import Deployment
from bot.domain.github import Permission
from bot.services.slack import Message
from handlers.reports.slack.blocks import actions, button, section
from handlers.reports.slack.buttons import Button
from tests.handlers.github.world import EDGES
from tests.handlers.slack.world import World
from tests.standins.slack.state import Message as Shown
from tests.standins.slack.state import User


async def joined(world: World, login: str, permission: Permission) -> User:
    """Somebody else in the channel, who is known on GitHub too."""
    user = world.slack.person(login)
    world.ml.members.add(user.id)
    await world.links(user, login)
    world.github.github.allow(login, EDGES, permission)
    return user


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
