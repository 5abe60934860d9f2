"""Locks and rollbacks that hold, in sentences with code in backticks."""

from datetime import UTC

from bot.domain.hold import Hold
from bot.domain.lock import Lock, Notice, NoticeKind
from handlers.reports.words import ago, moment, repository_name


def lock_line(lock: Lock, now: float) -> str:
    """Who locked what, since when, how long and why."""
    place = lock.environment or "every environment"
    parts = [f"{place} is locked by {lock.owner.name} ({ago(lock.created_at, now)})"]
    if lock.expires_at is not None:
        parts.append(f"until {moment(lock.expires_at, UTC)} UTC")
    if lock.pull_request is not None:
        parts.append(f"until pull request {lock.pull_request} is merged or closed")
    return ", ".join(parts) + (f": {lock.reason}" if lock.reason else "")


def hold_line(environment: str, hold: Hold, word: str) -> str:
    """That a rollback keeps pushes and releases away, and how they come back."""
    return (
        f"{environment} was rolled back by {hold.by.name} (`{hold.deployment}`) and takes commands "
        f"only: a deployment by command or `{word} resume {environment}` ends that"
    )


def notice_line(notice: Notice, word: str, before: str = "") -> str:
    """What the owner of a lock is told.

    `word` is what commands begin with, `before` what stands before an environment's name in them.
    """
    lock = notice.lock
    place = lock.environment or "every environment"
    command = f"{before}{lock.environment}" if lock.environment else "--all"
    what = f"Your lock of {place} in {repository_name(lock.repository)}"
    by = notice.by.name if notice.by else "somebody"
    match notice.kind:
        case NoticeKind.EXPIRES_SOON:
            until = moment(lock.expires_at or notice.due_at, UTC)
            text = f"{what} ends at {until} UTC. `{word} lock {command} --for 1h` keeps it longer."
        case NoticeKind.EXPIRED:
            text = f"{what} has ended: its time is over. Everybody can deploy again."
        case NoticeKind.TAKEN_OVER:
            text = f"{what} was taken over by {by}."
        case NoticeKind.RELEASED:
            text = f"{what} was released by {by}."
        case NoticeKind.PULL_REQUEST_DONE:
            number = lock.pull_request
            text = f"{what} is released: pull request {number} was merged or closed."
    return text
