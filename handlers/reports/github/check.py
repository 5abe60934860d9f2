"""A deployment as a check run on its commit."""

import re
from enum import StrEnum

from bot.domain.deployment import Outcome
from bot.domain.reasons import Code, Reason
from bot.services.github import Action, Annotation, CheckReport, Conclusion
from handlers.reports import sentences
from handlers.reports.github import words
from handlers.reports.github.comment import SEEN_DIGITS, details, summary, what
from handlers.reports.github.safe import Safe
from handlers.reports.text import lines
from handlers.reports.view import View
from handlers.reports.words import SHORT_SHA

_CONCLUSIONS = {
    Outcome.SUCCEEDED: Conclusion.SUCCESS,
    Outcome.FAILED: Conclusion.FAILURE,
    Outcome.CANCELLED: Conclusion.CANCELLED,
    Outcome.REFUSED: Conclusion.ACTION_REQUIRED,
    Outcome.ROLLED_BACK: Conclusion.FAILURE,
    Outcome.SUPERSEDED: Conclusion.CANCELLED,
}
_TIMED_OUT = frozenset({Code.STAGE_TIMED_OUT, Code.TEST_TIMED_OUT, Code.VERIFY_TIMED_OUT})
_IN_FILES = frozenset(
    {
        Code.PROJECT_INVALID,
        Code.TEAM_UNKNOWN,
        Code.SLACK_GROUP_UNKNOWN,
        Code.DOCKERFILE_INVALID,
        Code.CONTEXT_MISSING,
        Code.SPEC_MISSING,
        Code.SPEC_INVALID,
        Code.SPEC_FIELD_UNKNOWN,
        Code.SPEC_OUTDATED,
        Code.SPEC_CYCLE,
        Code.SPEC_DUPLICATE,
        Code.IMAGE_NAME_INVALID,
        Code.IMAGE_NAME_AMBIGUOUS,
        Code.TAG_INVALID,
        Code.BUILD_FAILED,
        Code.BUILD_SECRET_MISSING,
    }
)
"""Reasons whose place is in a file; that of others may be `HOST:PORT`, which looks the same."""
_PLACE = re.compile(r"(?P<path>[^\s:][^:]*):(?P<line>[1-9]\d{0,8})(?=:|$)")
_LONGEST_TITLE = 120


class Button(StrEnum):
    """The identifiers of the check's buttons, as GitHub sends them when one is pressed."""

    RERUN = "rerun"
    CANCEL = "cancel"
    DEPLOY = "deploy"
    APPROVE = "approve"
    """With the first digits of the plan behind it."""
    REJECT = "reject"

    @classmethod
    def pressed(cls, identifier: str) -> "tuple[Button, str] | None":
        """The button and what stands behind it; None where it is none of ours."""
        name, _, seen = identifier.partition(":")
        return (cls(name), seen) if name in set(cls) else None


_CANCEL = Action(*words.CANCEL, Button.CANCEL)
_RERUN = Action(*words.RERUN, Button.RERUN)
_DEPLOY = Action(*words.DEPLOY, Button.DEPLOY)


def check_name(environment: str) -> str:
    """The check's name: one for each environment."""
    return f"{words.OWN_CHECKS}{environment}"


def check_report(view: View, safe: Safe) -> CheckReport:
    """All that the check shows; the same until something has happened."""
    reason = view.end.reason if view.end else None
    return CheckReport(
        title=_title(view, safe),
        summary=summary(view, safe),
        text=details(view, safe),
        started=not view.waits,
        conclusion=_conclusion(view, reason),
        annotations=annotations(reason, safe),
        actions=_buttons(view),
        details_url=view.page,
    )


def _title(view: View, safe: Safe) -> str:
    request = view.deployment.request
    place = sentences.target(request.kind, view.sha[:SHORT_SHA], request.environment)
    return safe.line(what(view, place), _LONGEST_TITLE)


def _conclusion(view: View, reason: Reason | None) -> Conclusion | None:
    outcome = view.outcome
    if outcome is None:
        return Conclusion.ACTION_REQUIRED if view.asks_for_approval else None
    return conclusion_of(outcome, reason)


def conclusion_of(outcome: Outcome, reason: Reason | None) -> Conclusion:
    """How a check ends whose deployment has ended so."""
    if outcome is Outcome.FAILED and reason is not None and reason.code in _TIMED_OUT:
        return Conclusion.TIMED_OUT
    return _CONCLUSIONS[outcome]


def _buttons(view: View) -> tuple[Action, ...]:
    asked = view.board.approval
    if view.asks_for_approval and asked is not None:
        seen = f"{Button.APPROVE}:{asked.digest[:SEEN_DIGITS]}"
        return (Action(*words.APPROVE, seen), Action(*words.REJECT, Button.REJECT), _CANCEL)
    if view.outcome is None:
        return (_CANCEL,)
    return (deploy_again(view.outcome),)


def deploy_again(outcome: Outcome) -> Action:
    """The button on a check whose deployment has ended so."""
    return _DEPLOY if outcome is Outcome.SUCCEEDED else _RERUN


def annotations(reason: Reason | None, safe: Safe) -> tuple[Annotation, ...]:
    """A remark on the line that is at fault, where the reason names a line of a file."""
    if reason is None or reason.where is None or reason.code not in _IN_FILES:
        return ()
    match = _PLACE.match(reason.where)
    if match is None:
        return ()
    path = match["path"]
    if path.startswith("/") or ".." in path.split("/"):
        return ()
    message = "\n".join(safe.line(text) for text in (*lines(reason.fact), reason.next_step))
    title = safe.line(reason.title)
    return (Annotation(safe.line(path), int(match["line"]), message, title=title),)
