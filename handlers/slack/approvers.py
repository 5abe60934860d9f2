"""Who may approve a deployment, for those reports that call them."""

import logging

from bot.domain.deployment import Deployment
from bot.domain.reasons import StoppedError
from handlers.commands.errand import Errand, Person, Place, Source
from handlers.reports.github.origin import ORIGIN, Origin
from handlers.reports.slack.message import NOBODY_KNOWN, Approvers
from handlers.slack.desk import Desk
from handlers.slack.errand import SURFACE
from handlers.slack.groups import SlackGroups
from handlers.slack.repositories import read

LOG = logging.getLogger(__name__)


async def find_approvers(
    desk: Desk, groups: SlackGroups, team: str, deployment: Deployment
) -> Approvers:
    """Those whom the rules name, by the rules of this moment; nobody where that is not known."""
    try:
        return await _find(desk, groups, team, deployment)
    except StoppedError as stopped:
        LOG.warning("who may approve %s is not known: %s", deployment.id, stopped)
        return NOBODY_KNOWN


async def _find(desk: Desk, groups: SlackGroups, team: str, deployment: Deployment) -> Approvers:
    stored = await desk.deployer.deployments.load(deployment.id, ORIGIN)
    if not stored:
        return NOBODY_KNOWN
    origin = Origin.from_json(stored)
    repository = await read(desk, f"{origin.owner}/{origin.name}")
    place, nobody = Place(repository, origin.installation), Person("", SURFACE)
    rules = await Errand(desk, place, nobody, Source(deployment.id, 0.0)).rules()
    rule = rules.environments.get(deployment.request.environment)
    people = rule.approvals.who if rule else ()
    users, known_groups, others = [], [], []
    for login in sorted({each for one in people for each in one.users}):
        identity = await desk.identities.of_login(team, login)
        if login == deployment.request.actor.name.lower():
            continue
        if identity is None:
            others.append(login)
        else:
            users.append(identity.slack.user)
    for name in sorted({each for one in people for each in one.groups}):
        found = await groups.find(name)
        if found is None:
            others.append(f"@{name}")
        else:
            known_groups.append(found)
    others += sorted({each for one in people for each in one.teams})
    return Approvers(tuple(users), tuple(known_groups), tuple(others))
