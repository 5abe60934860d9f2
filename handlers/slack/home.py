"""The App Home: what runs where, what is under way, what waits for whom."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.domain.approval import ApprovalRequest
from bot.domain.deployment import Deployment, Outcome, State
from bot.domain.lock import Lock
from bot.domain.reasons import StoppedError
from bot.store.deliveries import Delivery
from bot.store.identities import Identity, SlackUser
from handlers.commands.approving import objections
from handlers.reports.slack.blocks import Block, actions, button, context, divider, header, section
from handlers.reports.slack.buttons import Button
from handlers.reports.slack.safe import fitted
from handlers.reports.slack.words import BUTTONS
from handlers.slack import view_words, words
from handlers.slack.caller import Caller
from handlers.slack.desk import Desk
from handlers.slack.errand import errand_for
from handlers.slack.repositories import read, readable_repositories

_MOST_REPOSITORIES = 20
_MOST_APPROVALS = 10
_LOOKED_AT = 500
_LONGEST_SECTION = 2900
_MOST_VOTED = 100


@dataclass(frozen=True)
class Standing:
    """One repository, as it stands."""

    name: str
    under_way: tuple[Deployment, ...]
    running: tuple[Deployment, ...]
    """The last good one of each environment."""
    locks: tuple[Lock, ...]


@dataclass(frozen=True)
class Waiting:
    """A deployment that waits for this very person, among others."""

    deployment: Deployment
    request: ApprovalRequest


async def show(desk: Desk, delivery: Delivery, team: str, event: Mapping[str, Any]) -> str:
    """Show it anew to who has opened it."""
    if event.get("tab") not in {None, "home"}:
        return "not the Home"
    await publish(desk, delivery, SlackUser(team, str(event["user"])))
    return "the Home was shown"


async def publish(desk: Desk, delivery: Delivery, slack: SlackUser) -> None:
    """Show somebody's Home as it is now."""
    identity = await desk.identities.of_slack(slack)
    blocks = [header(view_words.HOME_TITLE), section(view_words.home_unlinked(desk.word))]
    if identity is not None:
        names = (await readable_repositories(desk, identity.login)).names
        standing = await _standing(desk, names[:_MOST_REPOSITORIES])
        waiting = await _waiting(desk, delivery, slack, standing)
        blocks = _blocks(desk, identity, waiting, standing)
        if more := len(names) - _MOST_REPOSITORIES:
            blocks += [context(view_words.home_more(more, desk.word))] if more > 0 else []
    await desk.slack.publish_home(slack.user, {"type": "home", "blocks": blocks})


async def _standing(desk: Desk, names: Sequence[str]) -> list[Standing]:
    deployments = desk.deployer.deployments
    # Deployments name repositories by their clone URL, which ends with the name.
    newest = await deployments.list(limit=_LOOKED_AT)
    addresses = {words.repository_of(each).lower(): each.request.repository for each in newest}
    return [await _of_repository(desk, name, addresses.get(name)) for name in names]


async def _of_repository(desk: Desk, name: str, address: str | None) -> Standing:
    if address is None:
        return Standing(name, (), (), ())
    found = await desk.deployer.deployments.list(repository=address, limit=_LOOKED_AT)
    running: dict[str, Deployment] = {}
    for each in found:
        if each.outcome is Outcome.SUCCEEDED:
            running.setdefault(each.request.environment, each)
    return Standing(
        name,
        tuple(each for each in found if each.state is not State.FINISHED),
        tuple(running[name] for name in sorted(running)),
        await desk.locks.list(address, time.time()),
    )


async def _waiting(
    desk: Desk, delivery: Delivery, slack: SlackUser, standing: Sequence[Standing]
) -> list[Waiting]:
    """What the person may approve now, by the rules; what cannot be looked up is left out."""
    requests = {each.deployment: each for each in await desk.deployer.approvals.open()}
    caller = Caller(slack.team, slack.user, slack.user, delivery.id, delivery.received_at)
    found: list[Waiting] = []
    for one in standing:
        asked = [each for each in one.under_way if each.id in requests][:_MOST_VOTED]
        if not asked:
            continue
        try:
            repository = await read(desk, one.name)
            errand = await errand_for(desk, caller, repository, needs_link=True)
            found += [
                Waiting(each, requests[each.id])
                for each in asked
                if not await objections(errand, each, requests[each.id])
            ]
        except StoppedError:
            continue
    return found


def _blocks(
    desk: Desk, identity: Identity, waiting: Sequence[Waiting], standing: Sequence[Standing]
) -> list[Block]:
    blocks = [
        header(view_words.HOME_TITLE),
        context(view_words.home_linked(identity.login, desk.safe)),
    ]
    if waiting:
        blocks += [divider(), section(view_words.HOME_APPROVALS)]
        for each in waiting[:_MOST_APPROVALS]:
            blocks += _to_approve(desk, each)
    under_way = [each for one in standing for each in one.under_way]
    lines = [words.standing_line(each, desk) for each in under_way] or [view_words.HOME_NOTHING]
    blocks += [divider(), section(fitted([view_words.HOME_UNDER_WAY, *lines], _LONGEST_SECTION))]
    blocks += [divider()]
    for one in standing:
        lines = [
            *(view_words.lock_line(each, desk.safe) for each in one.locks),
            *(words.standing_line(each, desk) for each in one.running),
        ]
        heading = view_words.home_repository(one.name, desk.safe)
        text = fitted([heading, *(lines or [view_words.HOME_NEVER])], _LONGEST_SECTION)
        blocks.append(section(text))
    if not standing:
        blocks.append(section(view_words.HOME_NO_REPOSITORIES))
    return blocks


def _to_approve(desk: Desk, waiting: Waiting) -> list[Block]:
    deployment, proposal = waiting.deployment, waiting.request.proposal
    changes = [f"• {desk.safe.code(line)}" for line in proposal.lines()]
    text = fitted([words.standing_line(deployment, desk), *changes], _LONGEST_SECTION)
    value = f"{deployment.id} {proposal.sha} {proposal.digest}"
    return [
        section(text),
        actions(
            [
                button(Button.APPROVE, BUTTONS[Button.APPROVE], value, style="primary"),
                button(Button.REJECT, BUTTONS[Button.REJECT], value, style="danger"),
            ]
        ),
    ]
