"""Every text that a person reads on GitHub, but for the reasons' own."""

from datetime import UTC

from bot.domain.deployment import Stage
from handlers.reports.words import STAGES, moment

OWN_CHECKS = "pachops: "
"""What the names of all our checks begin with."""
RERUN = ("Deploy again", "Try this commit once more")
CANCEL = ("Cancel", "Stop it and put back what it changed")
DEPLOY = ("Deploy again", "Deploy this commit once more")

IMAGES = "**Images**"
PIPELINES = "**Pipelines**"
PLAN = "**Plan**"
NOTES = "**Notes**"
NEXT = "**Next:**"
WHERE = "**Where:**"
BUILT = "built"
THERE = "already there"
TABLE = "| | Stage | Took | |\n| --- | --- | --- | --- |"
LEFT_OUT = "_… some of this is left out: it is too long for GitHub …_"


WHAT_IS_APPROVED = "**What an approval lets through**"
VOTES = "**Votes:**"
APPROVE = ("Approve", "Let it go on; never your own")
REJECT = ("Reject", "End it; it changes nothing")


def asks_for(who: str, until: float) -> str:
    """Whose leave it waits for, and how long; `who` is safe."""
    return f"It waits for the approval of {who}, until {moment(until, UTC)} UTC."


def how_to_vote(approve: str, reject: str) -> str:
    """What to type; both are code."""
    return f"To approve exactly this, comment {approve}; to end it, {reject}."


def told(who: str, what: str) -> str:
    """Who is told of a failure, and of what; both safe."""
    return f"{who}: {what}" if who else what


def identity(deployment: str) -> str:
    """The deployment, as commands name it; safe."""
    return f"deployment {deployment}"


def whole_log(deployment: str) -> str:
    """Where the rest of a log is; safe."""
    return f"The whole log: `pachops show {deployment} --log`"


def linked_log(url: str) -> str:
    """Where the rest of a log is, on our own page."""
    return f"[The whole log]({url})"


def last_lines(subject: str, stage: Stage) -> str:
    """The summary of a fold; safe."""
    return f"Last lines of {subject} ({STAGES[stage]})"


def more(count: int) -> str:
    """What a list has no room for."""
    return f"and {count} more"


def lines_left_out(count: int) -> str:
    """Stands in the middle of a log."""
    return f"… {count} lines are left out …"
