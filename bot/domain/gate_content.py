"""Which commits may come to an environment."""

from collections.abc import Callable, Iterator
from functools import wraps

from bot.domain.command_form import is_sha
from bot.domain.deployment import Trigger
from bot.domain.gate_case import Case, refusal, unknown
from bot.domain.gate_facts import NOT_LOOKED_UP, Unknown, seconds_of
from bot.domain.gate_sender import permission
from bot.domain.github import Check, CheckState, PullRequest, ReviewState
from bot.domain.reasons import Code, Reason

_MOST_SHOWN = 5


def _of_pull_request(
    rule: Callable[[Case, PullRequest], Iterator[Reason]],
) -> Callable[[Case], Iterator[Reason]]:
    """A rule for commits that come from a pull request; others pass."""

    @wraps(rule)
    def applied(case: Case) -> Iterator[Reason]:
        pull = case.facts.pull_request
        if isinstance(pull, PullRequest) and not case.facts.is_of_a_branch:
            yield from rule(case, pull)

    return applied


def commit(case: Case) -> Iterator[Reason]:
    """The commit must be known, and be the one that was written."""
    facts = case.facts
    sha, asked = facts.content.sha, facts.command.ref
    if sha is NOT_LOOKED_UP and any(permission(case)):
        # Git is not asked for who may not deploy, whichever commit it is; that is the reason.
        return
    if isinstance(sha, Unknown):
        yield unknown(f"the commit of {asked or 'the head'}", sha)
    elif facts.sha is None:
        yield refusal(Code.REF_UNKNOWN, f"there is no {asked or 'commit'}")
    elif asked is not None and is_sha(asked) and not facts.sha.startswith(asked.lower()):
        yield refusal(
            Code.REF_UNKNOWN,
            f"{asked} looks like a SHA, and is a name of {facts.sha}",
            f"Write the whole SHA: {case.command(facts.sha)}.",
        )


def pull_request(case: Case) -> Iterator[Reason]:
    """The pull request must be known."""
    if isinstance(case.facts.pull_request, Unknown):
        yield unknown("the pull request", case.facts.pull_request)


@_of_pull_request
def state(case: Case, pull: PullRequest) -> Iterator[Reason]:
    """Only an open pull request is deployed; what was let through before its merge goes on."""
    if pull.merged:
        if not case.facts.was_allowed:
            fact = f"#{pull.number} was merged into {pull.base_ref}"
            yield refusal(Code.PULL_REQUEST_MERGED, fact, _deploy_base(case, pull))
    elif not pull.open:
        yield refusal(Code.PULL_REQUEST_CLOSED, f"#{pull.number} is closed")


def _deploy_base(case: Case, pull: PullRequest) -> str:
    return f"Deploy that branch: {case.command(pull.base_ref)}."


@_of_pull_request
def draft(case: Case, pull: PullRequest) -> Iterator[Reason]:
    """A draft is deployed where the environment takes drafts."""
    if pull.draft and not case.rules.drafts:
        yield refusal(Code.PULL_REQUEST_DRAFT, f"#{pull.number} is a draft")


@_of_pull_request
def consent(case: Case, pull: PullRequest) -> Iterator[Reason]:
    """A fork's commit needs the operator's and the environment's consent."""
    if not case.facts.is_fork:
        return
    came = f"#{pull.number} comes from {_home(pull)}"
    if not case.facts.takes_forks:
        fact = f"{came}; the bot's settings take no forks (allow_forks), whatever environments say"
        yield refusal(Code.FORK_NOT_ALLOWED, fact)
    elif not case.rules.forks:
        yield refusal(Code.FORK_NOT_ALLOWED, f"{came}; {case.environment} takes no forks")


@_of_pull_request
def fork(case: Case, pull: PullRequest) -> Iterator[Reason]:
    """A fork's commit that is consented to needs its whole SHA, typed by a person."""
    facts = case.facts
    is_consented = facts.takes_forks and case.rules.forks
    if facts.is_fork and is_consented and not facts.is_written_out:
        yield refusal(
            Code.FORK_NEEDS_SHA,
            f"#{pull.number} comes from {_home(pull)} and the command does not have the whole SHA",
            f"Look at the commit, then type {case.command(facts.sha or pull.head_sha)}.",
        )


def _home(pull: PullRequest) -> str:
    return pull.head_repository or "a fork that is gone"


def origin(case: Case) -> Iterator[Reason]:
    """The commit must be the pull request's or an allowed branch's.

    By its SHA alone GitHub gives any commit of any fork as if it were the repository's.
    """
    facts, sha = case.facts, case.facts.sha
    if facts.trigger is Trigger.PUSH or sha is None or isinstance(facts.pull_request, Unknown):
        return
    if facts.trigger is Trigger.CLI and case.rules.branches is None and not case.rules.within:
        return
    # A release's branch is only what its author says it is.
    by_name = facts.command.ref in {None, facts.content.branch}
    by_name = by_name and facts.trigger is not Trigger.RELEASE
    if not facts.is_of_a_branch:
        is_head = facts.pull_request is not None and sha == facts.pull_request.head_sha
        yield from () if by_name or is_head else _found_in(case, sha)
    elif by_name and facts.content.branch is not None:
        yield from _allowed(case, facts.content.branch)
    else:
        yield from _found_in(case, sha)


def _allowed(case: Case, branch: str) -> Iterator[Reason]:
    default = case.facts.repository.default_branch
    if case.rules.allows_branch(branch, default):
        return
    allowed = ", ".join(case.rules.allowed_branches(default)) or "none"
    yield refusal(
        Code.BRANCH_NOT_ALLOWED,
        f"{case.environment} does not take {branch}; it takes: {allowed}",
        f"Deploy one of those, or {_let_in(case, branch)}",
    )


def _let_in(case: Case, branch: str) -> str:
    return (
        f"add {branch} to environments: {case.environment}: branches in .pachops.yml "
        "on the default branch."
    )


def _found_in(case: Case, sha: str) -> Iterator[Reason]:
    content, pull = case.facts.content, case.facts.pull_request
    found = (
        [content.in_branches] if pull is None else [content.in_pull_request, content.in_branches]
    )
    if any(each is True for each in found):
        return
    missing = [each for each in found if isinstance(each, Unknown)]
    for each in missing:
        yield unknown(f"whether {sha} belongs here", each)
    if missing:
        return
    default = case.facts.repository.default_branch
    branches = ", ".join(case.rules.allowed_branches(default)) or "none"
    where = f"neither in #{pull.number} nor" if isinstance(pull, PullRequest) else "not"
    fact = f"{sha} is {where} in a branch that {case.environment} takes ({branches})"
    yield refusal(Code.COMMIT_ELSEWHERE, fact)


@_of_pull_request
def head(case: Case, pull: PullRequest) -> Iterator[Reason]:
    """What was not written out is the head that the person saw, by GitHub's clock.

    A push in the same second as the command may have come after it. A fork's commit is written out
    or refused.
    """
    facts = case.facts
    if facts.is_exact or facts.sha is None or facts.is_fork:
        return
    again = f"Look at the new commits, then type {case.command(pull.head_sha)}."
    asked = facts.command.ref
    if facts.sha != pull.head_sha:
        if asked is None or asked == facts.content.branch:
            fact = f"the head was {facts.sha} and is now {pull.head_sha}"
            yield refusal(Code.HEAD_MOVED, fact, again)
        return
    if facts.trigger is Trigger.PULL_REQUEST or facts.was_allowed:
        return
    moved, commanded = seconds_of(pull.head_moved_at), seconds_of(facts.asked_at)
    if moved is None or commanded is None:
        call = Unknown("GitHub", "it did not say when the head moved or when the command came")
        yield unknown(f"whether {pull.head_sha} was there first", call, again)
    elif moved >= commanded:
        fact = (
            f"the head moved to {pull.head_sha} at {pull.head_moved_at}, "
            f"not before the command of {facts.asked_at}"
        )
        yield refusal(Code.HEAD_MOVED, fact, again)


@_of_pull_request
def newest(case: Case, pull: PullRequest) -> Iterator[Reason]:
    """Reviews and freshness say nothing of an older commit."""
    facts, rules = case.facts, case.rules
    if facts.sha is not None and facts.sha != pull.head_sha and (rules.review or rules.fresh):
        yield refusal(
            Code.NOT_THE_HEAD,
            f"{facts.sha} is not the head of #{pull.number}, which is {pull.head_sha}",
            f"Type {case.command(pull.head_sha)}.",
        )


@_of_pull_request
def base(case: Case, pull: PullRequest) -> Iterator[Reason]:
    """The branch whose checks, reviews and commits count is none that the author chose."""
    default = case.facts.repository.default_branch
    if not case.rules.follows_base or case.rules.allows_base(pull.base_ref, default):
        return
    takes = dict.fromkeys((default, *case.rules.allowed_branches(default)))
    yield refusal(
        Code.BASE_NOT_ALLOWED,
        f"#{pull.number} is to be merged into {pull.base_ref}; "
        f"{case.environment} takes: {', '.join(takes)}",
        f"Change its base to {default} and ask for it then, or {_let_in(case, pull.base_ref)}",
    )


def checks(case: Case) -> Iterator[Reason]:
    """The checks that the environment requires must have succeeded on this very commit."""
    facts, required = case.facts, case.rules.checks
    if required is None or facts.sha is None:
        return
    found = facts.checks
    if isinstance(found, Unknown):
        yield unknown(f"the checks of {facts.sha}", found)
        return
    names = {each.name for each in found}
    missing = [Check(name, CheckState.MISSING) for name in required if name not in names]
    all_count = not required or case.rules.every_check
    counted = [each for each in found if all_count or each.name in required] + missing
    if not counted:
        yield refusal(Code.CHECKS_MISSING, f"no check has reported on {facts.sha}")
    for check_state, (code, words) in _CHECK_REASONS.items():
        those = [each.name for each in counted if each.state is check_state]
        if those:
            yield refusal(code, f"{words} on {facts.sha}: {_listed(those)}")


_CHECK_REASONS = {
    CheckState.FAILURE: (Code.CHECKS_FAILED, "failed"),
    CheckState.PENDING: (Code.CHECKS_PENDING, "not finished"),
    CheckState.MISSING: (Code.CHECKS_MISSING, "not reported"),
}


@_of_pull_request
def review(case: Case, pull: PullRequest) -> Iterator[Reason]:
    """A required review must have approved."""
    if not case.rules.review or pull.review is ReviewState.APPROVED:
        return
    if pull.review is None:
        yield unknown(f"whether #{pull.number} is approved", NOT_LOOKED_UP)
        return
    said = {
        ReviewState.CHANGES_REQUESTED: "has a review that asks for changes",
        ReviewState.REQUIRED: f"lacks approving reviews that {pull.base_ref} asks for",
        ReviewState.NONE: "has no approving review of its newest commit",
    }
    yield refusal(Code.REVIEW_MISSING, f"#{pull.number} {said[pull.review]}")


@_of_pull_request
def fresh(case: Case, pull: PullRequest) -> Iterator[Reason]:
    """Where freshness is required, the pull request has all commits of its base branch."""
    if not case.rules.fresh:
        return
    if pull.behind_by is None:
        call = Unknown("GitHub", "it did not compare the two")
        yield unknown(f"whether #{pull.number} is behind {pull.base_ref}", call)
    elif pull.behind_by > 0:
        commits = "1 commit" if pull.behind_by == 1 else f"{pull.behind_by} commits"
        fact = f"#{pull.number} is {commits} behind {pull.base_ref}"
        step = _deploy_base(case, pull) if pull.merged else None
        yield refusal(Code.BEHIND_BASE, fact, step)


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_SHOWN
    return ", ".join(names[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")
