"""A plan in GitHub's Markdown."""

from collections.abc import Sequence
from urllib.parse import quote

from bot.domain.progress import Planned
from handlers.reports.github import words
from handlers.reports.github.safe import LONGEST_BODY, Safe, fitted


def plan_marker(environment: str) -> str:
    """How the comment with the newest plan for an environment is known again."""
    return f"<!-- pachops:plan:{quote(environment, safe='')} -->"


def plan_comment(
    planned: Planned, warnings: Sequence[str], environment: str, sha: str, safe: Safe
) -> str:
    """What a deployment would do."""
    first = [f"**Plan** for **{safe.text(environment)}** at {sha}. Nothing was changed."]
    lists = (
        _list(words.IMAGES, planned.images, safe),
        _list(words.PIPELINES, planned.pipelines, safe),
        _list(words.NOTES, warnings, safe),
    )
    return fitted(first, lists, [], LONGEST_BODY)


def _list(heading: str, lines: Sequence[str], safe: Safe) -> str:
    if not lines:
        return ""
    return "\n".join([heading, "", *(f"- {safe.text(line)}" for line in lines)])
