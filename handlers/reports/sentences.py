"""How a deployment stands, in the sentences that every place with Markdown has for it."""

from collections.abc import Callable, Iterable
from types import MappingProxyType

from bot.domain.deployment import Kind, Outcome, Stage, Trigger, UpdatedPipeline
from bot.domain.progress import ApprovalNeeded, Ended, Voted
from handlers.reports.words import STAGES, duration

NEW = "new"
RUNNING = "🔄"
WAITING = "⏳"

MARKS = MappingProxyType(
    {
        Outcome.SUCCEEDED: "✅",
        Outcome.FAILED: "❌",
        Outcome.CANCELLED: "🚫",
        Outcome.REFUSED: "🚫",
        Outcome.ROLLED_BACK: "↩️",
        Outcome.SUPERSEDED: "⏭️",
    }
)
_ENDED = MappingProxyType(
    {
        Ended.SUCCEEDED: "✅",
        Ended.FAILED: "❌",
        Ended.CANCELLED: "🚫",
        Ended.SKIPPED: "➖",  # noqa: RUF001 - a sign that is drawn as wide as the others
    }
)
_DONE = MappingProxyType({Kind.DEPLOY: "Deployed", Kind.ROLLBACK: "Rolled back"})
_DOING = MappingProxyType({Kind.DEPLOY: "Deploying", Kind.ROLLBACK: "Rolling back"})
_NOUN = MappingProxyType({Kind.DEPLOY: "Deployment", Kind.ROLLBACK: "Rollback"})
_ENDS = MappingProxyType(
    {
        Outcome.FAILED: "failed",
        Outcome.CANCELLED: "was cancelled",
        Outcome.REFUSED: "was refused",
        Outcome.ROLLED_BACK: "failed and was rolled back",
        Outcome.SUPERSEDED: "was superseded",
    }
)
_TRIGGERS = MappingProxyType(
    {
        Trigger.PUSH: "by pushing",
        Trigger.PULL_REQUEST: "by a change of the pull request",
        Trigger.COMMENT: "in a comment",
        Trigger.CHECK: "with a button of the check",
        Trigger.RERUN: "by running checks again",
        Trigger.SLACK: "in Slack",
        Trigger.RELEASE: "by a release",
        Trigger.CLI: "on the command line",
        Trigger.ACTION: "in a workflow",
    }
)


def headline(
    kind: Kind, outcome: Outcome | None, stage: Stage | None, place: str = "", strong: str = ""
) -> str:
    """What happens or happened.

    `place` is from `target`, with a space before it; `strong` stands around the main words.
    """
    if outcome is Outcome.SUCCEEDED:
        return f"{strong}{_DONE[kind]}{strong}{place}"
    if outcome is None:
        return f"{strong}{_DOING[kind]}{strong}{place}"
    where = f" in {STAGES[stage]}" if stage else ""
    of = f" of{place}" if place else ""
    return f"{_NOUN[kind]}{of} {strong}{_ENDS[outcome]}{where}{strong}"


def waits(kind: Kind, place: str = "", strong: str = "") -> str:
    """The headline while others are before it; as `headline`."""
    of = f" of{place}" if place else ""
    return f"{_NOUN[kind]}{of} {strong}waits for its turn{strong}"


def asks(kind: Kind, place: str = "", strong: str = "") -> str:
    """The headline while other people look at it; as `headline`."""
    of = f" of{place}" if place else ""
    return f"{_NOUN[kind]}{of} {strong}waits for approval{strong}"


def who_approves(needed: int, asked_by: str) -> str:
    """Whose leave it waits for; safe."""
    people = "1 person" if needed == 1 else f"{needed} people"
    return f"{people} other than {asked_by}"


def consequences(event: ApprovalNeeded) -> tuple[str, ...]:
    """What an approval means for data that is there and for jobs that run."""
    found = []
    if event.reprocesses:
        found.append("Data that was processed before is computed again.")
    if event.running_jobs is None:
        found.append("How many jobs run now, which would start again, is not known.")
    elif event.running_jobs:
        jobs = "1 job runs" if event.running_jobs == 1 else f"{event.running_jobs} jobs run"
        found.append(f"{jobs} now and would start again.")
    return tuple(found)


def votes(given: Iterable[Voted], safe: Callable[[str], str]) -> str:
    """Who has said what so far; nothing where nobody has."""
    said = [f"{safe(each.by)} {'approves' if each.approves else 'rejects'}" for each in given]
    return ", ".join(said)


def target(kind: Kind, sha: str, environment: str) -> str:
    """What goes where, with a space before it; both safe."""
    if not sha:
        return f" {environment}"
    return f" {environment} to {sha}" if kind is Kind.ROLLBACK else f" {sha} to {environment}"


def stage_mark(ended: Ended | None) -> str:
    """The sign of a stage; the row says it in words too."""
    return _ENDED[ended] if ended else RUNNING


def stage_took(ended: Ended | None, seconds: float) -> str:
    """How long it ran. While it runs nothing that would have to be edited every second."""
    if ended is None:
        return "running"
    if ended is Ended.SUCCEEDED:
        return duration(seconds)
    return ended.value if ended is Ended.SKIPPED else f"{ended.value} after {duration(seconds)}"


def took(outcome: Outcome, seconds: float) -> str:
    """How long the whole ran."""
    return f"{'in' if outcome is Outcome.SUCCEEDED else 'after'} {duration(seconds)}"


def asked(who: str, trigger: Trigger) -> str:
    """Who asked, and where; `who` is safe."""
    return f"Asked for by {who} {_TRIGGERS[trigger]}"


def versions(pipeline: UpdatedPipeline) -> str:
    """From which version to which."""
    before = NEW if pipeline.from_version is None else str(pipeline.from_version)
    return f"{before} → {pipeline.to_version}"
