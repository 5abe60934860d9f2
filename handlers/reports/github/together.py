"""What one call for several marks may do."""

from collections.abc import Iterable

from bot.services.github import (
    CheckUpdate,
    CommentEdit,
    NewComment,
    NewStatus,
    Order,
    React,
    Reaction,
)
from handlers.reports.github.check import check_report
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
        if order is not None and made_once(mark, order) not in there.tried
    }


def made_once(mark: Mark, order: Order) -> Mark | None:
    """What would be there twice where it were written twice: of a check its annotations."""
    if isinstance(order, CheckUpdate):
        return Mark.ANNOTATIONS if order.report.annotations else None
    return mark if isinstance(order, NewStatus | NewComment) else None


def _order(mark: Mark, wording: Wording, there: Marks, origin: Origin) -> Order | None:
    view, ids, number = wording.view, there.ids, origin.pull_request
    order: Order | None = None
    match mark:
        case Mark.STATUS if Mark.DEPLOYMENT in ids and view.outcome is not None:
            state = deployment_state(view.outcome)
            about = description(view, wording.safe)
            order = NewStatus(ids[Mark.DEPLOYMENT], state, about, view.page or "")
        case Mark.COMMENT if mark in ids:
            marker = comment_marker(view.deployment.request.environment)
            order = CommentEdit(ids[mark], wording.of(mark), marker)
        case Mark.CHECK if mark in ids:
            order = CheckUpdate(ids[mark], check_report(view, wording.safe))
        case Mark.ASK | Mark.FAILURE if number is not None and mark not in ids:
            make = ask_marker if mark is Mark.ASK else failure_marker
            order = NewComment(number, wording.of(mark), make(view.deployment.id))
        case Mark.REACTION if origin.comment_id is not None:
            order = React(origin.comment_id, SUCCESS)
    return order
