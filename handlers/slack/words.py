"""Every text that a person reads in Slack as the answer to what they did there."""

import html
import re
import time
from collections.abc import Iterable, Sequence

from bot.domain.command import EVENTS, Help
from bot.domain.command_form import Mistake
from bot.domain.command_help import help_lines
from bot.domain.command_words import nearest
from bot.domain.deployment import Deployment, Kind, Outcome, State
from bot.domain.github import Repository
from bot.domain.lock import Lock
from bot.domain.plan import image_lines, pipeline_lines
from bot.domain.reasons import Code, Reason, StoppedError
from bot.services.slack import Message
from bot.store.subscriptions import Subscription
from handlers.commands.answers import (
    Answer,
    Helped,
    Listed,
    Planned,
    Refused,
)
from handlers.commands.told import standing as standing_lines
from handlers.commands.told import told
from handlers.reports import sentences
from handlers.reports.slack.blocks import context, section
from handlers.reports.slack.buttons import Button
from handlers.reports.slack.message import reason_lines
from handlers.reports.slack.safe import LONGEST_SECTION, Safe, escaped, fitted, link
from handlers.reports.slack.words import BUTTONS
from handlers.reports.slack.words import date as moment
from handlers.reports.words import OUTCOMES, STAGES, ago, repository_name, short_sha
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
MODAL_LOOKING = "Looking which environments you may deploy to …"
NO_REPOSITORIES = (
    "No repository is known here yet. `/pachops subscribe OWNER/NAME` lets this channel hear of "
    "one; `/pachops deploy --repo OWNER/NAME` deploys one."
)
HOME_TITLE = "Deployments"
HOME_APPROVALS = "*Waiting for your approval*"
HOME_UNDER_WAY = "*Under way*"
HOME_NOTHING = "Nothing."
HOME_NEVER = "Nothing was deployed so far."
HOME_NO_REPOSITORIES = "There is no repository here that your GitHub login can read."
NO_DEPLOYMENTS = "Nothing was deployed from this repository so far."
NOT_YET = "This version of pachops does not have this command yet."
WITHOUT_REPO = "`--repo OWNER/NAME` says which repository, where the channel hears of several."

_MENTION = re.compile(r"<@[A-Z0-9]+(?:\|[^>]*)?>")
_LINK = re.compile(r"<((?:https?|mailto):[^|>]*)(?:\|([^>]*))?>")
_MOST_REASONS = 10
_LONGEST_LINE = 200


def as_typed(text: str) -> str:
    """What somebody typed, before Slack marked it up; a mention of the bot is left out."""
    plain = _MENTION.sub(" ", text, count=1)
    return html.unescape(_LINK.sub(lambda found: found[2] or found[1], plain)).strip()


def repository_of(deployment: Deployment) -> str:
    """`owner/name`, from where git finds it."""
    return repository_name(deployment.request.repository)


# --- answers


def answer(answered: Answer, line: str, desk: Desk, repository: Repository | None) -> Message:
    """The answer to a command that is not a deployment's report."""
    safe = desk.safe
    if (said := told(answered, desk.word, safe)) is not None:
        return _said(said)
    match answered:
        case Refused():
            made = refused(line, answered.reasons, desk)
        case Planned():
            made = _planned(answered, safe)
        case Listed():
            made = _listed(answered, repository, desk)
        case Helped():
            made = help_message(answered.help, desk.word)
        case _:
            made = _said(f"{safe.code(f'{desk.word} {line}', _LONGEST_LINE)}: {NOT_YET}")
    return made


def refused(line: str, reasons: Sequence[Reason], desk: Desk) -> Message:
    """Why something is not done, and what to do next."""
    command = desk.safe.code(f"{desk.word} {line}", _LONGEST_LINE)
    return _with_reasons(f"🚫 {command} is not done.", reasons, desk.safe)


def pressed_in_vain(
    button: Button, deployment: Deployment, answered: Refused, desk: Desk
) -> Message:
    """The answer to a button that whoever clicked may not use."""
    first = f"🚫 *{BUTTONS[button]}* {_of(deployment, desk.safe)} is not done."
    return _with_reasons(first, answered.reasons, desk.safe)


def stale(button: Button, deployment: Deployment, desk: Desk) -> Message:
    """The answer to a click on a message that shows what is no more."""
    text = f"*{BUTTONS[button]}* is not possible any more: {standing(deployment, desk.safe)}."
    return _said(text)


def gone() -> Message:
    """A button of a deployment that nobody knows."""
    return _said("This deployment is not known any more: it was removed after its time.")


def where_the_log_is(deployment: Deployment, page: str | None) -> Message:
    """What `View log` answers."""
    if page is not None:
        return _said(f"The log is {link(page, 'on its page')}.")
    return _said(f"On the bot's machine, `pachops show {deployment.id} --log` shows the log.")


def later(reason: Reason, desk: Desk) -> Message:
    """It cannot be done now, and is tried again."""
    return _said(f"⏳ {desk.safe.text(reason.title)}. It is tried again for a few minutes.")


def too_late(word: str) -> Message:
    """A modal that Slack would not open any more."""
    return _said(f"That took too long for a dialog. Type `{word} help` for the commands.")


def not_whole() -> Message:
    """A modal without what is needed."""
    return _said("Choose a repository and an environment.")


def help_message(command: Help, word: str) -> Message:
    """How commands are written."""
    text = "\n".join(help_lines(command.topic, word))
    return Message(text, [section(f"```{escaped(text)}```"), context(WITHOUT_REPO)])


def _planned(planned: Planned, safe: Safe) -> Message:
    found = planned.plan
    first = (
        f"*Plan* for *{safe.text(planned.environment)}* at {safe.code(short_sha(planned.sha))}. "
        "Nothing was changed."
    )
    lists = [
        *_list("*Images*", image_lines(found), safe),
        *_list("*Pipelines*", pipeline_lines(found), safe),
        *_list("*Notes*", found.warnings, safe),
    ]
    return _said(fitted([first, *lists]))


def _listed(listed: Listed, repository: Repository | None, desk: Desk) -> Message:
    found = standing_lines(listed, desk.word, desk.safe)
    if not listed.deployments:
        return _said(fitted([*found, NO_DEPLOYMENTS]))
    name = f"*{desk.safe.text(repository.full_name)}*" if repository else ""
    return _said(
        fitted([name, *found, *(standing_line(each, desk) for each in listed.deployments)])
    )


def standing_line(deployment: Deployment, desk: Desk) -> str:
    """A deployment in a line of a list."""
    request, safe = deployment.request, desk.safe
    mark = sentences.MARKS[deployment.outcome] if deployment.outcome else sentences.RUNNING
    what = "rollback" if request.kind is Kind.ROLLBACK else short_sha(request.commit.sha)
    identity = link(desk.page(deployment.id) or "", safe.code(deployment.id))
    when = ago(deployment.finished_at or deployment.created_at, time.time())
    who = safe.text(request.actor.name, 40)
    environment = safe.text(request.environment, 40)
    commit = f"{safe.code(what)} {safe.text(request.commit.ref, 60)}"
    return f"{mark} *{environment}* {commit} by {who}, {_state(deployment)} {when} · {identity}"


def standing(deployment: Deployment, safe: Safe) -> str:
    """How a deployment stands, in a sentence."""
    when = ago(deployment.finished_at or deployment.created_at, time.time())
    return f"{_of(deployment, safe)} {_state(deployment)} {when}"


def _of(deployment: Deployment, safe: Safe) -> str:
    request = deployment.request
    commit = short_sha(request.commit.sha)
    return f"{safe.code(deployment.id)} ({safe.text(commit)} to {safe.text(request.environment)})"


def _state(deployment: Deployment) -> str:
    if deployment.state is State.FINISHED:
        return OUTCOMES[deployment.outcome or Outcome.FAILED]
    if deployment.state is State.RUNNING and deployment.stage:
        return f"is in {STAGES[deployment.stage]}, begun"
    return "waits, asked for"


# --- refusals


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


def repository_missing() -> StoppedError:
    """`--repo` without a name."""
    return StoppedError(Code.BAD_COMMAND, "--repo needs OWNER/NAME after it")


def which_repository(known: Sequence[str], word: str) -> StoppedError:
    """It is not clear which repository is meant."""
    if not known:
        return StoppedError(
            Code.BAD_COMMAND,
            "no repository is known here yet",
            next_step="Add `--repo OWNER/NAME` to the command.",
        )
    listed = ", ".join(known[:_MOST_REASONS])
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


# --- who is who


def code(found: str, login: str | None, known: str | None, desk: Desk) -> Message:
    """How to prove a login."""
    lines = []
    if known is not None:
        lines.append(f"You are joined with {desk.safe.code(known)} on GitHub now.")
    if login is not None:
        lines.append(
            f"The address of {desk.safe.code(login)} on GitHub is not shown there, or is not the "
            "one that you have in Slack. A comment proves it too:"
        )
    command = f"{desk.word} link {found}"
    lines.append(f"Type `{command}` as a comment on any pull request that pachops works for.")
    lines.append("It is good for 15 minutes and for one use. Give it to nobody.")
    return _said("\n".join(lines))


def linked_by_email(login: str, safe: Safe) -> Message:
    """Joined."""
    return _said(
        f"✅ You are {safe.code(login)} on GitHub: both sides have confirmed the same address. "
        "What you may do there you may ask for here."
    )


def unlinked(*, was_linked: bool) -> Message:
    """Parted."""
    if not was_linked:
        return _said("You were not joined with a GitHub login.")
    return _said("You are not joined with a GitHub login any more. `/pachops link` joins you.")


# --- subscriptions


def subscribed(subscription: Subscription, desk: Desk) -> Message:
    """What the channel hears of now."""
    return _said(f"✅ This channel hears of {_subscription(subscription, desk.safe)}.")


def unsubscribed(repository: str, *, was_there: bool, desk: Desk) -> Message:
    """What the channel hears of no more."""
    name = desk.safe.code(repository)
    if not was_there:
        return _said(f"This channel did not hear of {name}.")
    return _said(f"This channel hears no more of {name}.")


def subscriptions(found: Sequence[Subscription], desk: Desk) -> Message:
    """All that the channel hears of."""
    if not found:
        return _said(
            f"This channel hears of nothing. `{desk.word} subscribe OWNER/NAME` changes that."
        )
    lines = [f"• {_subscription(each, desk.safe)}" for each in found]
    return _said(fitted(["This channel hears of:", *lines]))


def _subscription(subscription: Subscription, safe: Safe) -> str:
    where = ", ".join(safe.text(each) for each in subscription.environments)
    events = ", ".join(subscription.events)
    return f"{safe.code(subscription.repository)}: {events}" + (f" in {where}" if where else "")


# --- the Home


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


def _with_reasons(first: str, reasons: Sequence[Reason], safe: Safe) -> Message:
    lines = [first]
    for each in reasons[:_MOST_REASONS]:
        lines += reason_lines(each, safe)
    return _said(fitted(lines, LONGEST_SECTION))


def _list(heading: str, entries: Iterable[str], safe: Safe) -> list[str]:
    lines = [f"• {safe.text(each)}" for each in entries]
    return [heading, *lines] if lines else []


def _said(text: str) -> Message:
    return Message(text, [section(text)])
