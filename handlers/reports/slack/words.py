"""Every text that a person reads in a deployment's message in Slack, but for the reasons' own."""

import time
from collections.abc import Mapping
from types import MappingProxyType

from bot.domain.deployment import Stage
from bot.domain.progress import Ended
from handlers.reports.sentences import stage_mark, stage_took
from handlers.reports.words import STAGES

IMAGES = "*Images*"
PIPELINES = "*Pipelines*"
WOULD = "*It would*"
APPROVERS = "Everybody with write permission who did not ask"
PLAN = "*Plan*"
NOTES = "*Notes*"
NEXT = "*Next:*"
WHERE = "*Where:*"
ALL_NOTES = "All of the notes"
BUILT = "built"
THERE = "already there"
HAND = "✋"
RELEASED = "🎉"
CUT = "… earlier lines are left out …\n"

BUTTONS: Mapping[str, str] = MappingProxyType(
    {
        "approve": "Approve",
        "reject": "Reject",
        "cancel": "Cancel",
        "retry": "Deploy again",
        "roll_back": "Roll back",
        "view_log": "View log",
    }
)
CONFIRM: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "cancel": ("Cancel this deployment?", "What it changed is put back.", "Cancel it"),
        "roll_back": (
            "Roll this back?",
            "The specs and images of the good deployment before it are put back.",
            "Roll back",
        ),
    }
)
_USED = MappingProxyType(
    {
        "approve": "Approved",
        "reject": "Rejected",
        "cancel": "Cancelled",
        "retry": "Deployed again",
        "roll_back": "Rolled back",
        "view_log": "Log shown",
    }
)


def stage(which: Stage, ended: Ended | None, seconds: float, started_at: float) -> str:
    """A line for a stage: its sign, its name, its state and its time."""
    took = stage_took(ended, seconds) if ended else f"since {moment(started_at)}"
    return f"{stage_mark(ended)} {STAGES[which]} · {took}"


def moment(at: float) -> str:
    """A time of day in the reader's own zone."""
    fallback = time.strftime("%H:%M UTC", time.gmtime(at))
    return f"<!date^{int(at)}^{{time}}|{fallback}>"


def person(user: str) -> str:
    """A mention, which Slack shows as the person's name."""
    return f"<@{user}>"


def group(identity: str) -> str:
    """A mention of a user group."""
    return f"<!subteam^{identity}>"


def used(button: str, who: str, at: float) -> str:
    """What stands in a button's place; `who` is safe."""
    return f"{_USED[button]} by {who} at {moment(at)}"


def identity(deployment: str) -> str:
    """The deployment, as commands name it; safe."""
    return f"deployment {deployment}"


def pull_request(number: int) -> str:
    """What links to a pull request."""
    return f"#{number}"


def told(who: str, what: str) -> str:
    """Who is told of an end, and of what; both safe."""
    return f"{who}: {what}"


def released(what: str, environment: str, *, runs: bool) -> str:
    """The headline of a release's news; both safe."""
    return f"{what} runs in {environment}" if runs else f"{what} does not run in {environment}"


def commits(count: int, *, is_cut: bool) -> str:
    """How many came."""
    return f"{count}{'+' if is_cut else ''} commit{'' if count == 1 else 's'}"


def changed(since: str, commits: str, authors: str) -> str:
    """What is listed below; all safe."""
    return f"*What changed* since {since}: {commits} by {authors}"


def waits_for_approval(who: str, given: int, deadline: float) -> str:
    """What it waits for; `who` is safe."""
    so_far = f", {given} so far" if given else ""
    return f"Waits for {who}{so_far}; until {date(deadline)}"


def voted(who: str, *, approves: bool) -> str:
    """A vote; `who` is safe."""
    return f"👍 Approved by *{who}*" if approves else f"👎 Rejected by *{who}*"


def approve_please(who: str, deployment: str) -> str:
    """To those who may approve; `who` are mentions and safe names."""
    return f"{who}: {deployment} waits for your approval. The message above says what it does."


def date(at: float) -> str:
    """A day and a time in the reader's own zone."""
    fallback = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))
    return f"<!date^{int(at)}^{{date_short_pretty}} {{time}}|{fallback}>"


def log_name(which: Stage) -> str:
    """The file's name."""
    return f"{which.value}.log"


def log_title(which: Stage, deployment: str) -> str:
    """The file's title."""
    return f"Log of {STAGES[which]}, deployment {deployment}"


def more(count: int) -> str:
    """What a list has no room for."""
    return f"and {count} more"
