"""A deployment as GitHub's own deployment, which the pull request's time line shows."""

from bot.domain.deployment import Outcome
from bot.services.github import DeploymentState
from handlers.reports.github.comment import what
from handlers.reports.github.safe import Safe
from handlers.reports.view import View

_LONGEST = 140

_STATES: dict[Outcome, DeploymentState] = {
    Outcome.SUCCEEDED: "success",
    Outcome.FAILED: "failure",
    Outcome.CANCELLED: "inactive",
    Outcome.REFUSED: "error",
    Outcome.ROLLED_BACK: "failure",
    Outcome.SUPERSEDED: "inactive",
}


def deployment_state(outcome: Outcome) -> DeploymentState:
    """GitHub's word for how it ended."""
    return _STATES[outcome]


def description(view: View, safe: Safe) -> str:
    """One line, at most 140 characters."""
    reason = view.end.reason if view.end else None
    said = what(view)
    return safe.line(f"{said}: {reason.title}" if reason else said, _LONGEST)
