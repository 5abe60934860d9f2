"""The same deployment once more."""

from bot.domain.command import Deploy
from bot.domain.deployment import Deployment, Trigger
from handlers.commands.gathering import Wish


def again(deployment: Deployment, trigger: Trigger, pull_request: int | None) -> Wish:
    """The same, as the gate sees it: its commit, exactly."""
    request = deployment.request
    return Wish(
        trigger,
        Deploy(request.environment, request.commit.sha, request.only, request.reprocess),
        pull_request=pull_request,
        known_as=request.commit,
        release=request.release,
    )
