"""Where people see what is wrong with a pull request's rules: a check, or a status without an App."""

from bot.domain.github import RULES_CHECK
from bot.services.github import CheckReport, Conclusion
from handlers.github.errand import Errand
from handlers.github.words import in_a_status

RULES = "rules:"
"""What the external id of each check on rules begins with."""
_PASSES = {Conclusion.SUCCESS, Conclusion.NEUTRAL}


async def show(errand: Errand, sha: str, report: CheckReport) -> None:
    """Show it on the commit. GitHub lets nobody but Apps write checks."""
    if errand.desk.github.is_app:
        await errand.client.create_check(sha, RULES_CHECK, report, external_id=f"{RULES}{sha}")
        return
    passes = report.conclusion in _PASSES
    await errand.client.set_status(sha, RULES_CHECK, in_a_status(report), passes=passes)


async def was_shown(errand: Errand, sha: str) -> bool:
    """Whether anything was shown on the commit."""
    if errand.desk.github.is_app:
        found = await errand.client.find_check(sha, RULES_CHECK, external_id=f"{RULES}{sha}")
        return found is not None
    return await errand.client.has_status(sha, RULES_CHECK)
