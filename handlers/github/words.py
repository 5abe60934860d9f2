"""Every text that a person reads on GitHub as the answer to what they did there."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bot.domain import progress
from bot.domain.command import Help, render
from bot.domain.command_help import help_lines
from bot.domain.deployment import Deployment, State
from bot.domain.lock import Notice
from bot.domain.place import Place
from bot.domain.plan import image_lines, pipeline_lines
from bot.domain.reasons import Code, Reason
from bot.services.github import CheckReport, Conclusion
from handlers.commands.answers import (
    Answer,
    Helped,
    Linked,
    Listed,
    NotYet,
    Planned,
    Refused,
    Unlinked,
)
from handlers.commands.told import standing, told
from handlers.reports.github.plan import plan_comment
from handlers.reports.github.safe import LONGEST_BODY, Safe, fitted
from handlers.reports.words import OUTCOMES, STAGES, ago, what_comes

NOT_YET = "This version of pachops does not have this command yet."
UNLINKED = "Your login is not joined with a Slack user any more."
RULES_ARE_VALID = "The rules are valid"
RULES_COUNT_LATER = "They count once this is in the default branch."
NOTHING_FOLLOWS = "No environment follows what brought this commit."
RULES_WERE_UNREAD = "Which environments follow this could not be read."
RULES_WERE_UNCHECKED = 'Whether these rules are right is not known. "Re-run" checks them again.'
RULES_ARE_GONE = (
    "Once this is in the default branch, there is one environment, `default`, to which everybody with "
    "write permission deploys by command, without approvals. Where that is not meant, put the file "
    "back."
)
RULES_WOULD_REFUSE = "With these rules pachops would refuse every deployment they are for."
NOT_LINKED = "Your login was not joined with a Slack user."
NO_DEPLOYMENTS = "Nothing was deployed from this repository so far."
AWAITED = "Nothing: it is deployed by itself when they have succeeded, if that is within a day."
DEPLOY_AGAIN = 'The button "Deploy again" on this check does the same.'
IN_HTML = "it is in a block of HTML, which ends at an empty line"
GOES_ON = "it goes on with the quote, list, table or footnote above it, which ends at an empty line"
IS_HEADING = "the line below makes a heading of it, unless there is an empty line between the two"
IS_FORMATTED = "it is bold, italic or in brackets"
COMMENT_AGAIN = "Write another comment: an edited one is not read again."
_TABLE = "| | Environment | Commit | Asked by | |\n| --- | --- | --- | --- | --- |"
_MOST_REASONS = 10


def marker(delivery: str, part: str) -> str:
    """How an answer is known again."""
    return f"<!-- pachops:answer:{delivery}:{part} -->"


_OUR_MARK = "<!-- pachops:"


def is_ours(body: str) -> bool:
    """Whether a comment ends with a marker of ours: with a token we comment as a person."""
    return body.rstrip().rpartition("\n")[2].startswith(_OUR_MARK)


def lock_notice_marker(notice: Notice) -> str:
    """How a notice about a lock is known again."""
    return f"<!-- pachops:lock:{notice.lock.id}:{notice.number} -->"


def refusal_marker(environment: str) -> str:
    """How the comment on a head that is not deployed by itself is known again, while another is."""
    return f"<!-- pachops:refused:{environment} -->"


NOT_FOLLOWED_MARKER = "<!-- pachops:not-followed -->"
"""How the one comment is known again on a pull request of which nobody knows who follows it."""


def not_followed(reason: Reason, safe: Safe) -> str:
    """What such a pull request is told."""
    return refused("Not deployed by itself, where an environment follows it.", (reason,), safe)


def refused(what: str, reasons: Sequence[Reason], safe: Safe) -> str:
    """Why something is not done, and what to do next."""
    return fitted([f"🚫 {what}"], (_reason(each, safe) for each in reasons), [], LONGEST_BODY)


def refused_command(line: str, reasons: Sequence[Reason], safe: Safe) -> str:
    """The answer to a command that is not carried out."""
    return refused(f"{safe.code(line, 200)} is not done.", reasons, safe)


def refused_event(environment: str, reasons: Sequence[Reason], safe: Safe) -> str:
    """What a pull request is told that cannot be deployed by itself."""
    return refused(f"Not deployed to **{safe.text(environment)}**.", reasons, safe)


def refused_check(environment: str, reasons: Sequence[Reason], safe: Safe) -> CheckReport:
    """The check on a commit that was pushed or released and is not deployed."""
    title = reasons[0].title if reasons else ""
    is_cancelled = any(each.code is Code.CANCELLED for each in reasons)
    return CheckReport(
        title=safe.line(f"Not deployed to {environment}: {title}", 200),
        summary=refused_event(environment, reasons, safe),
        conclusion=Conclusion.CANCELLED if is_cancelled else Conclusion.ACTION_REQUIRED,
    )


def with_button(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Why a check is not made again that has a button for it, which means just this one."""
    return tuple(
        replace(each, next_step=f"{each.next_step} {DEPLOY_AGAIN}")
        if each.code is Code.HELD
        else each
        for each in reasons
    )


def nothing_to_repeat(word: str, safe: Safe) -> CheckReport:
    """A check behind which there is no deployment that could be made again."""
    deploy = safe.code(f"{word} deploy ENV")
    return CheckReport(
        title="There is no deployment to make again",
        summary=f"Comment {deploy} on the pull request, or push another commit.",
        conclusion=Conclusion.ACTION_REQUIRED,
    )


def rules_are_broken(count: int) -> str:
    """The title of the check on rules."""
    return "1 problem in the rules" if count == 1 else f"{count} problems in the rules"


def rules_unread(reason: Reason, safe: Safe) -> CheckReport:
    """The check on a commit of which nobody knows who follows it, for the rules are not given."""
    return CheckReport(
        title=safe.line(f"Nothing is deployed: {reason.title}", 200),
        summary=refused(RULES_WERE_UNREAD, (reason,), safe),
        conclusion=Conclusion.FAILURE,
    )


def rules_unchecked(reason: Reason, safe: Safe) -> CheckReport:
    """The check on rules of which it is not known whether they are right."""
    return CheckReport(
        title=safe.line(f"The rules could not be checked: {reason.title}", 200),
        summary=refused(RULES_WERE_UNCHECKED, (reason,), safe),
        conclusion=Conclusion.FAILURE,
    )


def in_a_status(report: CheckReport) -> str:
    """What fits of a check where it cannot be written: its title, and the first line that is wrong."""
    first = next(iter(report.annotations), None)
    if first is None:
        return report.title
    return f"{report.title}: line {first.line}: {first.message.partition(chr(10))[0]}"


def rules_taken_away() -> CheckReport:
    """The check on a commit that has no rules any more."""
    return CheckReport(
        title="There are no rules any more",
        summary=RULES_ARE_GONE,
        conclusion=Conclusion.NEUTRAL,
    )


def nothing_follows() -> CheckReport:
    """The check on rules that can be read again, where nothing was left undone."""
    return CheckReport(
        title=RULES_ARE_VALID, summary=NOTHING_FOLLOWS, conclusion=Conclusion.SUCCESS
    )


def rules_valid(places: Mapping[Place, Sequence[str]], safe: Safe) -> CheckReport:
    """Rules that may be brought, and which environments reach each other's pipelines by them."""
    said = [_shared(place, names, safe) for place, names in places.items()]
    return CheckReport(
        title=RULES_ARE_VALID,
        summary=fitted([RULES_COUNT_LATER], said, [], LONGEST_BODY),
        conclusion=Conclusion.SUCCESS,
    )


def _shared(place: Place, names: Sequence[str], safe: Safe) -> str:
    several = f"{safe.text(', '.join(names[:-1]))} and {safe.text(names[-1])}"
    where = f"the project {safe.text(place.project)} on the cluster {safe.text(place.cluster)}"
    return (
        f"{several} share {where}: whoever may deploy"
        " to one of them may change the pipelines of all."
    )


def left_to_newer(branch: str, safe: Safe) -> CheckReport:
    """The check on a commit that awaited its checks, where a later push came first."""
    return CheckReport(
        title=safe.line(f"{branch} has moved on", 200),
        summary="This commit was not deployed: a later one is there.",
        conclusion=Conclusion.SKIPPED,
    )


def release_gone(tag: str, safe: Safe) -> CheckReport:
    """Likewise, where the release that brought it is none any more."""
    return CheckReport(
        title=safe.line(f"{tag} is no release any more", 200),
        summary="This commit was not deployed: its release was deleted or taken back.",
        conclusion=Conclusion.SKIPPED,
    )


def moved_on(branch: str, safe: Safe) -> CheckReport:
    """Likewise, where a later push was followed instead."""
    return CheckReport(
        title=safe.line(f"{branch} has moved on", 200),
        summary="The rules are valid now. This commit was not deployed, and a later one is there.",
        conclusion=Conclusion.SKIPPED,
    )


def followed_now(environments: Sequence[str], safe: Safe) -> CheckReport:
    """Likewise, where the push is followed now."""
    names = ", ".join(f"**{safe.text(each)}**" for each in environments)
    return CheckReport(
        title=RULES_ARE_VALID,
        summary=f"This commit goes to {names}: how that ends, a check of its own says.",
        conclusion=Conclusion.SUCCESS,
    )


def refused_all(refusals: Mapping[str, Sequence[Reason]], safe: Safe) -> CheckReport:
    """Likewise, where it may not be."""
    each = (refused_event(name, reasons, safe) for name, reasons in refusals.items())
    return CheckReport(
        title=safe.line(f"Not deployed to {', '.join(refusals)}", 200),
        summary=fitted([], each, [], LONGEST_BODY),
        conclusion=Conclusion.ACTION_REQUIRED,
    )


def deploy_yourself(
    name: str, sha: str, environments: Sequence[str], word: str, safe: Safe
) -> CheckReport:
    """A check asked for again, where people have to say whether it is still wanted."""
    commands = (f"- {safe.code(f'{word} deploy {each} {sha}')}" for each in environments)
    ask = "This was not deployed. Where it still should be, comment on a pull request:"
    return CheckReport(
        title=safe.line(f"{name} was not deployed", 200),
        summary=fitted([ask], commands, [], LONGEST_BODY),
        conclusion=Conclusion.ACTION_REQUIRED,
    )


def too_many(left_out: int, most: int) -> str:
    """A comment with more commands than one may have."""
    return f"A comment may have {most} commands; the last {left_out} were left out."


def answer(answered: Answer, line: str, word: str, safe: Safe) -> str:
    """The answer to a command; empty where the deployment's reports are the answer."""
    if (same := told(answered, word, safe)) is not None:
        return same
    match answered:
        case Refused():
            text = refused_command(f"{word} {line}", answered.reasons, safe)
        case Planned():
            text = plan(answered, safe)
        case Listed():
            table = deployments(answered.deployments, time.time(), safe)
            text = "\n\n".join([*standing(answered, word, safe), table])
        case Linked():
            text = linked(answered, word, safe)
        case Unlinked():
            text = UNLINKED if answered.was_linked else NOT_LINKED
        case Helped():
            text = help_text(answered.help, word)
        case NotYet():
            text = f"{safe.code(f'{word} {render(answered.command)}')}: {NOT_YET}"
        case _:
            text = ""
    return text


def plan(planned: Planned, safe: Safe) -> str:
    """What a deployment would do."""
    found = planned.plan
    lines = progress.Planned(image_lines(found), pipeline_lines(found))
    return plan_comment(lines, found.warnings, planned.environment, planned.sha, safe)


def linked(answered: Linked, word: str, safe: Safe) -> str:
    """What came of a code; who sees somebody else's name there can undo it."""
    if answered.identity is None:
        return (
            f"This code is wrong, used or old. Type `{word} link` in Slack for a new one. After "
            "five that are wrong, none is good for an hour."
        )
    user = safe.code(answered.identity.slack.user)
    return (
        f"✅ Your login is joined with the Slack user {user} now: what you may do here, they may "
        f"ask for there. If that is not you, type `{word} unlink`."
    )


def deployments(found: Iterable[Deployment], now: float, safe: Safe) -> str:
    """A table, in the order given."""
    rows = [_row(each, now, safe) for each in found]
    if not rows:
        return NO_DEPLOYMENTS
    return fitted([], ["\n".join([_TABLE, *rows])], [], LONGEST_BODY)


def help_text(command: Help, word: str) -> str:
    """How commands are written."""
    return "\n".join(["```text", *help_lines(command.topic, word), "```"])


def closing(number: int, *, merged: bool) -> str:
    """By what locks are released and deployments cancelled that hang on a pull request."""
    return f"by {'merging' if merged else 'closing'} pull request #{number}"


def _reason(reason: Reason, safe: Safe) -> str:
    lines = [
        f"- **{safe.text(reason.title)}** ({safe.code(reason.code)}): {safe.rich(reason.fact)}"
    ]
    if reason.where:
        lines.append(f"  **Where:** {safe.code(reason.where)}")
    lines.append(f"  **Next:** {safe.rich(reason.next_step)}")
    return "  \n".join(lines)


def _row(deployment: Deployment, now: float, safe: Safe) -> str:
    request = deployment.request
    cells = (
        f"`{deployment.id}`",
        safe.text(request.environment),
        safe.text(f"{what_comes(request)} {request.commit.ref}", 80),
        safe.text(request.actor.name),
        f"{_standing(deployment)}, {ago(deployment.finished_at or deployment.created_at, now)}",
    )
    return f"| {' | '.join(cells)} |"


def _standing(deployment: Deployment) -> str:
    if deployment.state is State.FINISHED and deployment.outcome:
        return OUTCOMES[deployment.outcome]
    if deployment.state is State.RUNNING and deployment.stage:
        return f"running: {STAGES[deployment.stage]}"
    return deployment.state.value
