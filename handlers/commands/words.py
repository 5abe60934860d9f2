"""Every text of a refusal that does not come from the gate."""

from collections.abc import Iterable

from bot.domain.deployment import Deployment
from bot.domain.reasons import Code, Reason, StoppedError


def no_such_deployment(part: str) -> StoppedError:
    """An id that no deployment of the repository has."""
    return StoppedError(
        Code.DEPLOYMENT_UNKNOWN, f"no deployment of this repository has the id `{part}`"
    )


def several_deployments(found: Iterable[Deployment], command: str) -> StoppedError:
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
    return StoppedError(Code.DEPLOYMENT_UNKNOWN, f"no deployment of {where} waits or runs")


def none_to_approve(pull_request: int | None) -> StoppedError:
    """Nothing waits for others."""
    where = "this repository" if pull_request is None else "this pull request"
    return StoppedError(Code.APPROVAL_NOT_OPEN, f"no deployment of {where} waits for approval")


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
