"""Every text that a person reads in a terminal's report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from types import MappingProxyType
from urllib.parse import urlsplit

from bot.domain.approval import Cast, Verdict
from bot.domain.deployment import (
    BuiltImage,
    Deployment,
    Kind,
    Outcome,
    Request,
    Stage,
    UpdatedPipeline,
)
from bot.domain.progress import ApprovalNeeded, InLine, Supersedes, Transfer, Voted

SHORT_SHA = 7
_SHORT_DIGEST = len("sha256:") + 12
_MOST_NAMED = 5
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

STAGES = MappingProxyType({stage: stage.value.replace("_", " ") for stage in Stage})

OUTCOMES = MappingProxyType(
    {
        Outcome.SUCCEEDED: "succeeded",
        Outcome.FAILED: "failed",
        Outcome.CANCELLED: "cancelled",
        Outcome.REFUSED: "refused",
        Outcome.ROLLED_BACK: "rolled back",
        Outcome.SUPERSEDED: "superseded",
    }
)
SURFACES = MappingProxyType(
    {
        "github": "on GitHub",
        "slack": "in Slack",
        "cli": "on the command line",
        "action": "in a workflow",
    }
)
"""Where people said something."""
VERDICTS = MappingProxyType(
    {
        Outcome.SUCCEEDED: "Succeeded",
        Outcome.FAILED: "Failed",
        Outcome.CANCELLED: "Cancelled",
        Outcome.REFUSED: "Refused",
        Outcome.ROLLED_BACK: "Failed and rolled back",
        Outcome.SUPERSEDED: "Superseded",
    }
)

IMAGES = "Images"
PIPELINES = "Pipelines"
NOTES = "Notes"
WARNINGS = "Warnings"
PLAN = "Plan"
STAGES_HEADING = "Stages"
REASON = "Reason"
RUNNING = "Running"
WAITING = "Waiting"
LATEST = "Latest of each target"
NO_DEPLOYMENTS = "No deployments yet. `pachops deploy` makes the first."
WAITS = "waits for its turn"
INTERRUPTED = "by Ctrl-C, before anything was begun"
LEFT_UNSETTLED = "interrupted a second time, before it was settled; it stays on disk"
SETTLE = "`pachops worker` stops it and puts back what it changed."
GO_ON = "Then `pachops worker` goes on with it: it stays on disk."
NO_BOT = "No bot runs at the moment: `pachops worker` finishes what is left."
RESUMED = "taken up again after the bot was stopped"
SLACK_IS_AWAY = (
    "Slack does not answer: the next deployment here, or `pachops worker`, tells it how this ended."
)
NO_WORKER = "No worker runs at the moment: start `pachops worker` or `pachops serve`."
UNFINISHED = "The report ends here; the deployment goes on where the bot runs."
NEW = "new"
DEPLOYMENT = "deployment"
COMMIT = "commit"
TITLE = "title"
REPOSITORY = "repository"
ASKED = "asked"
ONLY = "only"
CREATED = "created"
STARTED = "started"
FINISHED = "finished"
CANCELLED_BY = "cancelled by"
FACT_WIDTH = 14
"""Columns of the names above."""
DONE = "done"
CACHED = "cached"


@dataclass(frozen=True)
class Marks:
    """One character for each state, so that colour is never the only sign."""

    succeeded: str = "✓"
    failed: str = "✗"
    stopped: str = "■"
    skipped: str = "–"  # noqa: RUF001 - a dash is meant
    running: str = "●"
    waiting: str = "·"
    log: str = "│"
    arrow: str = "→"
    ellipsis: str = "…"


UNICODE = Marks()
ASCII = Marks("+", "x", "!", "-", "*", ".", "|", "->", "...")


def duration(seconds: float) -> str:
    """A duration as people say it: `0.4s`, `42s`, `1m 12s`, `2h 5m`."""
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f}s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m {whole % _MINUTE}s"
    return f"{whole // _HOUR}h {whole % _HOUR // _MINUTE}m"


def ago(at: float, now: float) -> str:
    """How long ago a moment was: `just now`, `5 minutes ago`, `3 days ago`."""
    passed = now - at
    if passed < 10:
        return "just now"
    for unit, size in (("day", _DAY), ("hour", _HOUR), ("minute", _MINUTE), ("second", 1)):
        if passed >= size:
            count = int(passed // size)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def moment(at: float, zone: tzinfo | None) -> str:
    """Date and time to the second; the machine's own zone where none is given."""
    return datetime.fromtimestamp(at, tz=zone).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def size(count: int) -> str:
    """Bytes in decimal units, as registries count them."""
    if count < 1000:
        return f"{count} B"
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"


def short_sha(sha: str | None) -> str:
    """The beginning of a commit's SHA."""
    return (sha or "")[:SHORT_SHA]


def never_deployed(environment: str) -> str:
    """That a history which was asked for is empty."""
    return f"Nothing was deployed to {environment} so far. `pachops history` lists everything."


def what_comes(request: Request) -> str:
    """The commit, or that it is a rollback, and to which commit once that is known."""
    sha = short_sha(request.commit.sha)
    if request.kind is not Kind.ROLLBACK:
        return sha
    return f"rollback to {sha}" if sha else "rollback"


def where_to(request: Request) -> str:
    """What comes, and to which environment."""
    sha, name = short_sha(request.commit.sha), request.environment
    if request.kind is not Kind.ROLLBACK:
        return f"{sha} to {name}"
    return f"rollback of {name} to {sha}" if sha else f"rollback of {name}"


def repository_name(repository: str) -> str:
    """`owner/name` of a URL, the folder's name of a path."""
    url = urlsplit(repository) if "://" in repository else None
    path = url.path if url else repository.rpartition(":")[2]
    parts = [part for part in path.removesuffix(".git").split("/") if part]
    is_local = repository.startswith("/") or (url is not None and url.scheme == "file")
    return "/".join(parts[-1:] if is_local else parts[-2:]) or repository


def target(repository: str, environment: str, marks: Marks) -> str:
    """Where a deployment goes."""
    return f"{repository_name(repository)} {marks.arrow} {environment}"


def digest(value: str) -> str:
    """The beginning of a digest."""
    return value[:_SHORT_DIGEST]


def made(image: BuiltImage) -> str:
    """Whether the deployment had to make the image."""
    return "built" if image.built else "already there"


def versions(pipeline: UpdatedPipeline, marks: Marks) -> str:
    """From which version to which."""
    before = NEW if pipeline.from_version is None else str(pipeline.from_version)
    return f"{before} {marks.arrow} {pipeline.to_version}"


def transferred(transfer: Transfer) -> str:
    """How much of an image is in the registry."""
    if transfer.total <= 0:
        return size(transfer.sent)
    percent = min(100, transfer.sent * 100 // transfer.total)
    return f"{size(transfer.sent)} of {size(transfer.total)} ({percent}%)"


def tested(exit_code: int) -> str:
    """How an image's test ended."""
    return "passed" if exit_code == 0 else f"failed with exit code {exit_code}"


def hidden(count: int, what: str) -> str:
    """What does not fit."""
    return f"and {count} more {what}"


def next_step(text: str) -> str:
    """What to do now."""
    return f"Next: {text}"


def last_lines(subject: str, stage: Stage) -> str:
    """Heading of a log's end."""
    return f"Last lines of {subject} ({STAGES[stage]})"


def look(deployment: str, *, log: bool = False) -> str:
    """Where to see it again, or all of its log."""
    if log:
        return f"The whole log: pachops show {deployment} --log"
    return f"To look again: pachops show {deployment}"


def took(outcome: Outcome, seconds: float) -> str:
    """How long a deployment ran."""
    return f"{'in' if outcome is Outcome.SUCCEEDED else 'after'} {duration(seconds)}"


PLANNED = "This is the plan; nothing was changed."


def verdict(outcome: Outcome, stage: Stage | None) -> str:
    """The outcome, with the stage where it went wrong."""
    if outcome is Outcome.SUCCEEDED or stage is None:
        return VERDICTS[outcome]
    return f"{VERDICTS[outcome]} in {STAGES[stage]}"


def asked(deployment: Deployment) -> str:
    """Who asked for what."""
    request = deployment.request
    what = "rollback" if request.kind is Kind.ROLLBACK else "deploy"
    return f"{what} by {request.actor.name} ({request.trigger.value})"


def not_committed(paths: Sequence[str]) -> str:
    """Changes that will not be deployed."""
    named = ", ".join(paths[:_MOST_NAMED])
    more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return f"Not committed, so not deployed: {named}{more}."


def others_are_finished_first(identities: Sequence[str]) -> str:
    """Deployments of others that this process has taken up."""
    return f"Finishing what an interrupted bot left: {', '.join(identities)}."


def path_for_workers(path: str) -> str:
    """A repository on this machine, and other machines that are to read it."""
    return f"Workers run this deployment; each of them must find the repository at {path}, too."


def backed_up(file: str) -> str:
    """What `pachops backup` did."""
    return f"The database is in {file}, whole and checked. Keep it as safe as the bot itself."


def restored(database: str, old: str | None) -> str:
    """What `pachops restore` did."""
    kept = f" The one before is kept as {old}." if old else ""
    return (
        f"Restored to {database}.{kept} What had not ended when the backup was made is cancelled: "
        "compare the pipelines with `pachops status`."
    )


def examined(faults: int, warnings: int) -> str:
    """What `pachops doctor` comes to."""
    if not faults and not warnings:
        return "All is well."
    counted = [
        f"{count} {what}{'' if count == 1 else 's'}"
        for count, what in ((faults, "fault"), (warnings, "warning"))
        if count
    ]
    return f"{' and '.join(counted)}."


def left(identities: Sequence[str]) -> str:
    """What a worker leaves."""
    if not identities:
        return "Nothing is left to do."
    return f"Stopped. Left for the next `pachops worker`: {', '.join(identities)}."


def cancelled(result: str, identity: str) -> str:
    """What `pachops cancel` did."""
    return {
        "waiting": f"{identity} had not begun; it is cancelled.",
        "running": f"{identity} is being stopped; `pachops show {identity}` says what was undone.",
        "finished": f"{identity} had already ended; nothing was changed.",
        "awaited": f"{identity} awaited its checks; it is cancelled, and not deployed by itself.",
        "unknown": f"{identity} is not there any more; nothing was changed.",
    }[result]


def cancelled_when_resumed(identity: str) -> str:
    """What `pachops cancel` did to a deployment that no bot runs at the moment."""
    return (
        f"No bot runs at the moment. {identity} will be stopped and what it changed put back "
        "as soon as one does: `pachops worker`."
    )


def unlocked(environment: str | None, owner: str) -> str:
    """What `pachops unlock` did."""
    return f"The lock of {environment or 'every environment'} by {owner} is released."


def resumed(environment: str, *, was_held: bool) -> str:
    """What `pachops resume` did."""
    if not was_held:
        return f"No rollback holds {environment}: it follows what its rules say."
    return f"{environment} follows pushes and releases again, as its rules say."


def approval_needed(event: ApprovalNeeded, zone: tzinfo | None = None) -> str:
    """What it waits for, and how to answer."""
    people = "1 other person" if event.needed == 1 else f"{event.needed} other people"
    until = f"{datetime.fromtimestamp(event.deadline, zone).astimezone(zone):%a %H:%M}"
    return (
        f"waits until {until} for {people} to approve it, not {event.asked_by}: "
        f"`pachops approve {event.deployment}`"
    )


def voted(event: Voted) -> str:
    """What somebody said."""
    return f"{event.by} {'approves' if event.approves else 'rejects'} it"


def in_line(event: InLine) -> str:
    """How many are before it, and when it begins if all goes as usual."""
    count = len(event.before)
    before = "1 deployment is before it" if count == 1 else f"{count} deployments are before it"
    if event.begins_in is None:
        return before
    return f"{before}, it begins in about {duration(event.begins_in)}"


def supersedes(event: Supersedes) -> str:
    """Whose place a deployment takes."""
    return f"takes the place of {event.deployment} ({short_sha(event.sha)}), which had not begun"


def rules_of_what_comes_back(fact: str) -> str:
    """That a rollback does not wait for the default branch."""
    return f"The rules of the commit that comes back count: {fact}."


def not_in_audit(title: str, fact: str) -> str:
    """That a command is answered all the same."""
    return f"This command is not in the audit: {title}: {fact}."


VOTES = MappingProxyType(
    {
        (Cast.COUNTED, Verdict.APPROVE): "{} is approved by you.",
        (Cast.COUNTED, Verdict.REJECT): "{} is rejected; it changes nothing.",
        (Cast.ALREADY, Verdict.APPROVE): "You have voted on {} before; that vote stands.",
        (Cast.ALREADY, Verdict.REJECT): "You have voted on {} before; that vote stands.",
    }
)
