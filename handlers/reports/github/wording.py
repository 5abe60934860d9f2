"""What each mark shows of a deployment."""

from dataclasses import dataclass

from handlers.reports.github.check import check_report
from handlers.reports.github.comment import ask_comment, failure_comment, progress_comment
from handlers.reports.github.deployment_status import description
from handlers.reports.github.marks import Mark
from handlers.reports.github.safe import Safe
from handlers.reports.view import View


@dataclass(frozen=True)
class Wording:
    """What each mark shows of a view, as one text that is another when it has changed."""

    view: View
    safe: Safe

    def of(self, mark: Mark) -> str:
        """The text of a mark."""
        view, safe = self.view, self.safe
        match mark:
            case Mark.STATUS:
                return f"{view.outcome} {description(view, safe)}"
            case Mark.COMMENT:
                return progress_comment(view, safe)
            case Mark.CHECK:
                return repr(check_report(view, safe))
            case Mark.ASK:
                return ask_comment(view, safe)
            case Mark.FAILURE:
                return failure_comment(view, safe)
        # A deployment is made once and never changed, and only what is good gets a reaction.
        return mark
