"""The App Home: what runs where, what is under way, what waits for whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.deployment import Deployment, Outcome, Stage, State
from bot.domain.gate_facts import Unknown
from bot.domain.github import Permission
from bot.domain.reasons import StoppedError
from bot.stages.together import together
from bot.store.deliveries import Delivery
from bot.store.identities import Identity, SlackUser
from handlers.commands.errand import known
from handlers.reports.slack.blocks import Block, context, divider, header, section
from handlers.slack import words
from handlers.slack.desk import Desk
from handlers.slack.repositories import known_repositories

_MOST_REPOSITORIES = 20
_MOST_LINES = 20
_LOOKED_AT = 500
_LONGEST = 95
"""Blocks; Slack takes 100."""


@dataclass(frozen=True)
class Standing:
    """One repository, as it stands."""

    name: str
    under_way: tuple[Deployment, ...]
    running: tuple[Deployment, ...]
    """The last good one of each environment."""


async def show(desk: Desk, delivery: Delivery, team: str, event: Mapping[str, Any]) -> str:
    """Show it anew to who has opened it."""
    del delivery
    if event.get("tab") not in {None, "home"}:
        return "not the Home"
    await publish(desk, SlackUser(team, str(event["user"])))
    return "the Home was shown"


async def publish(desk: Desk, slack: SlackUser) -> None:
    """Show somebody's Home as it is now."""
    identity = await desk.identities.of_slack(slack)
    names = await _readable(desk, identity) if identity else []
    standing = [await _standing(desk, each) for each in names[:_MOST_REPOSITORIES]]
    blocks = _blocks(desk, identity, standing)
    await desk.slack.publish_home(slack.user, {"type": "home", "blocks": blocks[:_LONGEST]})


async def _readable(desk: Desk, identity: Identity) -> Sequence[str]:
    """Repositories that the person can read on GitHub."""
    names = await known_repositories(desk)

    async def may(full_name: str) -> bool:
        owner, _, name = full_name.partition("/")
        client = desk.github.for_repository(owner, name)
        try:
            found = await known(full_name, client.permission(identity.login))
        except StoppedError:
            # Shown when GitHub answers again; the others need not wait.
            return False
        return not isinstance(found, Unknown) and found >= Permission.READ

    allowed = await together(may(each) for each in names)
    return [name for name, is_allowed in zip(names, allowed, strict=True) if is_allowed]


async def _standing(desk: Desk, full_name: str) -> Standing:
    # Deployments name repositories by their clone URL, which ends with the name.
    found = [
        each
        for each in await desk.deployer.deployments.list(limit=_LOOKED_AT)
        if words.repository_of(each).lower() == full_name
    ]
    running: dict[str, Deployment] = {}
    for each in found:
        if each.outcome is Outcome.SUCCEEDED:
            running.setdefault(each.request.environment, each)
    return Standing(
        full_name,
        tuple(each for each in found if each.state is not State.FINISHED),
        tuple(running.values()),
    )


def _blocks(desk: Desk, identity: Identity | None, standing: Sequence[Standing]) -> list[Block]:
    if identity is None:
        return [header(words.HOME_TITLE), section(words.home_unlinked(desk.word))]
    blocks = [header(words.HOME_TITLE), context(words.home_linked(identity.login, desk.safe))]
    waiting = [
        each
        for one in standing
        for each in one.under_way
        if each.stage is Stage.APPROVE and each.request.actor.name != identity.login
    ]
    if waiting:
        blocks += [divider(), section(words.HOME_APPROVALS), *_lines(desk, waiting)]
    under_way = [each for one in standing for each in one.under_way]
    blocks += [divider(), section(words.HOME_UNDER_WAY)]
    blocks += _lines(desk, under_way) or [context(words.HOME_NOTHING)]
    for one in standing:
        blocks += [divider(), section(words.home_repository(one.name, desk.safe))]
        blocks += _lines(desk, one.running) or [context(words.HOME_NEVER)]
    if not standing:
        blocks += [divider(), section(words.HOME_NO_REPOSITORIES)]
    return blocks


def _lines(desk: Desk, found: Sequence[Deployment]) -> list[Block]:
    return [section(words.standing_line(each, desk)) for each in found[:_MOST_LINES]]
