"""Every text that a person reads on a page."""

from types import MappingProxyType

from bot.domain.deployment import Outcome, State, Trigger
from bot.domain.hold import Hold
from bot.domain.lock import Lock
from bot.domain.plan import Change
from bot.domain.progress import Ended
from bot.store.overview import Standing
from handlers.reports.words import SURFACES, duration

NOTHING_TITLE = "Nothing here"
NOTHING = "There is no such page, or the link to it is no longer good."
BROKEN_TITLE = "That went wrong"
BROKEN = "An error in pachops; its log says more. Try again in a moment."
UNAVAILABLE_TITLE = "Not now"
UNAVAILABLE = "The database, or GitHub, does not answer. Try again in a moment."
LOGIN_TITLE = "Not logged in"
LOGIN_STRAYED = "The way to GitHub and back was interrupted or took too long."
LOGIN_FAILED = "GitHub did not say who you are. pachops' log says why."
GOODBYE_TITLE = "Logged out"
GOODBYE = "You are logged out of pachops. GitHub still knows you."

STATES = MappingProxyType(
    {State.WAITING: "waiting", State.RUNNING: "running", State.FINISHED: "finished"}
)
ENDS = MappingProxyType(
    {
        None: "running",
        Ended.SUCCEEDED: "done",
        Ended.FAILED: "failed",
        Ended.CANCELLED: "stopped",
        Ended.SKIPPED: "nothing to do",
    }
)
OUTCOMES = MappingProxyType(
    {
        Outcome.SUCCEEDED: "succeeded",
        Outcome.FAILED: "failed",
        Outcome.CANCELLED: "cancelled",
        Outcome.REFUSED: "refused",
        Outcome.ROLLED_BACK: "failed, rolled back",
        Outcome.SUPERSEDED: "superseded",
    }
)
STANDINGS = MappingProxyType({each: each.value for each in Standing})
CHANGES = MappingProxyType(
    {Change.CREATE: "new", Change.UPDATE: "changes", Change.NONE: "stays as it is"}
)
TRIGGERS = MappingProxyType(
    {
        Trigger.PUSH: "with a push",
        Trigger.PULL_REQUEST: "with a pull request",
        Trigger.COMMENT: "in a comment",
        Trigger.CHECK: "with a button on a check",
        Trigger.RERUN: "by running checks again",
        Trigger.SLACK: "in Slack",
        Trigger.RELEASE: "with a release",
        Trigger.CLI: "on the command line",
        Trigger.ACTION: "in a workflow",
    }
)


def voted(surface: str) -> str:
    """Where somebody approved or rejected."""
    return SURFACES.get(surface, surface)


def place(before: int, begins_in: float | None) -> str:
    """Where one stands that has not begun."""
    if before == 0:
        return "It is next: it begins as soon as a worker takes it up."
    behind = "1 deployment" if before == 1 else f"{before} deployments"
    when = "" if begins_in is None else f", and begins in about {duration(begins_in)}"
    return f"It waits behind {behind} of its environment{when}."


def approval(needed: int, approved: int, asked_by: str) -> str:
    """What an approval waits for."""
    people = "one person" if needed == 1 else f"{needed} people"
    return f"{approved} of {needed} approved. It takes {people} other than {asked_by}."


def locked(lock: Lock) -> str:
    """Who keeps others away, and why."""
    reason = f": {lock.reason}" if lock.reason else ""
    return f"locked by {lock.owner.name}{reason}"


def held(hold: Hold) -> str:
    """That a rollback holds it."""
    return f"held by {hold.by.name}'s rollback: pushes and releases leave it as it is"


def log_shown(count: int) -> str:
    """How long the log is."""
    if count == 0:
        return "No lines yet."
    return f"{count:,} line{'' if count == 1 else 's'}"


def found(count: int, *, more: bool) -> str:
    """What a search has found."""
    if count == 0:
        return "No line has that so far." if more else "No line has that."
    lines = f"{count:,} line{'' if count == 1 else 's'}"
    return f"The first {lines}" if more else lines


def drawing(pipelines: int, changed: int) -> str:
    """The picture of a plan, for who cannot see it."""
    return (
        f"{pipelines} pipeline{'' if pipelines == 1 else 's'} and what they read, "
        f"from left to right; {changed} of them marked as changed. The table below says the same."
    )


def timeline(stages: int) -> str:
    """The picture of the durations, for who cannot see it."""
    return f"When each of {stages} stages ran. The table of stages has the durations."
