"""A pull request as a value: by GraphQL, or by REST where a server has no GraphQL."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from github import Github
from github.GithubApp import GithubApp
from github.NamedUser import NamedUser
from github.Organization import Organization
from github.Repository import Repository as GithubRepository

from bot.domain.github import RULES_CHECK, Check, CheckState, PullRequest, ReviewState
from bot.services.github import graphql
from bot.services.github.graphql_answers import Author, CheckRun, PullRequestAnswer, Status
from bot.services.github.raw import Json, get
from bot.services.github.threads import PER_PAGE


@dataclass(frozen=True)
class Ourselves:
    """How we are known from others."""

    app: str | None
    """The slug; None without an App."""
    author: str
    """Of our comments."""


GHOST = "ghost"
"""GitHub's own name for whoever has gone."""
_GOOD = frozenset({"SUCCESS", "NEUTRAL", "SKIPPED"})
_WORST_FIRST = (CheckState.FAILURE, CheckState.MISSING, CheckState.PENDING, CheckState.SUCCESS)
_DECISIONS = {
    "APPROVED": ReviewState.APPROVED,
    "CHANGES_REQUESTED": ReviewState.CHANGES_REQUESTED,
    "REVIEW_REQUIRED": ReviewState.REQUIRED,
}


def by_graphql(
    github: Github, owner: str, name: str, number: int, *, who: Ourselves, rulesets: bool
) -> PullRequest | None:
    """All but what other calls must say; None where this has to be asked by REST."""
    answer = graphql.ask(github, owner, name, number, rulesets=rulesets)
    return from_graphql(number, *answer, who=who) if answer else None


def from_graphql(
    number: int, found: PullRequestAnswer, nodes: graphql.Checks, *, who: Ourselves
) -> PullRequest:
    """An answer as a value."""
    base = found.base_ref
    return PullRequest(
        number=number,
        title=found.title,
        author=_login(found.author),
        head_sha=found.head_ref_oid,
        head_ref=found.head_ref_name,
        head_repository=found.head_repository.name_with_owner if found.head_repository else None,
        base_ref=found.base_ref_name,
        # The pull request's own base is the branch as it was at the last push.
        base_sha=base.target.oid if base and base.target else found.base_ref_oid,
        draft=found.is_draft,
        open=found.state == "OPEN",
        merged=found.state == "MERGED",
        review=_review(found),
        checks=checks_by_graphql(nodes, who.app, base.required_checks if base else frozenset()),
        behind_by=None,
        head_moved_at=None,
        has_our_comments=_has_comments_of(found, who.author),
    )


def by_rest(github: Github, full_name: str, number: int) -> PullRequest:
    """The same without its checks and reviews, which would be a call each."""
    pull = github.get_repo(full_name).get_pull(number)
    return PullRequest(
        number=number,
        title=pull.title,
        author=login_of(pull.user),
        head_sha=pull.head.sha,
        head_ref=pull.head.ref,
        head_repository=_full_name(pull.head.repo),
        base_ref=pull.base.ref,
        base_sha=pull.base.sha,
        draft=bool(pull.draft),
        open=pull.state == "open",
        merged=pull.merged,
        review=None,
        checks=None,
        behind_by=None,
        head_moved_at=None,
        has_our_comments=True,
    )


def runs_of(github: Github, full_name: str, sha: str, *, own_app: str | None) -> tuple[Check, ...]:
    """What Apps but our own report on a commit."""
    return tuple(
        Check(run.name, _check_state(run.status, run.conclusion))
        for run in github.get_repo(full_name).get_commit(sha).get_check_runs()
        if own_app is None or slug_of(run.app) != own_app
    )


def statuses_of(github: Github, path: str) -> tuple[Check, ...]:
    """What others report on a commit."""
    return tuple(
        Check(each["context"], _status_state(each["state"]))
        for each in statuses_at(github, path)
        if each["context"] != RULES_CHECK
    )


def statuses_at(github: Github, path: str) -> list[Json]:
    """The newest of each context. PyGithub would read the first page alone."""
    found: list[Json] = []
    for page in count(1):
        answer = get(github, path, per_page=PER_PAGE, page=page)
        found += answer["statuses"]
        if page * PER_PAGE >= answer["total_count"]:
            break
    return found


def opinions_by_rest(
    github: Github, full_name: str, number: int, head_sha: str
) -> tuple[bool, tuple[str, ...]]:
    """Whether somebody asks for changes, and the logins that approve of the head."""
    latest = {
        login_of(review.user): review
        for review in github.get_repo(full_name).get_pull(number).get_reviews()
        if review.state in {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}
    }
    return any(each.state == "CHANGES_REQUESTED" for each in latest.values()), tuple(
        login
        for login, each in latest.items()
        if each.state == "APPROVED" and each.commit_id == head_sha
    )


def login_of(user: NamedUser | Organization | None) -> str:
    """Whose it is; PyGithub does not say that anybody may have gone."""
    return user.login if user is not None else GHOST


def _full_name(repository: GithubRepository | None) -> str | None:
    return repository.full_name if repository is not None else None


def slug_of(app: GithubApp | None) -> str | None:
    """Which App it is; none where it has gone."""
    return app.slug if app is not None else None


def checks_of(found: Iterable[Check], required: frozenset[str] = frozenset()) -> tuple[Check, ...]:
    """One for each name, by name; of several workflows with one name the worst counts."""
    states: dict[str, CheckState] = {}
    for check in found:
        states[check.name] = min(
            check.state, states.get(check.name, check.state), key=_WORST_FIRST.index
        )
    missing = dict.fromkeys(required, CheckState.MISSING)
    return tuple(Check(name, state) for name, state in sorted((missing | states).items()))


def checks_by_graphql(
    nodes: Iterable[CheckRun | Status], own_app: str | None, required: frozenset[str] = frozenset()
) -> tuple[Check, ...]:
    """What others than we report, as GraphQL has it."""
    return checks_of((_check(node) for node in nodes if not _is_own(node, own_app)), required)


def _check(node: CheckRun | Status) -> Check:
    if isinstance(node, CheckRun):
        return Check(node.name, _check_state(node.status, node.conclusion))
    return Check(node.context, _status_state(node.state))


def _is_own(node: CheckRun | Status, own_app: str | None) -> bool:
    if isinstance(node, Status):
        return node.context == RULES_CHECK
    if own_app is None or node.check_suite.app is None:
        return False
    return node.check_suite.app.slug == own_app


def _check_state(status: str, conclusion: str | None) -> CheckState:
    """Of a check run; REST and GraphQL differ in case only."""
    if status.upper() != "COMPLETED":
        return CheckState.PENDING
    return CheckState.SUCCESS if (conclusion or "").upper() in _GOOD else CheckState.FAILURE


def _status_state(state: str) -> CheckState:
    match state.upper():
        case "SUCCESS":
            return CheckState.SUCCESS
        case "PENDING":
            return CheckState.PENDING
        case "EXPECTED":
            return CheckState.MISSING
    return CheckState.FAILURE


def _review(found: PullRequestAnswer) -> ReviewState:
    """GitHub's decision. It makes none where no rule asks for reviews: then writers' reviews count."""
    if found.review_decision is not None:
        return _DECISIONS[found.review_decision]
    reviews = found.latest_opinionated_reviews
    state = ReviewState.NONE
    for each in reviews.nodes if reviews else ():
        if each.state == "CHANGES_REQUESTED":
            return ReviewState.CHANGES_REQUESTED
        if each.state == "APPROVED" and each.commit and each.commit.oid == found.head_ref_oid:
            state = ReviewState.APPROVED
    return state


def _has_comments_of(found: PullRequestAnswer, author: str) -> bool:
    """Also where it may: of those that are older than the newest hundred nothing is known."""
    comments = found.comments
    return not comments.are_all or any(_login(each.author) == author for each in comments.nodes)


def _login(author: Author | None) -> str:
    if author is None:
        return GHOST
    # Only GraphQL leaves out what every other place says of a bot.
    return author.login + ("[bot]" if author.typename == "Bot" else "")
