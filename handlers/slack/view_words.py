"""Every text that a person reads in the modal and in the App Home."""

import time

from bot.domain.lock import Lock
from bot.domain.reasons import Reason
from handlers.reports.slack.message import reason_lines
from handlers.reports.slack.safe import Safe, fitted
from handlers.reports.slack.words import date as moment
from handlers.reports.words import ago
from handlers.slack.desk import Desk

MODAL_TITLE = "Deploy"
MODAL_SUBMIT = "Deploy"
MODAL_CLOSE = "Not now"
MODAL_REPOSITORY = "Repository"
MODAL_ENVIRONMENT = "Environment"
MODAL_REF = "What to deploy"
MODAL_REF_HINT = "Branch, tag, SHA or #pull request"
MODAL_OPTIONS = "Data"
MODAL_REPROCESS = "Compute data again that was processed before"
MODAL_LOOKING_FIRST = "Looking which repositories you can read …"
MODAL_LOOKING = "Looking which environments you may deploy to …"
NO_REPOSITORIES = (
    "No repository is known here that you can read. `/pachops subscribe OWNER/NAME` lets this "
    "channel hear of one; `/pachops deploy --repo OWNER/NAME` deploys one."
)
HOME_TITLE = "Deployments"
HOME_APPROVALS = "*Waiting for your approval*"
HOME_UNDER_WAY = "*Under way*"
HOME_NOTHING = "Nothing."
HOME_NEVER = "Nothing was deployed so far."
HOME_NO_REPOSITORIES = "There is no repository here that your GitHub login can read."


def home_unlinked(word: str) -> str:
    """What the Home says to those who are not joined with a login."""
    return (
        f"Type `{word} link` in any channel to join your GitHub login; then this page shows what "
        "runs where in your repositories, and what waits for you."
    )


def home_linked(login: str, safe: Safe) -> str:
    """Who the Home is for."""
    return f"You are {safe.code(login)} on GitHub."


def home_more(count: int, word: str) -> str:
    """What the Home has no room for."""
    return f"And {count} more repositories: `{word} status --repo OWNER/NAME` tells of each."


def lock_line(lock: Lock, safe: Safe) -> str:
    """A lock in a line of a list."""
    where = safe.text(lock.environment or "all environments", 40)
    why = f": {safe.text(lock.reason, 150)}" if lock.reason else ""
    since = ago(lock.created_at, time.time())
    until = "" if lock.expires_at is None else f", until {moment(lock.expires_at)}"
    return f"🔒 *{where}* is locked by {safe.text(lock.owner.name, 40)} {since}{until}{why}"


def home_repository(name: str, safe: Safe) -> str:
    """A repository's heading."""
    return f"*{safe.text(name)}*"


def trouble(reason: Reason, desk: Desk) -> str:
    """Why a modal has nothing to choose from."""
    return fitted(reason_lines(reason, desk.safe))


def nothing_allowed(repository: str, desk: Desk) -> str:
    """No environment is left after the gate."""
    return (
        f"You may deploy to no environment of {desk.safe.code(repository)}. "
        "Its `.pachops.yml` says who may."
    )
