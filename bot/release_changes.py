"""What a release brings to an environment that the release before it had not."""

import logging
from dataclasses import replace

from bot.domain.changes import Changes
from bot.domain.deployment import Deployment, Outcome
from bot.domain.reasons import StoppedError
from bot.services.git import Git
from bot.store.deployments import Deployments

LOG = logging.getLogger(__name__)
_LOOKED_AT = 500


async def changes_of_release(
    git: Git, deployments: Deployments, deployment: Deployment
) -> Changes | None:
    """What came since the last release that was verified there.

    None where it is the first, or its commit is not to be found any more.
    """
    request = deployment.request
    before = await _release_before(deployments, deployment)
    if before is None:
        return None
    try:
        found = await git.changes(request.repository, before.request.commit.sha, request.commit.sha)
    except StoppedError as stopped:
        LOG.warning("what %s brings is not known: %s", deployment.id, stopped)
        return None
    return replace(found, name=before.request.release or "") if found else None


async def _release_before(deployments: Deployments, deployment: Deployment) -> Deployment | None:
    found = await deployments.list(target=deployment.request.target, limit=_LOOKED_AT)
    ids = [each.id for each in found]
    # The newest first.
    older = found[ids.index(deployment.id) + 1 :] if deployment.id in ids else ()
    return next(
        (
            each
            for each in older
            if each.request.release not in {None, deployment.request.release}
            and each.outcome is Outcome.SUCCEEDED
        ),
        None,
    )
