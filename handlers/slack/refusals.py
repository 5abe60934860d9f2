"""Why something is not done that was asked for in Slack, beside what the commands say themselves."""

from collections.abc import Iterable, Sequence

from bot.domain.command import EVENTS
from bot.domain.command_form import Mistake
from bot.domain.command_words import nearest
from bot.domain.deployment import Deployment
from bot.domain.reasons import Code, Reason, StoppedError

_MOST_NAMED = 10


def mistaken(mistake: Mistake, word: str) -> StoppedError:
    """A command that cannot be read."""
    reason = mistake.reason(word)
    return StoppedError(reason.code, reason.fact, next_step=reason.next_step)


def not_linked(word: str) -> StoppedError:
    """It is not known who somebody is on GitHub."""
    return StoppedError(
        Code.NOT_LINKED,
        "your Slack user is not joined with a GitHub login, so nobody knows what you may do",
        next_step=f"Type `{word} link`.",
    )


def may_not_read(full_name: str, login: str) -> StoppedError:
    """What runs where is told to those who can read the repository."""
    return StoppedError(
        Code.PERMISSION_MISSING, f"{login} cannot read {full_name} on GitHub, or it is not there"
    )


def readers_unknown(reason: Reason) -> StoppedError:
    """GitHub does not say who can read what. Its own fact would name a repository."""
    return StoppedError(
        reason.code,
        "which repositories your login can read could not be looked up",
        next_step=reason.next_step,
    )


def repository_missing() -> StoppedError:
    """`--repo` without a name."""
    return StoppedError(Code.BAD_COMMAND, "--repo needs OWNER/NAME after it")


def which_repository(known: Sequence[str], word: str) -> StoppedError:
    """It is not clear which repository is meant."""
    if not known:
        return StoppedError(
            Code.BAD_COMMAND,
            "no repository is known here that you can read",
            next_step="Add `--repo OWNER/NAME` to the command.",
        )
    listed = ", ".join(known[:_MOST_NAMED])
    return StoppedError(
        Code.BAD_COMMAND,
        f"it is not clear which repository is meant; known are: {listed}",
        next_step=f"Add `--repo {known[0]}`, or let the channel hear of one: "
        f"`{word} subscribe {known[0]}`.",
    )


def unknown_subject(name: str, environments: Iterable[str]) -> StoppedError:
    """Neither an environment nor an event."""
    known = [*environments, *EVENTS]
    near = nearest(name, known)
    return StoppedError(
        Code.ENVIRONMENT_UNKNOWN,
        f"{name} is neither an environment of the repository nor an event; "
        f"there are: {', '.join(known)}",
        next_step=f"Did you mean `{near}`?" if near else "Name one of them.",
    )


def not_on_github(deployment: Deployment) -> StoppedError:
    """A deployment that somebody asked for at a terminal has no rules on GitHub."""
    return StoppedError(
        Code.BAD_COMMAND,
        f"{deployment.id} was asked for on the command line",
        next_step="Do it there.",
    )
