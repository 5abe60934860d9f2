"""What a branch asks of a pull request, as far as REST tells it to whoever may read."""

from dataclasses import dataclass
from http import HTTPStatus
from itertools import count

from github import Github, GithubException
from pydantic import BaseModel

from bot.services.github.raw import Json, get
from bot.services.github.threads import PER_PAGE


@dataclass(frozen=True)
class BranchRules:
    """Of branch protection and of rulesets together."""

    checks: frozenset[str]
    """The names of those that it requires."""
    approvals: int = 0
    """How many it asks for; with 0 no rule asks for reviews."""
    unclear: str | None = None
    """What it asks of reviews that cannot be judged by REST; None where all can."""


class _Context(BaseModel):
    context: str


class _StatusChecks(BaseModel):
    contexts: tuple[str, ...] = ()
    checks: tuple[_Context, ...] = ()


class _Protection(BaseModel):
    enabled: bool
    required_status_checks: _StatusChecks


class Branch(BaseModel):
    """The part of its protection that everybody sees."""

    protection: _Protection


class _RequiredChecks(BaseModel):
    required_status_checks: tuple[_Context, ...]


class _Reviews(BaseModel):
    required_approving_review_count: int
    require_code_owner_review: bool
    require_last_push_approval: bool
    required_reviewers: tuple[Json, ...] = ()


_ASKED: dict[str, type[_RequiredChecks | _Reviews]] = {
    "required_status_checks": _RequiredChecks,
    "pull_request": _Reviews,
}
"""The rules that are of interest, by type: they have to be understood, others do not."""
Ruled = tuple[_RequiredChecks | _Reviews, ...]
"""What the rules of rulesets ask for on a branch."""


def read_branch(github: Github, path: str) -> Branch:
    """The branch; `path` is its own."""
    return Branch.model_validate(get(github, path))


def read_ruled(github: Github, path: str) -> Ruled:
    """All pages of its rules; none where the account's plan has no rulesets."""
    found: list[Json] = []
    for page in count(1):
        try:
            answer = get(github, path, per_page=PER_PAGE, page=page)
        except GithubException as error:
            if _is_plan_without(error):
                return ()
            raise
        found += answer
        if len(answer) < PER_PAGE:
            break
    return tuple(
        _ASKED[each["type"]].model_validate(each["parameters"])
        for each in found
        if each["type"] in _ASKED
    )


def together(branch: Branch, ruled: Ruled) -> BranchRules:
    """What both ask for."""
    seen = branch.protection.required_status_checks
    names = {*seen.contexts, *(each.context for each in seen.checks)}
    approvals, unclear = 0, None
    if branch.protection.enabled:
        unclear = "which reviews branch protection asks for is told to administrators alone"
    for asked in ruled:
        if isinstance(asked, _RequiredChecks):
            names.update(each.context for each in asked.required_status_checks)
        else:
            approvals = max(approvals, asked.required_approving_review_count)
            unclear = unclear or _unclear(asked)
    return BranchRules(frozenset(names), approvals, unclear)


def _unclear(asked: _Reviews) -> str | None:
    if asked.require_code_owner_review or asked.required_reviewers:
        return "a ruleset asks for code owners or reviewers of certain files"
    if asked.require_last_push_approval:
        return "a ruleset asks for an approval by somebody else than who pushed last"
    return None


def _is_plan_without(error: GithubException) -> bool:
    """GitHub's answer for private repositories of accounts that do not pay."""
    message = str((error.data or {}).get("message", ""))
    return error.status == HTTPStatus.FORBIDDEN and message.startswith("Upgrade to ")
