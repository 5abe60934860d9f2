"""Every text that a person reads in Slack as the answer to what they did there."""

import html
import re
import time
from collections.abc import Iterable, Sequence

from bot.domain.command import Help
from bot.domain.command_help import help_lines
from bot.domain.deployment import Deployment, Outcome, State
from bot.domain.github import Repository
from bot.domain.plan import image_lines, pipeline_lines
from bot.domain.reasons import Reason
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
from handlers.reports.slack.buttons import Button, Click
from handlers.reports.slack.message import mention, reason_lines
from handlers.reports.slack.safe import LONGEST_SECTION, Safe, escaped, fitted, link
from handlers.reports.slack.words import BUTTONS, used
from handlers.reports.words import (
    OUTCOMES,
    STAGES,
    ago,
    repository_name,
    short_sha,
    what_comes,
    where_to,
)
from handlers.slack.desk import Desk

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
    if button is Button.ROLL_BACK and deployment.outcome is Outcome.FAILED:
        # Otherwise it would be no reason.
        return _said(f"{text} Its specs were left in place.")
    return _said(text)


def used_before(first: Click, deployment: Deployment, desk: Desk) -> Message:
    """The answer to a click on a button that somebody has used."""
    by = used(first.button, mention(first.user), first.at)
    return _said(f"{by}: {standing(deployment, desk.safe)}.")


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
    identity = link(desk.page(deployment.id) or "", safe.code(deployment.id))
    when = ago(deployment.finished_at or deployment.created_at, time.time())
    who = safe.text(request.actor.name, 40)
    environment = safe.text(request.environment, 40)
    commit = f"{safe.code(what_comes(request))} {safe.text(request.commit.ref, 60)}"
    return f"{mark} *{environment}* {commit} by {who}, {_state(deployment)} {when} · {identity}"


def standing(deployment: Deployment, safe: Safe) -> str:
    """How a deployment stands, in a sentence."""
    when = ago(deployment.finished_at or deployment.created_at, time.time())
    return f"{_of(deployment, safe)} {_state(deployment)} {when}"


def _of(deployment: Deployment, safe: Safe) -> str:
    request = deployment.request
    what = safe.text(where_to(request))
    return f"{safe.code(deployment.id)} ({what})"


def _state(deployment: Deployment) -> str:
    if deployment.state is State.FINISHED:
        return OUTCOMES[deployment.outcome or Outcome.FAILED]
    if deployment.state is State.RUNNING and deployment.stage:
        return f"is in {STAGES[deployment.stage]}, begun"
    return "waits, asked for"


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
