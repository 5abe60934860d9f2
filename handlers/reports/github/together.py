"""What one call for several marks may do."""

from collections.abc import Iterable

from bot.services.github import (
    CheckUpdate,
    CommentEdit,
    NewCheck,
    NewComment,
    NewStatus,
    Order,
    React,
    Reaction,
)
from handlers.reports.github.check import check_name, check_report
from handlers.reports.github.deployment_status import deployment_state, description
from handlers.reports.github.marks import Mark, Marks
from handlers.reports.github.origin import (
    Origin,
    ask_marker,
    comment_marker,
    failure_marker,
)
from handlers.reports.github.wording import Wording

SUCCESS: Reaction = "rocket"
"""On the command's own comment."""


def orders_for(
    wanted: Iterable[Mark], wording: Wording, there: Marks, origin: Origin
) -> dict[Mark, Order]:
    """The orders for those that need no call of their own; what may be there has to be looked for."""
    found = {mark: _order(mark, wording, there, origin) for mark in wanted}
    return {
        mark: order
        for mark, order in found.items()
        if order is not None and there.tried.isdisjoint(made_once(mark, order))
    }


def made_once(mark: Mark, order: Order) -> frozenset[Mark]:
    """What would be there twice where it were written twice."""
    annotated = Mark.ANNOTATIONS
    match order:
        case CheckUpdate(report=report):
            return frozenset({annotated}) if report.annotations else frozenset()
        case NewCheck(report=report):
            return frozenset({mark, annotated} if report.annotations else {mark})
        case NewStatus() | NewComment():
            return frozenset({mark})
    return frozenset()


def _order(mark: Mark, wording: Wording, there: Marks, origin: Origin) -> Order | None:
    view, ids, number = wording.view, there.ids, origin.pull_request
    environment, sha = view.deployment.request.environment, origin.sha_of(view.sha)
    order: Order | None = None
    match mark:
        case Mark.STATUS if Mark.DEPLOYMENT in ids and view.outcome is not None:
            state = deployment_state(view.outcome)
            about = description(view, wording.safe)
            order = NewStatus(ids[Mark.DEPLOYMENT], state, about, view.page or "")
        case Mark.COMMENT if mark in ids:
            order = CommentEdit(ids[mark], wording.of(mark), comment_marker(environment))
        case Mark.COMMENT if number is not None:
            order = NewComment(number, wording.of(mark), comment_marker(environment))
        case Mark.CHECK if mark in ids:
            order = CheckUpdate(ids[mark], check_report(view, wording.safe))
        case Mark.CHECK if sha:
            name, report = check_name(environment), check_report(view, wording.safe)
            order = NewCheck(sha, name, report, view.deployment.id)
        case Mark.ASK | Mark.FAILURE if number is not None and mark not in ids:
            make = ask_marker if mark is Mark.ASK else failure_marker
            order = NewComment(number, wording.of(mark), make(view.deployment.id))
        case Mark.REACTION if origin.comment_id is not None:
            order = React(origin.comment_id, SUCCESS)
    return order
