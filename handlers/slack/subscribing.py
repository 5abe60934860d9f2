"""Which repositories a channel hears of."""

from bot.domain.command import Subscribe, Unsubscribe
from bot.services.slack import Message
from bot.store.subscriptions import Subscription
from handlers.commands.errand import Errand
from handlers.slack import refusals, words
from handlers.slack.caller import Caller
from handlers.slack.desk import Desk
from handlers.slack.errand import errand_for
from handlers.slack.repositories import find_repository


async def subscribe(desk: Desk, caller: Caller, command: Subscribe) -> Message:
    """Subscribe the channel, or list what it hears of.

    Only who can read the repository may let a channel hear of it. Errors: NOT_LINKED,
    PERMISSION_MISSING, ENVIRONMENT_UNKNOWN, those of GitHub.
    """
    if command.repository is None:
        return words.subscriptions(await desk.subscriptions.of_channel(caller.channel), desk)
    repository = await find_repository(desk, caller, command.repository, needs_link=True)
    errand = await errand_for(desk, caller, repository, needs_link=True)
    await errand.check_may_read()
    await _check_environments(errand, command)
    subscription = Subscription(
        caller.channel,
        repository.full_name.lower(),
        command.environments,
        command.events,
        caller.user,
    )
    await desk.subscriptions.add(subscription)
    return words.subscribed(subscription, desk)


async def unsubscribe(desk: Desk, caller: Caller, command: Unsubscribe) -> Message:
    """Drop it."""
    was_there = await desk.subscriptions.drop(caller.channel, command.repository)
    return words.unsubscribed(command.repository, was_there=was_there, desk=desk)


async def _check_environments(errand: Errand, command: Subscribe) -> None:
    known = (await errand.rules()).environments
    for name in command.environments:
        if name not in known:
            raise refusals.unknown_subject(name, known)
