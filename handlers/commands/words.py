"""Every text of a refusal that does not come from the gate."""

from collections.abc import Iterable
from datetime import UTC

from bot.domain.awaiting import Awaited
from bot.domain.deployment import Deployment
from bot.domain.lateness import Said
from bot.domain.lock import Lock
from bot.domain.reasons import Code, Reason, StoppedError
from handlers.reports.words import ago, moment

_PRESS_AGAIN = "Press it again, if that is still wanted."


def outdated(written: str, hours: int) -> StoppedError:
    """Nobody may want any more what was asked for then; `written` is the surface's time."""
    return StoppedError(
        Code.COMMAND_OUTDATED, f"it was written at {written}, more than {hours} hours ago"
    )


def overtaken(at: float, later: Said, *, is_button: bool = False) -> StoppedError:
    """Somebody said after it what it would undo; `at` is in seconds since the epoch."""
    how = "the button was pressed" if is_button else "it was written"
    return StoppedError(
        Code.COMMAND_OUTDATED,
        f"{how} at {moment(at, UTC)} UTC, and it would undo what came after: "
        f"{later.shown} by {later.by.name} at {moment(later.at, UTC)} UTC",
        next_step=_PRESS_AGAIN if is_button else None,
    )


def asked_later(written: float, asked: float) -> StoppedError:
    """A vote from before there was something to vote on; both in seconds since the epoch."""
    return StoppedError(
        Code.COMMAND_OUTDATED,
        f"it was written at {moment(written, UTC)} UTC, and approval was asked for at "
        f"{moment(asked, UTC)} UTC",
    )


def pressed_long_ago(at: float, hours: int) -> StoppedError:
    """Likewise, of a button; `at` is in seconds since the epoch."""
    return StoppedError(
        Code.COMMAND_OUTDATED,
        f"the button was pressed at {moment(at, UTC)} UTC, more than {hours} hours ago",
        next_step=_PRESS_AGAIN,
    )


def no_such_deployment(part: str) -> StoppedError:
    """An id that no deployment of the repository has."""
    return StoppedError(
        Code.DEPLOYMENT_UNKNOWN, f"no deployment of this repository has the id `{part}`"
    )


def several_deployments(found: Iterable[Deployment | Awaited], command: str) -> StoppedError:
    """It is not clear which one is meant; `command` is typed before its id."""
    ids = [each.id for each in found]
    return StoppedError(
        Code.BAD_COMMAND,
        f"several are meant: {', '.join(ids)}",
        next_step=f"Name one: `{command} {ids[0]}`.",
    )


def none_under_way(pull_request: int | None) -> StoppedError:
    """Nothing that could be cancelled."""
    where = "this repository" if pull_request is None else "this pull request"
    fact = f"no deployment of {where} waits, runs or awaits its checks"
    return StoppedError(Code.DEPLOYMENT_UNKNOWN, fact)


def none_to_approve(pull_request: int | None) -> StoppedError:
    """Nothing waits for others."""
    where = "this repository" if pull_request is None else "this pull request"
    return StoppedError(Code.APPROVAL_NOT_OPEN, f"no deployment of {where} waits for approval")


def locked_by(
    lock: Lock, word: str, command: str, now: float, *, changed: bool = False
) -> StoppedError:
    """It is somebody else's; `command` takes the owner's name. `changed`: another was named."""
    why = f": {lock.reason}" if lock.reason else ""
    place = lock.environment or "every environment"
    fact = f"{place} is locked by {lock.owner.name}, {ago(lock.created_at, now)}{why}"
    return StoppedError(
        Code.LOCK_CHANGED if changed else Code.LOCKED,
        fact,
        next_step=f"Ask them; or type `{word} {command} {lock.owner.name}`, and they are told.",
    )


def not_locked(environment: str | None) -> StoppedError:
    """There is nothing to release."""
    if environment is None:
        return StoppedError(Code.NOT_LOCKED, "there is no lock of all environments")
    return StoppedError(Code.NOT_LOCKED, f"{environment} has no lock of its own")


def nothing_to_explain(pull_request: int | None) -> StoppedError:
    """Nothing happened yet."""
    where = "this repository" if pull_request is None else "this pull request"
    return StoppedError(
        Code.DEPLOYMENT_UNKNOWN, f"nothing was deployed or refused on {where} so far"
    )


def no_second_rollback(word: str) -> Reason:
    """A rollback has no button that does it again."""
    return Reason(
        Code.BAD_COMMAND,
        "a rollback is not repeated by a button: it would go back further",
        f"Type `{word} rollback ENVIRONMENT`.",
    )


def link_begins_in_slack(word: str) -> StoppedError:
    """`link` without a code, on GitHub."""
    return StoppedError(
        Code.BAD_COMMAND,
        "the code that joins your login with your Slack user is missing",
        next_step=f"Type `{word} link` in Slack; it gives you one.",
    )


def only_in_slack(command: str, word: str) -> StoppedError:
    """A command about a channel, where there is none."""
    return StoppedError(
        Code.BAD_COMMAND,
        f"`{word} {command}` is about a Slack channel",
        next_step="Type it in that channel.",
    )
